internal import RoostBasics
internal import RoostClient
internal import RoostDelivery
internal import RoostFiles
internal import RoostFunctions
internal import RoostJSON
internal import RoostShell

/// A page of the command line: `roost score`.
let scoreCommand = Command(
    name: "score", operands: "TARGET INPUT [-o OUTPUT]", summary: "score a whole file of rows",
    details: [
        """
        INPUT is CSV or JSON Lines, by its ending or --format, with .gz also compressed. A CSV header is matched to \
        the model's columns by name; without one columns go by their place. OUTPUT has the input's columns and the \
        predictions, in the order of the input; beside it OUTPUT.meta.json says what was done and what the data looks \
        like, and OUTPUT.errors.jsonl holds the rows that could not be scored, with line and reason.
        """,
        """
        With a running host it is a job of that host: INPUT and OUTPUT lie below its data/ (or serve --data DIR), and \
        the job goes on when this command is interrupted (`roost jobs`). A TARGET that is a file is scored with by \
        this command itself; so is any when no host runs. Interrupted or killed, the same command goes on where it was.
        """,
        "Exit code 0: every row is scored; 1: the job stopped or failed; 3: done, and some rows are bad.",
    ],
    options: Option.host + ScoreOption.all + [.json],
    examples: [
        Example("roost score credit data/march.csv -o data/scored.csv", "by the host, with the serving version"),
        Example("roost score ./credit@3.ubj rows.csv.gz -o out.jsonl --columns id", "by itself; only id goes along"),
        Example("cat rows.csv | roost score credit.ubj - -o out.csv", "from a pipe, in constant memory"),
    ],
    run: { call in
        let operands = try call.operands(2...2)
        let spec = try ScoreOption.spec(call, input: operands[1])
        let target = try call.target(operands[0])
        if case .file(let file) = target { return try scoreHere(file, spec, call) }
        do {
            _ = try call.findHost()
        } catch let failure as Failure {
            guard call.value(of: .url) == nil, let file = try call.droppedFile(of: target) else { throw failure }
            return try scoreHere(file, spec, call)
        }
        return try scoreByHost(operands[0], spec, call)
    })

/// Options of `roost score`.
enum ScoreOption {
    static let output = Option(
        "output", letter: "o", value: "FILE", "where predictions go (default: INPUT's name with .scored)")
    static let format = Option("format", value: "FORMAT", "of INPUT: csv or jsonl (default: by its ending)")
    static let outputFormat = Option("output-format", value: "FORMAT", "of OUTPUT (default: by its ending)")
    static let delimiter = Option("delimiter", value: "CHARACTER", "of CSV: , ; or tab (default: ,)")
    static let header = Option("header", "the first row of CSV names the columns, whatever it looks like")
    static let noHeader = Option("no-header", "it does not")
    static let columns = Option(
        "columns", value: "LIST", "input columns that go to OUTPUT: all (default), none, or names with commas")
    static let id = Option("id", value: "COLUMN", "a column that only identifies rows; may be repeated")
    static let probabilities = Option("probabilities", "also the score of each class")
    static let maxErrors = Option("max-errors", value: "N|P%", "stop when more rows are bad (default: never)")
    static let force = Option("force", "replace OUTPUT if it is there")
    static let detach = Option("detach", "by the host: print the job's id and do not wait for it")

    static let all = [
        output, format, outputFormat, delimiter, header, noHeader, columns, id, probabilities, maxErrors, force, detach,
    ]

