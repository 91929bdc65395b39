internal import RoostBasics
internal import RoostClient
internal import RoostFiles
internal import RoostFunctions
internal import RoostShell

/// A page of the command line: `roost predict`.
let predictCommand = Command(
    name: "predict", operands: "TARGET [FILE|-]", summary: "ask a model once",
    details: [
        """
        Rows come from FILE, or from the standard input: JSON ([[1, 2], [3, 4]] or [{"age": 41}]) or CSV, told apart \
        by the file's ending, else by the first character. The answer goes to the standard output.
        """,
        "A TARGET that is a file (./credit@3.ubj) is loaded in a sandbox of its own: no host is needed.",
    ],
    options: Option.host + [acceptOption],
    examples: [
        Example("roost predict credit rows.csv", "the version that traffic chooses"),
        Example("echo '[[17.9, 10.4]]' | roost predict credit@3", "one version"),
        Example("roost predict credit@canary rows.csv", "the version on trial"),
        Example("roost predict ./credit.ubj rows.json", "a file, without a host"),
        Example("roost predict credit rows.csv --accept csv > answers.csv", "CSV in, CSV out"),
    ],
    run: { call in
        let operands = try call.operands(1...2)
        let accept = try call.value(of: acceptOption, as: "json or csv", { MediaType(rawValue: $0) })
        let target = try call.target(operands[0])
        let (body, type) = try readRows(call, operands.dropFirst().first)
        let answer = try answer(call, target, body, type, accept)
        guard (200..<300).contains(answer.status) else { throw Failure(answer.refusal) }
        try call.print(answer.body)
        return 0
    })

private let acceptOption = Option("accept", value: "TYPE", "the answer as json (default) or csv")

/// What rows are written as.
enum MediaType: String {
    case json
    case csv

    var text: String {
        switch self {
        case .json: "application/json"
        case .csv: "text/csv"
        }
    }

    /// JSON begins with a bracket, CSV does not.
    init(of body: [UInt8], file: String?) {
        if let file, file.lowercased().hasSuffix(".csv") {
            self = .csv
        } else if let file, file.lowercased().hasSuffix(".json") {
            self = .json
        } else {
            let first = body.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
            self = first == UInt8(ascii: "[") || first == UInt8(ascii: "{") ? .json : .csv
        }
    }
}

/// The rows in `file`, or from the standard input when it is `-` or missing.
func readRows(_ call: Call, _ file: String?) throws -> ([UInt8], MediaType) {
    guard let file, file != "-" else {
        guard file == "-" || !call.surroundings.isTerminal(.input) else {
            throw UsageError("the rows are missing: name a file, or - to type them")
        }
        let body = try call.surroundings.readInput()
        return (body, MediaType(of: body, file: nil))
    }
    let body = try readWhole(file)
    return (body, MediaType(of: body, file: file))
}

/// The whole file at `path`.
func readWhole(_ path: String) throws -> [UInt8] {
    let file = try FileDescriptor(reading: path)
    return try file.read(file.status().size, at: 0)
}

private func answer(
    _ call: Call, _ target: Target, _ body: [UInt8], _ type: MediaType, _ accept: MediaType?
) throws -> ClientReply {
    let path: String
    switch target {
    case .function(let name): path = "/functions/\(name)/predict"
    case .version(let version): path = "/functions/\(version.function)/versions/\(version.number)/predict"
    case .tag(let function, let tag): path = "/functions/\(function)/versions/\(tag)/predict"
    case .file(let file):
        let answer = try call.host.predict(
            file: file, body: body, contentType: type.text, accept: accept?.text, home: call.value(of: .home))
        return ClientReply(status: answer.status, fields: [], body: answer.body)
    }
    var headers = [HeaderField("Content-Type", type.text)]
    if let accept { headers.append(HeaderField("Accept", accept.text)) }
    // No limit here: the function's own timeout ends it with 504.
    return try call.send(ClientRequest("POST", path, headers: headers, body: body), patience: nil)
}
