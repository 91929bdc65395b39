public import RoostJSON

/// What somebody wants scored: the request for a job, as a person, a program or a trigger writes it.
public struct JobSpec: Hashable, Sendable {
    /// How a file is written. Nil stands for: by its name.
    public enum Format: String, Hashable, Sendable, CaseIterable { case csv, jsonl }

    /// Which input columns come before the predictions in the output.
    public enum Columns: Hashable, Sendable {
        case all, none
        case named([String])
    }

    /// When a job stops because of bad rows.
    public enum ErrorLimit: Hashable, Sendable {
        case rows(Int)
        /// Of the rows so far, once there are 1,000.
        case percent(Double)
    }

    /// Where the rows are; relative to the data folder, or absolute below one.
    public var input: String
    /// Where predictions go; nil: beside the input, as `NAME.scored.ENDING`.
    public var output: String?
    public var format: Format?
    public var outputFormat: Format?
    /// Of CSV input and output.
    public var delimiter: UInt8 = UInt8(ascii: ",")
    /// Whether the first record of CSV names the columns; nil: it does when one of its fields is no number.
    public var header: Bool?
    /// Nil: all.
    public var columns: Columns?
    /// Columns that only identify a row.
    public var ids: [String] = []
    /// Also the probabilities of all classes, where the model gives them.
    public var probabilities = false
    public var maxErrors: ErrorLimit?
    /// An output that is there already is replaced.
    public var force = false

    public init(input: String, output: String? = nil) {
        self.input = input
        self.output = output
    }

    /// What may stand between the fields of CSV.
    public static let delimiters = Array(",;\t".utf8)

    /// The keys of its JSON form.
    public static let keys = [
        "input", "output", "format", "output_format", "delimiter", "header", "columns", "id", "probabilities",
        "max_errors", "force",
    ]

    /// Reads the members of an object that are a job's; others are the caller's to know.
    /// - Throws: with the place of what cannot be understood.
    public init(_ object: JSONCursor) throws(JSONError) {
        self.init(input: try object.required("input").string(), output: try object["output"]?.string())
        try readOptions(object)
    }

    /// Everything but `input` and `output`.
    public mutating func readOptions(_ object: JSONCursor) throws(JSONError) {
        format = try object["format"]?.format()
        outputFormat = try object["output_format"]?.format()
        if let delimiter = object["delimiter"] { self.delimiter = try delimiter.delimiter() }
        header = try object["header"]?.bool()
        columns = try object["columns"]?.columns()
        ids = try object["id"]?.names() ?? []
        probabilities = try object["probabilities"]?.bool() ?? false
        maxErrors = try object["max_errors"]?.errorLimit()
        force = try object["force"]?.bool() ?? false
    }

    /// As it can be read again; what has its default is left out.
    public var json: JSONValue {
        var object = JSONObject([("input", .string(input))])
        object["output"] = output.map { .string($0) }
        object["format"] = format.map { .string($0.rawValue) }
        object["output_format"] = outputFormat.map { .string($0.rawValue) }
        if delimiter != UInt8(ascii: ",") {
            object["delimiter"] = .string(String(decoding: [delimiter], as: UTF8.self))
        }
        object["header"] = header.map { .bool($0) }
        switch columns {
        case .all?: object["columns"] = "all"
        case JobSpec.Columns.none?: object["columns"] = "none"
        case .named(let names)?: object["columns"] = .array(names.map { .string($0) })
        case nil: break
        }
        if !ids.isEmpty { object["id"] = .array(ids.map { .string($0) }) }
        if probabilities { object["probabilities"] = true }
        switch maxErrors {
        case .rows(let rows)?: object["max_errors"] = .integer(rows)
        case .percent(let percent)?: object["max_errors"] = .string("\(percent)%")
        case nil: break
        }
        if force { object["force"] = true }
        return .object(object)
    }

    // MARK: what follows from names

    /// The format of the input, by option or ending.
    public var inputFormat: Format { format ?? Self.format(ofName: input) ?? .csv }
    /// That of the output, by option or ending, else the input's.
    public var writtenFormat: Format { outputFormat ?? output.flatMap { Self.format(ofName: $0) } ?? inputFormat }
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

extension JobSpec.ErrorLimit {
    /// `100` or `5%`; nil for anything else.
    public init?(text: some StringProtocol) {
        if text.hasSuffix("%") {
            guard let percent = Double(String(text.dropLast())), (0...100).contains(percent) else { return nil }
            self = .percent(percent)
        } else {
            guard let rows = Int(String(text)), rows >= 0 else { return nil }
            self = .rows(rows)
        }
    }

    /// Whether so many bad rows are too many.
    public func isExceeded(bad: Int, of rows: Int) -> Bool {
        switch self {
        case .rows(let limit): bad > limit
        case .percent(let limit): rows >= 1_000 && Double(bad) > Double(rows) * limit / 100
        }
    }

    /// At the end the percentage counts however few rows there were.
    public func isExceededAtEnd(bad: Int, of rows: Int) -> Bool {
        if case .percent(let limit) = self { return Double(bad) > Double(rows) * limit / 100 }
        return isExceeded(bad: bad, of: rows)
    }
}

extension JSONCursor {
    fileprivate func format() throws(JSONError) -> JobSpec.Format {
        guard let format = JobSpec.Format(rawValue: try string()) else {
            throw error("the formats are csv and jsonl")
        }
        return format
    }

    fileprivate func delimiter() throws(JSONError) -> UInt8 {
        let bytes = Array(try string().utf8)
        guard bytes.count == 1, JobSpec.delimiters.contains(bytes[0]) else {
            throw error("the delimiter is one of , ; and tab")
        }
        return bytes[0]
    }

    fileprivate func names() throws(JSONError) -> [String] {
        if case .string(let name) = value { return [name] }
        var names: [String] = []
        for element in try elements() { names.append(try element.string()) }
        return names
    }

    fileprivate func columns() throws(JSONError) -> JobSpec.Columns {
        switch value {
        case "all": return .all
        case "none": return JobSpec.Columns.none
        case .array: return .named(try names())
        default: throw error("columns are \"all\", \"none\" or a list of names")
        }
    }

    fileprivate func errorLimit() throws(JSONError) -> JobSpec.ErrorLimit {
        if case .string(let text) = value, text.hasSuffix("%"), let limit = JobSpec.ErrorLimit(text: text) {
            return limit
        }
        return .rows(try integer(in: 0...Int.max))
    }
}
