public import RoostBasics
internal import RoostJSON

/// The JSON event format 1.0.2.
extension CloudEvent {
    /// One event: the object that `text` is.
    /// - Throws: `invalidArgument`, naming the attribute.
    public init(json text: [UInt8]) throws(RoostError) {
        guard String(validating: text, as: UTF8.self) != nil else { throw Self.noJSON("it is not UTF-8") }
        try self.init(checked: text, in: 0..<text.count)
    }

    /// All events of a batch: the array that `text` is.
    /// - Throws: `invalidArgument`, saying which event; `tooLarge` for more than `countMax`.
    public static func batch(json text: [UInt8], countMax: Int) throws(RoostError) -> [CloudEvent] {
        guard String(validating: text, as: UTF8.self) != nil else { throw noJSON("it is not UTF-8") }
        guard let elements = JSONOutline.elements(text) else { throw noJSON("a batch is a JSON array of objects") }
        guard elements.count <= countMax else {
            throw RoostError(.tooLarge, "the batch has \(elements.count) events, the most is \(countMax)")
        }
        var events: [CloudEvent] = []
        for (index, range) in elements.enumerated() {
            do { events.append(try CloudEvent(checked: text, in: range)) } catch {
                throw RoostError(error.code, "event \(index + 1) of the batch: \(error.message)")
            }
        }
        return events
    }

    /// - Parameter text: known to be UTF-8.
    private init(checked text: [UInt8], in range: Range<Int>) throws(RoostError) {
        guard let members = JSONOutline.members(text, in: range) else { throw Self.noJSON("it is no JSON object") }
        self.init(id: "", source: "", type: "")
        var names: Set<String> = [], json: Range<Int>?, base64: String?
        for member in members {
            guard let name = Self.scalar(text, member.key)?.stringValue else { throw Self.noJSON("a key is no text") }
            guard names.insert(name).inserted else { throw Self.refusal(name, "is there twice") }
            if name == "data" {
                json = member.value
            } else {
                guard let value = Self.scalar(text, member.value) else {
                    throw Self.refusal(name, "must be a string, an integer of 32 bits or a boolean")
                }
                switch value {
                case .null: names.remove(name)  // as if it were not there, says the format
                case .string(let content) where name == "data_base64": base64 = content
                case .string(let content): try set(name, to: .string(content))
                case .bool(let isTrue): try set(name, to: .boolean(isTrue))
                case .integer(let number) where Int32(exactly: number) != nil:
                    try set(name, to: .integer(Int32(number)))
                case .integer, .real, .array, .object:
                    throw Self.refusal(name, "must be a string, an integer of 32 bits or a boolean")
                }
            }
        }
        try Self.check(names)
        try setData(text, json, base64)
    }

    private mutating func setData(_ text: [UInt8], _ json: Range<Int>?, _ base64: String?) throws(RoostError) {
        if let base64 {
            guard json == nil else {
                throw RoostError(.invalidArgument, "a CloudEvent has data or data_base64, not both")
            }
            guard let bytes = Base64.decode(base64) else {
                throw RoostError(.invalidArgument, "data_base64 is not Base64")
            }
            data = .binary(bytes)
        } else if let json, !text[json].elementsEqual("null".utf8) {
            let isJSON = dataContentType.flatMap { MediaType($0) }?.isJSON ?? true
            if !isJSON, let content = Self.scalar(text, json)?.stringValue {
                data = .text(Array(content.utf8))
            } else {
                data = .json(Array(text[json]))
            }
        }
    }

    /// A value that is no array and no object. Nil also for what the JSON library refuses, such as numbers of hundred
    /// digits.
    private static func scalar(_ text: [UInt8], _ range: Range<Int>) -> JSONValue? {
        guard let first = text[range].first, first != UInt8(ascii: "{"), first != UInt8(ascii: "[") else { return nil }
        let inside = text[range].dropFirst().dropLast()
        if first == UInt8(ascii: "\""), !inside.contains(UInt8(ascii: "\\")) {
            return .string(String(decoding: inside, as: UTF8.self))
        }
        return try? JSONValue(parsing: Array(text[range]))
    }

    private static func noJSON(_ why: String) -> RoostError {
        RoostError(.invalidArgument, "no CloudEvent: \(why)")
    }

    /// The event on one line, its data as it came.
    public var json: [UInt8] {
        var bytes = Array("{\"specversion\":\"\(Self.specVersion)\"".utf8)
        func add(_ name: String, _ value: JSONValue?) {
            guard let value else { return }
            bytes += Array(",\(JSONValue.string(name).compact):\(value.compact)".utf8)
        }
        for name in Self.order { add(name, self[name].map { .string($0) }) }
        for (name, value) in extensions.sorted(by: { $0.key < $1.key }) { add(name, value.json) }
        switch data {
        case .json(let text): bytes += Array(",\"data\":".utf8) + text
        case .text(let text): add("data", .string(String(decoding: text, as: UTF8.self)))
        case .binary(let data): add("data_base64", .string(Base64.encode(data)))
        case nil: break
        }
        return bytes + [UInt8(ascii: "}")]
    }

    /// Several events as one array.
    public static func json(batch: [CloudEvent]) -> [UInt8] {
        [UInt8(ascii: "[")] + batch.map(\.json).joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "]")]
    }

    /// As people read it.
    static let order = ["id", "source", "type", "subject", "time", "datacontenttype", "dataschema"]
}

extension CloudEvent.Value {
    fileprivate var json: JSONValue {
        switch self {
        case .string(let text): .string(text)
        case .integer(let number): .integer(Int(number))
        case .boolean(let value): .bool(value)
        }
    }
}
