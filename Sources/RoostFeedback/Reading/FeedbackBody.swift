public import RoostBasics
internal import RoostJSON

/// One label that somebody sent.
public struct FeedbackItem: Hashable, Sendable {
    /// The item's place among those of the body, or its line, from 1.
    public let place: Int
    /// Names the request: its v2 `id`, else its header `Roost-Key`, else the `X-Request-Id` of its reply.
    public let key: String
    /// The row of that request, from 0.
    public let row: Int
    public let label: SentLabel
}

/// Why an item was not used.
public struct FeedbackProblem: Hashable, Sendable {
    public let place: Int
    /// As far as it could be read.
    public let key: String?
    public let row: Int?
    public let reason: String

    public init(place: Int, key: String? = nil, row: Int? = nil, reason: String) {
        self.place = place
        self.key = key
        self.row = row
        self.reason = reason
    }
}

/// The body of a call that brings labels: what can be tried, and what is wrong in itself.
public struct FeedbackBody: Hashable, Sendable {
    public enum Format: Hashable, Sendable { case json, jsonLines, csv }

    public internal(set) var items: [FeedbackItem] = []
    public internal(set) var problems: [FeedbackProblem] = []

    /// Labels that one call may bring: about as many as are joined in a second or two.
    public static let itemsMax = 100_000
    static let keyBytesMax = 1024
    static let rowMax = 1 << 30

    /// - Throws: `invalidArgument` when the body as a whole cannot be read, `tooLarge` for more than `itemsMax` items.
    public init(_ bytes: [UInt8], as format: Format) throws(RoostError) {
        switch format {
        case .json: try readJSON(bytes)
        case .jsonLines: try readLines(bytes)
        case .csv: try readCSV(bytes)
        }
        guard items.count + problems.count > 0 else {
            throw RoostError(.invalidArgument, "there are no labels in the body")
        }
    }

    /// To be called before each item: what is too much is not even read.
    func checkRoom() throws(RoostError) {
        guard items.count + problems.count < Self.itemsMax else {
            throw RoostError(.tooLarge, "the body has more than \(Self.itemsMax) labels, the most in one call")
        }
    }

    /// An object, or an array of them.
    private mutating func readJSON(_ bytes: [UInt8]) throws(RoostError) {
        let value: JSONValue
        do throws(JSONError) { value = try JSONValue(parsing: bytes, source: "body") } catch {
            throw error.asRoostError
        }
        switch value {
        case .object: read(value, at: 1)
        case .array(let values):
            for (index, value) in values.enumerated() {
                try checkRoom()
                read(value, at: index + 1)
            }
        case .null, .bool, .integer, .real, .string:
            throw RoostError(.invalidArgument, "expected an object or an array of objects, got \(value.kind)")
        }
    }

    /// One object a line; empty lines do not count.
    private mutating func readLines(_ bytes: [UInt8]) throws(RoostError) {
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where line.contains(where: { $0 > 0x20 }) {
            try checkRoom()
            do throws(JSONError) {
                read(try JSONValue(parsing: Array(line), source: "line"), at: index + 1)
            } catch {
                problems.append(FeedbackProblem(place: index + 1, reason: "no JSON: \(error.message)"))
            }
        }
    }

    private mutating func read(_ value: JSONValue, at place: Int) {
        var problem = FeedbackProblem(place: place, reason: "")
        do throws(RoostError) {
            guard let object = value.objectValue else { throw wrong("expected an object, got \(value.kind)") }
            for key in object.keys where !Self.names.contains(key) {
                throw wrong("unknown key \"\(key)\": there is id (or key), row, label")
            }
            let key = try Self.key(object)
            problem = FeedbackProblem(place: place, key: key, reason: "")
            let row = try Self.row(object["row"])
            problem = FeedbackProblem(place: place, key: key, row: row, reason: "")
            guard let label = object["label"] else { throw wrong("it has no \"label\"") }
            items.append(FeedbackItem(place: place, key: key, row: row, label: try Self.label(label)))
        } catch {
            problems.append(
                FeedbackProblem(place: place, key: problem.key, row: problem.row, reason: error.message))
        }
    }

    static let names = ["id", "key", "row", "label"]

    private static func key(_ object: JSONObject) throws(RoostError) -> String {
        guard let value = object["id"] ?? object["key"], object["id"] == nil || object["key"] == nil else {
            throw wrong("expected \"id\" or \"key\", one of them")
        }
        switch value {
        case .string(let text): return try checked(key: text)
        case .integer(let number): return String(number)
        case .null, .bool, .real, .array, .object: throw wrong("id: expected a string, got \(value.kind)")
        }
    }

    static func checked(key: String) throws(RoostError) -> String {
        guard !key.isEmpty, key.utf8.count <= keyBytesMax else {
            throw wrong("id: expected 1 to \(keyBytesMax) bytes, got \(key.utf8.count)")
        }
        return key
    }

    private static func row(_ value: JSONValue?) throws(RoostError) -> Int {
        guard let value else { return 0 }
        guard let row = value.intValue, (0...rowMax).contains(row) else {
            throw wrong("row: expected the row's place in its request, from 0")
        }
        return row
    }

    private static func label(_ value: JSONValue) throws(RoostError) -> SentLabel {
        switch value {
        case .integer(let number): return .number(Double(number))
        case .real(let number): return .number(number)
        case .bool(let truth): return .truth(truth)
        case .string(let text): return .text(text)
        case .null, .array, .object: throw wrong("label: expected a number, text, true or false, got \(value.kind)")
        }
    }
}

/// What is wrong with one item.
func wrong(_ reason: String) -> RoostError { RoostError(.invalidArgument, reason) }
