public import RoostJSON

/// What somebody wants scored: the request for a job, as a person, a program or a trigger writes it.
@dynamicMemberLookup
public struct JobSpec: Hashable, Sendable {
    public typealias Format = JobOptions.Format
    public typealias Columns = JobOptions.Columns
    public typealias ErrorLimit = JobOptions.ErrorLimit

    /// Where the rows are; relative to the data folder, or absolute below one.
    public var input: String
    /// Where predictions go; nil: beside the input, as `NAME.scored.ENDING`.
    public var output: String?
    public var options = JobOptions()
    /// An output that is there already is replaced.
    public var force = false

    public init(input: String, output: String? = nil, _ options: JobOptions = JobOptions()) {
        self.input = input
        self.output = output
        self.options = options
    }

    /// An option.
    public subscript<Value>(dynamicMember option: WritableKeyPath<JobOptions, Value>) -> Value {
        get { options[keyPath: option] }
        set { options[keyPath: option] = newValue }
    }

    /// The keys of its JSON form.
    public static let keys = ["input", "output"] + JobOptions.keys + ["force"]

    /// Reads the members of an object that are a job's; others are the caller's to know.
    /// - Throws: with the place of what cannot be understood.
    public init(_ object: JSONCursor) throws(JSONError) {
        self.init(
            input: try object.required("input").string(), output: try object["output"]?.string(), try JobOptions(object)
        )
        force = try object["force"]?.bool() ?? false
    }

    /// As it can be read again; what has its default is left out.
    public var json: JSONValue {
        var object = JSONObject([("input", .string(input))])
        object["output"] = output.map { .string($0) }
        for (key, value) in options.members { object[key] = value }
        if force { object["force"] = true }
        return .object(object)
    }

    // MARK: what follows from names

    /// The format of the input, by option or ending.
    public var inputFormat: Format { options.format ?? Self.format(ofName: input) ?? .csv }
    /// That of the output, by option or ending, else the input's.
    public var writtenFormat: Format {
        options.outputFormat ?? output.flatMap { Self.format(ofName: $0) } ?? inputFormat
    }
    public var isInputCompressed: Bool { input.hasSuffix(".gz") }
    public var isOutputCompressed: Bool { outputPath.hasSuffix(".gz") }

    /// Where predictions go.
    public var outputPath: String {
        if let output { return output }
        var stem = input[...]
        var ending = ""
        for suffix in [".gz", ".csv", ".tsv", ".jsonl", ".ndjson"] where stem.hasSuffix(suffix) {
            stem = stem.dropLast(suffix.count)
            ending = suffix + ending
        }
        return "\(stem).scored\(ending.isEmpty ? ".\(inputFormat.rawValue)" : ending)"
    }

    private static func format(ofName name: String) -> Format? {
        let plain = name.hasSuffix(".gz") ? name.dropLast(3) : name[...]
        if plain.hasSuffix(".csv") || plain.hasSuffix(".tsv") || plain.hasSuffix(".txt") { return .csv }
        if plain.hasSuffix(".jsonl") || plain.hasSuffix(".ndjson") { return .jsonl }
        return nil
    }
}
