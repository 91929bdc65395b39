internal import RoostBasics

/// Takes integers (lowest byte first) and texts off the front of bytes that nobody else changes.
struct WordReader: ~Escapable {
    private let bytes: RawSpan
    private let what: StaticString
    private var at = 0

    /// - Parameter what: what the bytes should be, for the error.
    @_lifetime(copy bytes)
    init(_ bytes: RawSpan, of what: StaticString) {
        self.bytes = bytes
        self.what = what
    }

    var rest: Int { bytes.byteCount - at }

    var malformed: RoostError { RoostError(.invalidArgument, "malformed \(what) at byte \(at)") }

    mutating func byte() throws(RoostError) -> UInt8 {
        guard rest >= 1 else { throw malformed }
        at += 1
        return bytes[at - 1]
    }

    mutating func word() throws(RoostError) -> UInt64 {
        guard rest >= 8 else { throw malformed }
        var word: UInt64 = 0
        for index in 0..<8 { word |= UInt64(bytes[at + index]) << UInt64(8 * index) }
        at += 8
        return word
    }

    /// A count of things that each take `size` bytes at least of those that are left.
    mutating func count(of size: Int) throws(RoostError) -> Int {
        let word = try word()
        guard word <= UInt64(rest / size) else { throw malformed }
        return Int(word)
    }

    mutating func text() throws(RoostError) -> String {
        let size = try count(of: 1)
        defer { at += size }
        return String(bytes.extracting(at..<at + size))
    }

    mutating func texts() throws(RoostError) -> [String] {
        var texts: [String] = []
        for _ in 0..<(try count(of: 8)) { texts.append(try text()) }
        return texts
    }

    /// Where the next `size` bytes stand, which are passed over.
    mutating func range(_ size: Int) throws(RoostError) -> Range<Int> {
        guard size >= 0, rest >= size else { throw malformed }
        defer { at += size }
        return at..<at + size
    }
}

extension [UInt8] {
    /// Appends an integer, lowest byte first.
    mutating func append(word: UInt64) {
        for index in 0..<8 { append(UInt8(truncatingIfNeeded: word >> UInt64(8 * index))) }
    }

    mutating func append(text: String) {
        append(word: UInt64(text.utf8.count))
        append(contentsOf: text.utf8)
    }

    mutating func append(texts: [String]) {
        append(word: UInt64(texts.count))
        for text in texts { append(text: text) }
    }
}
