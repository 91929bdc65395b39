public import RoostBasics
public import RoostDelivery
internal import RoostEvaluation
internal import RoostFiles
internal import RoostFunctions
public import RoostJSON
internal import RoostLoop

/// Scores one file with one model file, without a host: `roost score ./credit@3.ubj rows.csv`.
///
/// How far it has come is kept in `OUTPUT.job` beside the output until it is done, so that the same command goes on
/// where it was killed.
/// - Parameters:
///   - spec: paths are of the machine; input `-` is the standard input, which can be read once only.
///   - onProgress: hears how far it is, a few times a second, as `GET /jobs/{id}` would say it.
/// - Returns: the job as it ended.
/// - Throws: when it could not begin.
public func score(
    file: String, _ spec: JobSpec, options: ServeOptions, onProgress: @escaping (JSONValue) -> Void
) throws(RoostError) -> JSONValue {
    let bench = try Workbench(options)
    defer { bench.close() }
    do {
        return try FileScoring(file, spec, bench).run(onProgress)
    } catch let error as RoostError {
        throw error
    } catch {
        throw RoostError(.system, "\(error)")
    }
}

/// One such run.
private final class FileScoring {
    private let bench: Workbench
    private let store: JobStore
    private let job: JobRun
    private let output: JobPlaces.Place
    private let storeFile: JobPlaces.Place
    /// Held as long as this run may write.
    private let lock: FileDescriptor
    private var outcome: JobRecord?

    private static let jobName = "local"
    private static let progressPeriod = Instant.Span.milliseconds(200)

    init(_ file: String, _ spec: JobSpec, _ bench: Workbench) throws {
        self.bench = bench
        output = try Self.place(spec.outputPath)
        storeFile = output.sibling("\(output.name).job")
        let input = try Self.input(spec)
        // Before the model is loaded: what is in the way of the output is found out at once.
        // Beside a job that is unfinished it may be that job's own, from the moment before it could say so.
        if !spec.force, try output.folder.status(of: output.name) != nil,
            try storeFile.folder.status(of: storeFile.name) == nil
        {
            throw RoostError(.conflict, "\(spec.outputPath) is there already: choose another output, or say --force")
        }
        let proven = try bench.prove(file, examples: nil)
        bench.processes.kill(proven.template)
        let artifact = proven.artifact
        lock = try FileDescriptor(appending: output.folder.path(JobWriter.outputName(output, Self.jobName)))
        guard lock.lock() else {
            throw RoostError(.conflict, "another `roost score` writes \(spec.outputPath) now")
        }
        store = try JobStore(path: storeFile.full, on: bench.loop)
        let label = bench.label(of: file)
        guard let id = VersionID(label) else { throw RoostError(.system, "\(label) is no version") }
        var record = JobRecord(
            id: Self.jobName, function: id.function, version: id.number,
            artifact: "\(artifact.runtime):\(artifact.digest)", spec: spec, origin: "cli", created: Loop.unixSeconds)
        // The same job would fail again: only a new one makes sense.
        if case .place = input, let known = try store.records().records.first, known.state != .failed {
            guard known.spec == spec, known.artifact == record.artifact else {
                throw RoostError(
                    .conflict,
                    "\(storeFile.full) is of an unfinished job with other settings or another model: remove it to begin anew"
                )
            }
            record = known
        }
        var settings = LoadSettings()
        settings.examplesMax = 0
        let files = JobFiles(
            id: Self.jobName, spec, input: input, output: output, threshold: .nan,
            card: artifact.card)
        let crew = JobCrew(
            artifact, label: label, settings, limit: bench.options.cores, on: bench.loop, bench.processes,
            borrowing: { PlaceLoan() })
        var ended: (JobRecord) -> Void = { _ in }
        job = try JobRun(record, files, crew, store, timeout: .seconds(30), on: bench.loop) { ended($0) }
        ended = { [unowned self] record in
            outcome = record
            bench.loop.stop()
        }
    }

    func run(_ onProgress: @escaping (JSONValue) -> Void) throws -> JSONValue {
        let clock = try Timer(on: bench.loop)
        try clock.start(after: Self.progressPeriod, every: Self.progressPeriod) { [unowned self] in
            onProgress(job.status)
        }
        job.begin()
        if outcome == nil { bench.loop.run() }
        clock.close()
        store.close()
        guard let outcome else { throw RoostError(.system, "the job ended without an outcome") }
        let isKept = outcome.checkpoint.chunks > 0
        if outcome.state == .failed, isKept { try output.folder.remove(JobWriter.outputName(output, Self.jobName)) }
        if outcome.state == .done || outcome.state == .failed || !isKept {
            for end in ["", "-wal", "-shm"] { try storeFile.folder.remove(storeFile.name + end) }
        }
        return outcome.json
    }

    /// The folder's links are the user's own.
    private static func place(_ path: String) throws(RoostError) -> JobPlaces.Place {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        let folder = parts.count > 1 ? parts.dropLast().joined(separator: "/") : "."
        return JobPlaces.Place(
            root: try Folder(folder.isEmpty ? "/" : folder).absolute(), path: String(parts.last ?? ""))
    }

    private static func input(_ spec: JobSpec) throws(RoostError) -> JobFiles.Input {
        if spec.input == "-" { return .stream(FileDescriptor.standardInput, name: "the standard input") }
        let place = try place(spec.input)
        if let status = try place.folder.status(of: place.name), !status.isRegular {
            return .stream(try FileDescriptor(streaming: place.full), name: spec.input)
        }
        return .place(place)
    }
}
