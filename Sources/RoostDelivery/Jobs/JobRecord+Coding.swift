internal import RoostBasics
public import RoostJSON

/// How a job is kept: everything but the report, which is bytes.
extension JobRecord {
    /// As it can be read again.
    public var stored: JSONValue {
        var object = JSONObject([
            ("id", .string(id)), ("function", .string(function.text)), ("version", .string(version.description)),
            ("artifact", .string(artifact)), ("spec", spec.json), ("origin", .string(origin)),
            ("state", .string(state.rawValue)), ("created", .integer(created)),
            ("input_offset", .integer(checkpoint.inputOffset)), ("line", .integer(Int(clamping: checkpoint.line))),
            ("chunks", .integer(checkpoint.chunks)), ("output_bytes", .integer(checkpoint.outputBytes)),
            ("error_bytes", .integer(checkpoint.errorBytes)), ("rows", .integer(checkpoint.rows)),
            ("bad_rows", .integer(checkpoint.badRows)), ("input_digest", .string(checkpoint.inputDigest)),
            ("input_state", .string(checkpoint.inputState)),
        ])
        object["key"] = key.map { .string($0) }
        object["reason"] = reason.map { .string($0) }
        object["started"] = started.map { .integer($0) }
        object["ended"] = ended.map { .integer($0) }
        object["output_digest"] = outputDigest.map { .string($0) }
        return .object(object)
    }

    /// Reads what `stored` wrote.
    public init(_ document: JSONDocument, report: [UInt8]) throws(JSONError) {
        let root = document.root
        let name = try root.required("function")
        guard let function = FunctionName(try name.string()) else { throw name.error("no function is called so") }
        self.init(
            id: try root.required("id").string(), function: function,
            version: try root.required("version").versionNumber(), artifact: try root.required("artifact").string(),
            spec: try JobSpec(root.required("spec")), origin: try root.required("origin").string(),
            key: try root["key"]?.string(), created: try root.required("created").integer(in: 0...Int.max))
        let word = try root.required("state")
        guard let state = JobState(rawValue: try word.string()) else { throw word.error("there is no such state") }
        self.state = state
        reason = try root["reason"]?.string()
        started = try root["started"]?.integer(in: 0...Int.max)
        ended = try root["ended"]?.integer(in: 0...Int.max)
        outputDigest = try root["output_digest"]?.string()
        checkpoint.inputOffset = try root.required("input_offset").integer(in: 0...Int.max)
        checkpoint.line = UInt64(try root.required("line").integer(in: 1...Int.max))
        checkpoint.chunks = try root.required("chunks").integer(in: 0...Int.max)
        checkpoint.outputBytes = try root.required("output_bytes").integer(in: 0...Int.max)
        checkpoint.errorBytes = try root.required("error_bytes").integer(in: 0...Int.max)
        checkpoint.rows = try root.required("rows").integer(in: 0...Int.max)
        checkpoint.badRows = try root.required("bad_rows").integer(in: 0...Int.max)
        checkpoint.inputDigest = try root.required("input_digest").string()
        checkpoint.inputState = try root.required("input_state").string()
        checkpoint.report = report
    }
}
