extension JSONValue {
    /// On one line without spaces; strict JSON, non-finite numbers are `null`.
    public var compact: String { written(pretty: false) }

    /// Indented by two spaces, ending without a newline.
    public var pretty: String { written(pretty: true) }

    private func written(pretty: Bool) -> String {
        var writer = JSONWriter(pretty: pretty)
        writer.write(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

/// Builds the text of one value.
private struct JSONWriter {
    let pretty: Bool
    var bytes: [UInt8] = []
    private var depth = 0

    init(pretty: Bool) { self.pretty = pretty }

    mutating func write(_ value: JSONValue) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .integer(let value): append("\(value)")
        case .real(let value): append(value.isFinite ? "\(value)" : "null")
        case .string(let value): write(string: value)
        case .array(let elements):
            write(elements, open: "[", close: "]") { $0.write($1) }
        case .object(let object):
            write(object.members, open: "{", close: "}") { writer, member in
                writer.write(string: member.key)
                writer.append(writer.pretty ? ": " : ":")
                writer.write(member.value)
            }
        }
    }

    private mutating func write<Element>(
        _ elements: [Element], open: StaticString, close: StaticString,
        _ body: (inout JSONWriter, Element) -> Void
    ) {
        append("\(open)")
        depth += 1
        for (place, element) in elements.enumerated() {
            if place > 0 { append(",") }
            newline()
            body(&self, element)
        }
        depth -= 1
        if !elements.isEmpty { newline() }
        append("\(close)")
    }

    private mutating func newline() {
        guard pretty else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: depth * 2))
    }

    private mutating func write(string: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\\"): append("\\\\")
            case UInt8(ascii: "\n"): append("\\n")
            case UInt8(ascii: "\r"): append("\\r")
            case UInt8(ascii: "\t"): append("\\t")
            case 0..<0x20:
                append("\\u00")
                bytes.append(hexDigits[Int(byte >> 4)])
                bytes.append(hexDigits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
}

private let hexDigits = Array("0123456789abcdef".utf8)
