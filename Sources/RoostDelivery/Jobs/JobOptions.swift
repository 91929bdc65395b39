internal import RoostBasics
public import RoostJSON

/// How a file is scored, whoever asks for it: a person, a program, or a trigger of the manifest.
public struct JobOptions: Hashable, Sendable {
    /// How a file is written.
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

    /// Of the input; nil: by its name.
    public var format: Format?
    /// Of the output; nil: by its name, else the input's.
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
    /// Nil: any number of bad rows.
    public var maxErrors: ErrorLimit?

    public init() {}

    /// What may stand between the fields of CSV.
    public static let delimiters = Array(",;\t".utf8)
    fileprivate static let columnsMax = 10_000

    /// The keys of its JSON form.
    public static let keys = [
        "format", "output_format", "delimiter", "header", "columns", "id", "probabilities", "max_errors",
    ]

    /// Reads the members of an object that are options; others are the caller's to know.
    /// - Throws: with the place of what cannot be understood.
    public init(_ object: JSONCursor) throws(JSONError) {
        format = try object["format"]?.word()
        outputFormat = try object["output_format"]?.word()
        if let delimiter = object["delimiter"] { self.delimiter = try delimiter.delimiter() }
        header = try object["header"]?.bool()
        columns = try object["columns"]?.columns()
        ids = try object["id"]?.names() ?? []
        probabilities = try object["probabilities"]?.bool() ?? false
        maxErrors = try object["max_errors"]?.errorLimit()
    }

    /// As it can be read again; what has its default is left out.
    public var members: [(key: String, value: JSONValue)] {
        var object = JSONObject()
        object["format"] = format.map { .string($0.rawValue) }
        object["output_format"] = outputFormat.map { .string($0.rawValue) }
        if delimiter != UInt8(ascii: ",") {
            object["delimiter"] = .string(String(decoding: [delimiter], as: UTF8.self))
        }
        object["header"] = header.map { .bool($0) }
        switch columns {
        case .all?: object["columns"] = "all"
        case JobOptions.Columns.none?: object["columns"] = "none"
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
        return object.members.map { ($0.key, $0.value) }
    }
}

extension JobOptions.ErrorLimit {
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
    fileprivate func delimiter() throws(JSONError) -> UInt8 {
        let bytes = Array(try string().utf8)
        guard bytes.count == 1, JobOptions.delimiters.contains(bytes[0]) else {
            throw error("\(path) must be one of , ; and tab, got \(value.compact)")
        }
        return bytes[0]
    }

    /// One name, or a list of different ones.
    fileprivate func names() throws(JSONError) -> [String] {
        var names: [String] = []
        let elements = value.stringValue == nil ? try elements() : [self]
        guard elements.count <= JobOptions.columnsMax else {
            throw error("\(path) has more than \(JobOptions.columnsMax) columns")
        }
        var seen: Set<String> = []
        for element in elements {
            let name = try element.string()
            guard !name.isEmpty else { throw element.error("\(element.path) must name a column") }
            guard seen.insert(name).inserted else { throw element.error("\(element.path): \"\(name)\" is there twice") }
            names.append(name)
        }
        return names
    }

    fileprivate func columns() throws(JSONError) -> JobOptions.Columns {
        switch value {
        case .string("all"): return .all
        case .string("none"): return JobOptions.Columns.none
        case .array: return .named(try names())
        case .null, .bool, .integer, .real, .string, .object:
            throw error("\(path) must be \"all\", \"none\" or a list of columns, got \(value.compact)")
        }
    }

    fileprivate func errorLimit() throws(JSONError) -> JobOptions.ErrorLimit {
        guard let text = value.stringValue else { return .rows(try integer(in: 0...Int.max)) }
        guard text.hasSuffix("%"), let limit = JobOptions.ErrorLimit(text: text) else {
            throw error("\(path) must be a number of rows or a percentage like \"0.5%\", got \"\(text)\"")
        }
        return limit
    }
}
