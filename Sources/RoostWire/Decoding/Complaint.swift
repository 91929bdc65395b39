import RoostBasics
import RoostTensors

/// The words for what is wrong with a body.
enum Complaint {
    /// A fault outside of any tensor or row.
    static func syntax(_ fault: Fault, _ cursor: JSONCursor) -> RoostError {
        switch fault.kind {
        case .syntax(let expected):
            RoostError(
                .invalidArgument, "not JSON at byte \(fault.at): expected \(expected)\(ending(fault.at, cursor))")
        case .text: RoostError(.invalidArgument, "not JSON at byte \(fault.at): the string is not UTF-8")
        case .depth:
            RoostError(
                .invalidArgument, "byte \(fault.at): arrays and objects are nested deeper than \(JSONCursor.depthMax)")
        case .type, .range, .surplus:
            RoostError(.invalidArgument, "byte \(fault.at): unexpected \(cursor.described(fault.at))")
        }
    }

    /// A fault in the value at `place`, such as `row 3, column "age"`.
    static func value(
        _ fault: Fault, at place: String, expected: StaticString, _ dtype: DType, _ cursor: JSONCursor
    ) -> RoostError {
        switch fault.kind {
        case .syntax, .depth: syntax(fault, cursor)
        case .text: RoostError(.invalidArgument, "\(place): the string is not UTF-8")
        case .type, .surplus:
            RoostError(.invalidArgument, "\(place): expected \(expected), got \(cursor.described(fault.at))")
        case .range:
            RoostError(
                .invalidArgument,
                "\(place): number out of range: \(cursor.described(fault.at)) does not fit \(dtype.name)")
        }
    }

    static func shape(_ place: String, expected: [Int], got: [Int]) -> RoostError {
        RoostError(.invalidArgument, "\(place): expected shape \(expected), got \(got)")
    }

    private static func ending(_ at: Int, _ cursor: JSONCursor) -> String {
        at >= cursor.end ? ", got the end of the body" : ""
    }

    /// What models of this kind want from an element, for people.
    static func expectation(_ dtype: DType) -> StaticString {
        switch dtype {
        case .float16, .float32, .float64: Float.expectation
        case .uint8, .uint16, .uint32, .uint64, .int8, .int16, .int32, .int64: Int64.expectation
        case .bool: Truth.expectation
        case .bytes: BytesElement.expectation
        }
    }

    /// Up to five names, quoted.
    static func list(_ names: [String]) -> String {
        names.prefix(5).map { "\"\($0)\"" }.joined(separator: ", ") + (names.count > 5 ? ", …" : "")
    }
}

extension JSONCursor {
    /// The value at `start`, as an error message shows it.
    func described(_ start: Int) -> String {
        switch byte(start) {
        case _ where start >= end: return "the end of the body"
        case .openBracket: return "an array"
        case .openBrace: return "an object"
        case .quote:
            var probe = self
            probe.at = start
            guard let token = try? probe.string() else { return "a string" }
            return "\"\(shown(token.start, token.end))\""
        default:
            var stop = start
            while stop < end, stop - start < 64,
                ![0x20, 0x0A, 0x0D, 0x09, .comma, .closeBracket, .closeBrace].contains(byte(stop))
            {
                stop += 1
            }
            return stop == start ? "nothing" : shown(start, stop)
        }
    }

    /// At most 40 bytes of the body as text.
    func shown(_ start: Int, _ stop: Int) -> String {
        let isLong = stop - start > 40
        let bytes = (start..<(isLong ? start + 40 : stop)).map { byte($0) }
        return String(decoding: bytes, as: UTF8.self) + (isLong ? "…" : "")
    }

    /// The text of a string token.
    func string(_ token: StringToken) -> String {
        guard token.hasEscapes, let bytes = try? copy(token) else { return shown(token.start, token.end) }
        return bytes.string
    }

    /// The bytes of a string token: in the body, or unescaped in the arena.
    func bytes(_ token: StringToken) throws(Fault) -> BytesElement {
        guard token.hasEscapes else {
            return unsafe BytesElement(data: base + token.start, size: token.end - token.start)
        }
        return try copy(token)
    }

    /// Whether the token's text is `word`.
    @inline(__always) func equals(_ token: StringToken, _ word: StaticString) -> Bool {
        if !token.hasEscapes {
            return token.end &- token.start == word.utf8CodeUnitCount && matches(word, at: token.start)
        }
        guard let bytes = try? copy(token) else { return false }
        return bytes.string == word.description
    }
}

extension BytesElement {
    /// As text, for messages; what is not UTF-8 is replaced.
    var string: String {
        withBytes { bytes in
            String(
                decoding: (0..<bytes.byteCount).map { unsafe bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) },
                as: UTF8.self)
        }
    }
}
