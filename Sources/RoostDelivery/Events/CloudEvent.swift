internal import RoostBasics
internal import RoostJSON

/// Something that happened, as CloudEvents 1.0.2 describes it: attributes, and data that is passed on as it came.
public struct CloudEvent: Hashable, Sendable {
    /// With `source` it is unique: two events that agree in both are the same one.
    public var id: String
    /// A URI reference: who says so.
    public var source: String
    public var type: String
    public var subject: String?
    /// RFC 3339, as it was written.
    public var time: String?
    /// The media type of the data; nil for JSON, unless it came in binary mode.
    public var dataContentType: String?
    public var dataSchema: String?
    /// By name: lower-case letters and digits.
    public var extensions: [String: Value] = [:]
    public var data: Data?

    /// Of an extension.
    public enum Value: Hashable, Sendable, CustomStringConvertible {
        case string(String)
        case integer(Int32)
        case boolean(Bool)

        /// As a header has it.
        public var description: String {
            switch self {
            case .string(let text): text
            case .integer(let number): "\(number)"
            case .boolean(let value): "\(value)"
            }
        }
    }

    /// What the event carries, byte for byte.
    public enum Data: Hashable, Sendable {
        /// JSON text, valid, as it was written.
        case json([UInt8])
        /// UTF-8 that is no JSON: a string in structured mode.
        case text([UInt8])
        /// Anything: Base64 in structured mode.
        case binary([UInt8])

        public var bytes: [UInt8] {
            switch self {
            case .json(let bytes), .text(let bytes), .binary(let bytes): bytes
            }
        }
    }

    /// The version that is spoken here.
    public static let specVersion = "1.0"

    public init(id: String, source: String, type: String) {
        self.id = id
        self.source = source
        self.type = type
    }

    /// By which a repeated event is recognised: source and id, so written that no two pairs look the same.
    public var key: String { JSONValue.array([.string(source), .string(id)]).compact }

    /// An attribute or extension by its name, as text; nil when the event has none of that name.
    public subscript(name: String) -> String? {
        switch name {
        case "id": id
        case "source": source
        case "type": type
        case "specversion": Self.specVersion
        case "subject": subject
        case "time": time
        case "datacontenttype": dataContentType
        case "dataschema": dataSchema
        default: extensions[name]?.description
        }
    }

    /// Sets an attribute that every event may have.
    /// - Throws: naming the attribute, when the value is not what the specification allows for it.
    mutating func set(_ name: String, to value: Value) throws(RoostError) {
        guard Self.isName(name) else {
            throw Self.refusal(name, "names are lower-case letters and digits, and not \"data\"")
        }
        let isOwn = Self.names.contains(name)
        if isOwn, case .string = value {} else if isOwn { throw Self.refusal(name, "must be a string") }
        let text = value.description
        if let objection = Self.objection(to: text, as: name) { throw Self.refusal(name, objection) }
        switch name {
        case "id": id = text
        case "source": source = text
        case "type": type = text
        case "specversion": break
        case "subject": subject = text
        case "time": time = text
        case "datacontenttype": dataContentType = text
        case "dataschema": dataSchema = text
        default: extensions[name] = value
        }
    }

    /// After all attributes are set on an event that began empty.
    /// - Throws: naming the attribute that is missing.
    static func check(_ names: Set<String>) throws(RoostError) {
        for name in ["specversion", "id", "source", "type"] where !names.contains(name) {
            throw refusal(name, "is missing: every CloudEvent has it")
        }
    }

    static let names: Set<String> = [
        "id", "source", "type", "specversion", "subject", "time", "datacontenttype", "dataschema",
    ]

    static func refusal(_ name: String, _ why: String) -> RoostError {
        RoostError(.invalidArgument, "CloudEvent attribute \"\(name)\": \(why)")
    }
}
