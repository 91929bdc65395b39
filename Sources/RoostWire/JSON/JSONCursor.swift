import RoostTensors

/// A place in a body that is being read as JSON. Hot kernel.
///
/// Invariant that makes it safe: `base` points to `total` readable bytes that nobody changes for as long as the
/// cursor lives, `end <= total`; a cursor exists only inside of the call that borrowed the body. Every load is checked
/// against `end`; a byte at or beyond it reads as 0, which is no JSON.
@safe struct JSONCursor {
    let base: UnsafePointer<UInt8>
    private(set) var end: Int
    /// Of the body: what stands from `end` on is no JSON.
    let total: Int
    var at: Int
    /// Where unescaped strings go.
    let text: ByteArena

    /// Nil for an empty body.
    @unsafe init?(_ body: UnsafeRawBufferPointer, text: ByteArena) {
        guard let start = body.baseAddress, unsafe !body.isEmpty else { return nil }
        unsafe base = start.assumingMemoryBound(to: UInt8.self)
        end = body.count
        total = body.count
        at = 0
        self.text = text
    }

    @inline(__always) func byte(_ index: Int) -> UInt8 { index < end ? unsafe base[index] : 0 }
    @inline(__always) var current: UInt8 { byte(at) }

    /// Eight bytes from `index`, the first one lowest; 0 beyond the end.
    @inline(__always) func word(_ index: Int) -> UInt64 {
        if index &+ 8 <= end {
            return unsafe UInt64(
                littleEndian: UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self))
        }
        return tailWord(index)
    }

    @inline(never) private func tailWord(_ index: Int) -> UInt64 {
        var word: UInt64 = 0
        for offset in 0..<8 { word |= UInt64(byte(index + offset)) << UInt64(8 * offset) }
        return word
    }

    /// Bytes `[start, end)` of the body, for the length of the call.
    @inline(__always) func withBytes<Failure: Error, Result>(
        _ start: Int, _ end: Int, _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(start >= 0 && start <= end && end <= self.end)
        return try unsafe body(UnsafeRawBufferPointer(start: base + start, count: end - start).bytes)
    }

    /// Bytes `[start, stop)` behind the JSON, for the length of the call.
    func withBytesBehind<Failure: Error, Result>(
        _ start: Int, _ stop: Int, _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(start >= end && start <= stop && stop <= total)
        return try unsafe body(UnsafeRawBufferPointer(start: base + start, count: stop - start).bytes)
    }

    /// A cursor over the same bytes that ends before them.
    func limited(to stop: Int) -> Self {
        precondition(stop >= 0 && stop <= end)
        var limited = self
        limited.end = stop
        return limited
    }

    @inline(__always) mutating func skipSpace() {
        while true {
            let byte = current
            guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            at += 1
        }
    }

    /// Whether `byte` is next; takes it if so.
    @inline(__always) mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte, at < end else { return false }
        at += 1
        return true
    }

    /// Takes `byte`, or fails with what the grammar asks for.
    @inline(__always) mutating func expect(_ byte: UInt8, _ expected: StaticString) throws(Fault) {
        guard take(byte) else { throw Fault(.syntax(expected), at: at) }
    }

    /// Takes `word` if it is next and no letter or digit follows.
    @inline(__always) mutating func takeWord(_ word: StaticString) -> Bool {
        guard matches(word, at: at) else { return false }
        let after = byte(at + word.utf8CodeUnitCount)
        guard (after | 0x20) &- 0x61 >= 26, after &- 0x30 >= 10 else { return false }
        at += word.utf8CodeUnitCount
        return true
    }

    /// Whether the bytes from `start` are those of `word`.
    @inline(__always) func matches(_ word: StaticString, at start: Int) -> Bool {
        let count = word.utf8CodeUnitCount
        guard start + count <= end else { return false }
        for index in 0..<count where unsafe base[start + index] != word.utf8Start[index] { return false }
        return true
    }

    /// After a member or element: takes `,` and says true, or takes `close` and says false.
    @inline(__always) mutating func separator(_ close: UInt8, _ expected: StaticString) throws(Fault) -> Bool {
        skipSpace()
        if take(UInt8(ascii: ",")) {
            skipSpace()
            return true
        }
        if take(close) { return false }
        throw Fault(.syntax(expected), at: at)
    }
}

extension UInt8 {
    static let openBracket = UInt8(ascii: "[")
    static let closeBracket = UInt8(ascii: "]")
    static let openBrace = UInt8(ascii: "{")
    static let closeBrace = UInt8(ascii: "}")
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let colon = UInt8(ascii: ":")
    static let comma = UInt8(ascii: ",")
}
