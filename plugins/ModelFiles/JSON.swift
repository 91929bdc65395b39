/// The JSON half of the reader.
extension DocumentReader {
    mutating func skipSpace() {
        while position < bytes.count, Self.isSpace(bytes[position]) { position += 1 }
    }

    mutating func peekJSON() throws(DocumentError) -> Kind {
        skipSpace()
        guard position < bytes.count else { throw truncated() }
        switch bytes[position] {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "N"), UInt8(ascii: "I"):
            return .number
        default: throw unexpected("a value")
        }
    }

    mutating func nextJSON(_ items: inout ContainerItems) throws(DocumentError) -> Bool {
        skipSpace()
        guard position < bytes.count else { throw truncated() }
        if bytes[position] == items.closing {
            position += 1
            return false
        }
        if !items.isFirst {
            guard bytes[position] == UInt8(ascii: ",") else { throw unexpected("a comma") }
            position += 1
        }
        items.isFirst = false
        return true
    }

    mutating func keyJSON() throws(DocumentError) -> String {
        skipSpace()
        guard position < bytes.count else { throw truncated() }
        guard bytes[position] == UInt8(ascii: "\"") else { throw unexpected("a key in quotes") }
        let key = try stringJSON()
        skipSpace()
        guard position < bytes.count else { throw truncated() }
        guard bytes[position] == UInt8(ascii: ":") else { throw unexpected("a colon") }
        position += 1
        return key
    }

    mutating func word(_ word: StaticString) throws(DocumentError) {
        let text = word.description
        for byte in text.utf8 {
            guard position < bytes.count else { throw truncated() }
            guard bytes[position] == byte else { throw unexpected(text) }
            position += 1
        }
    }

    mutating func stringJSON() throws(DocumentError) -> String {
        position += 1
        var utf8: [UInt8] = []
        while true {
            guard position < bytes.count else { throw truncated() }
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: utf8, as: UTF8.self) else {
                    throw DocumentError("the text that ends at byte \(position) is not UTF-8")
                }
                return text
            case UInt8(ascii: "\\"): try escape(into: &utf8)
            case 0..<0x20: throw DocumentError("a control character within a text at byte \(position - 1)")
            default: utf8.append(byte)
            }
        }
    }

    private mutating func escape(into utf8: inout [UInt8]) throws(DocumentError) {
        guard position < bytes.count else { throw truncated() }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): utf8.append(byte)
        case UInt8(ascii: "b"): utf8.append(0x08)
        case UInt8(ascii: "f"): utf8.append(0x0C)
        case UInt8(ascii: "n"): utf8.append(0x0A)
        case UInt8(ascii: "r"): utf8.append(0x0D)
        case UInt8(ascii: "t"): utf8.append(0x09)
        case UInt8(ascii: "u"):
            var code = try fourHexDigits()
            if code & 0xFC00 == 0xD800 {
                try word("\\u")
                let low = try fourHexDigits()
                guard low & 0xFC00 == 0xDC00 else { throw DocumentError("half a surrogate pair at byte \(position)") }
                code = 0x10000 + (code & 0x3FF) << 10 + (low & 0x3FF)
            }
            guard let scalar = Unicode.Scalar(code) else {
                throw DocumentError("half a surrogate pair at byte \(position)")
            }
            utf8.append(contentsOf: UTF8.encode(scalar)?.map { $0 } ?? [])
        default: throw DocumentError("an unknown escape at byte \(position - 2)")
        }
    }

    private mutating func fourHexDigits() throws(DocumentError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count else { throw truncated() }
            guard let digit = Character(Unicode.Scalar(bytes[position])).hexDigitValue, bytes[position] < 0x80 else {
                throw unexpected("four hexadecimal digits")
            }
            code = code << 4 | UInt32(digit)
            position += 1
        }
        return code
    }

    func unexpected(_ wanted: String) -> DocumentError {
        let byte = bytes[position]
        let found = (0x21..<0x7F).contains(byte) ? "'\(Character(Unicode.Scalar(byte)))'" : "byte \(byte)"
        return DocumentError("expected \(wanted), found \(found) at byte \(position)")
    }
}
