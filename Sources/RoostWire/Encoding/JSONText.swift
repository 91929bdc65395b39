public import RoostBasics
import RoostTensors

/// Text as JSON strings write it.
public enum JSONText {
    /// Appends `text` with its quotes, escaped.
    /// - Returns: false, with nothing appended, when `text` is not UTF-8.
    public static func append(quoted text: RawSpan, to buffer: TextBuffer) -> Bool {
        let isValid = unsafe text.withUnsafeBytes { bytes in
            unsafe bytes.isEmpty || isUTF8(bytes.assumingMemoryBound(to: UInt8.self))
        }
        guard isValid else { return false }
        buffer.append(.quote)
        for index in 0..<text.byteCount {
            append(escaped: unsafe text.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self), to: buffer)
        }
        buffer.append(.quote)
        return true
    }

    /// `text` with its quotes, escaped.
    public static func quoted(_ text: String) -> [UInt8] {
        let buffer = TextBuffer(capacity: text.utf8.count + 16)
        buffer.append(.quote)
        for byte in text.utf8 { append(escaped: byte, to: buffer) }
        buffer.append(.quote)
        return buffer.bytes
    }

    /// The text of a JSON string, given without its quotes.
    /// - Throws: `.invalidArgument` for what no JSON string holds: control characters, quotes, unknown escapes, half
    ///   of a surrogate pair, bytes that are not UTF-8.
    public static func unescape(_ text: RawSpan, into buffer: TextBuffer) throws(RoostError) {
        // Read as a string of its own, with the quotes that the grammar wants.
        let whole = TextBuffer(capacity: text.byteCount + 2)
        whole.append(.quote)
        whole.append(text)
        whole.append(.quote)
        do throws(Refusal) {
            try whole.withBytes { (bytes) throws(Refusal) in
                try unsafe bytes.withUnsafeBytes { (bytes) throws(Refusal) in
                    guard var cursor = unsafe JSONCursor(bytes, text: ByteArena()) else { return }
                    try cursor.syntax { (cursor) throws(Fault) in
                        let token = try cursor.string()
                        try cursor.finish()
                        try cursor.copy(token).withBytes { buffer.append($0) }
                    }
                }
            }
        } catch {
            guard case .invalid(let reason) = error else { return }
            throw reason
        }
    }

    @inline(__always) private static func append(escaped byte: UInt8, to buffer: TextBuffer) {
        if byte >= 0x20, byte != .quote, byte != .backslash { return buffer.append(byte) }
        buffer.append(.backslash)
        switch byte {
        case .quote, .backslash: buffer.append(byte)
        case 0x0A: buffer.append(UInt8(ascii: "n"))
        case 0x0D: buffer.append(UInt8(ascii: "r"))
        case 0x09: buffer.append(UInt8(ascii: "t"))
        default:
            buffer.append("u00")
            buffer.append(0x30 + byte >> 4)
            buffer.append(byte & 0xF < 10 ? 0x30 + byte & 0xF : 0x57 + byte & 0xF)
        }
    }
}