    static func spec(_ call: Call, input: String) throws -> JobSpec {
        var spec = JobSpec(input: input, output: call.value(of: output))
        guard input != "-" || spec.output != nil else {
            throw UsageError("-o OUTPUT is missing: the standard input has no name to make one of")
        }
        guard spec.output != "-" else {
            throw UsageError("-o must name a file: it takes its name when it is complete, which a pipe cannot")
        }
        spec.format = try call.value(of: format, as: "csv or jsonl", JobSpec.Format.init(rawValue:))
        spec.outputFormat = try call.value(of: outputFormat, as: "csv or jsonl", JobSpec.Format.init(rawValue:))
        if let text = call.value(of: delimiter) {
            let named = ["tab": "\t", "\\t": "\t"][text] ?? text
            guard named.utf8.count == 1, let byte = named.utf8.first, JobOptions.delimiters.contains(byte) else {
                throw UsageError("--delimiter must be , ; or tab, got \"\(text)\"")
            }
            spec.delimiter = byte
        }
        guard !(call.has(header) && call.has(noHeader)) else {
            throw UsageError("--header and --no-header exclude each other")
        }
        if call.has(header) { spec.header = true }
        if call.has(noHeader) { spec.header = false }
        switch call.value(of: columns) {
        case nil: break
        case "all"?: spec.columns = .all
        case "none"?: spec.columns = JobSpec.Columns.none
        case let names?: spec.columns = .named(names.split(separator: ",").map(String.init))
        }
        spec.ids = call.arguments.values(of: id.name.long)
        spec.probabilities = call.has(probabilities)
        spec.maxErrors = try call.value(
            of: maxErrors, as: "a number of rows or a percentage", JobSpec.ErrorLimit.init(text:))
        spec.force = call.has(force)
        return spec
    }
}

extension Call {
    /// The file in the home's drop folder that a target means when no host runs; nil when there is none.
    func droppedFile(of target: Target) throws -> String? {
        let wanted: (FunctionName, VersionNumber?)
        switch target {
        case .function(let name): wanted = (name, nil)
        case .version(let id): wanted = (id.function, id.number)
        case .tag, .file: return nil
        }
        let plugins = home.folder("plugins")
        guard let entries = try? plugins.list() else { return nil }
        var best: (number: VersionNumber?, name: String)?
        for entry in entries {
            switch DropName(entry.name) {
            case .version(let id, _) where id.function == wanted.0 && (wanted.1 == nil || wanted.1 == id.number):
                if let number = best?.number, number > id.number { continue }
                best = (id.number, entry.name)
            case .unversioned(let function, _) where function == wanted.0 && wanted.1 == nil:
                if best == nil { best = (nil, entry.name) }
            default: continue
            }
        }
        return best.map { plugins.path($0.name) }
    }
}

private func scoreHere(_ file: String, _ spec: JobSpec, _ call: Call) throws -> Int32 {
    guard !call.has(ScoreOption.detach) else { throw UsageError("--detach needs a running host") }
    let progress = JobProgress(call)
    let job = try call.host.score(file: file, spec, home: call.value(of: .home)) { progress.show($0) }
    return try progress.end(job)
}

private func scoreByHost(_ target: String, _ spec: JobSpec, _ call: Call) throws -> Int32 {
    let (function, version) = try call.hostedTarget(target)
    var spec = spec
    guard spec.input != "-" else {
        throw UsageError("a host scores files, not the standard input: name a model file as TARGET to score it here")
    }
    spec.input = try absolute(spec.input)
    spec.output = try absolute(spec.outputPath)
    let path = version.map { "/functions/\(function)/versions/\($0)/jobs" } ?? "/functions/\(function)/jobs"
    let job = try call.change("POST", path, spec.json).json()
    guard let id = job["id"]?.stringValue else { throw Failure("the host's answer names no job") }
    if call.has(ScoreOption.detach) {
        try call.print(call.has(.json) ? job.pretty : id)
        return 0
    }
    return try follow(id, call)
}

/// Shows a job's progress until it is over; the exit code.
func follow(_ id: String, _ call: Call) throws -> Int32 {
    let progress = JobProgress(call)
    while true {
        let job = try call.ask(ClientRequest("GET", "/jobs/\(id)")).json()
        guard let state = job["state"]?.stringValue.flatMap(JobState.init(rawValue:)), state.isOver else {
            progress.show(job)
            pause(for: .milliseconds(200))
            continue
        }
        return try progress.end(job)
    }
}

/// The path from the root on, with the links of its folder resolved, as the host knows its own folders.
private func absolute(_ path: String) throws -> String {
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    let folder = parts.dropLast().joined(separator: "/")
    let name = String(parts.last ?? "")
    if path.hasPrefix("/") {
        return ((try? Folder(folder.isEmpty ? "/" : folder).absolute())?.path(name)) ?? path
    }
    let here = try Folder(".").absolute()
    guard !folder.isEmpty else { return here.path(name) }
    return ((try? here.folder(folder).absolute())?.path(name)) ?? here.path(path)
}
