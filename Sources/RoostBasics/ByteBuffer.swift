internal import Glibc

/// Bytes on the heap that grow at the end and are taken from the front. Not copyable: one owner, no hidden copies.
///
/// Safe: `start` holds `capacity` bytes (nil when zero); `head...tail` lies within, and all of it is initialised.
@safe public struct ByteBuffer: ~Copyable {
    private var start: UnsafeMutableRawPointer?
    private var head = 0
    private var tail = 0
    /// Bytes of memory held.
    public private(set) var capacity = 0

    public init() { unsafe start = nil }

    public var count: Int { tail - head }
    public var isEmpty: Bool { tail == head }

    /// What is in it, oldest byte first; borrowed until the next change.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            guard let start = unsafe start else { return RawSpan() }
            let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(start + head), byteCount: tail - head)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Adds a copy of `bytes` at the end. Running out of memory traps.
    public mutating func append(_ bytes: RawSpan) {
        guard !bytes.isEmpty else { return }
        reserve(bytes.byteCount)
        unsafe bytes.withUnsafeBytes { source in
            guard let start = unsafe start, let from = source.baseAddress else { return }
            unsafe memcpy(start + tail, from, source.count)
        }
        tail += bytes.byteCount
    }

    /// Adds one byte at the end.
    public mutating func append(_ byte: UInt8) {
        reserve(1)
        unsafe start?.storeBytes(of: byte, toByteOffset: tail, as: UInt8.self)
        tail += 1
    }

    /// Adds up to eight bytes at once, that in the lowest bits of `word` first.
    public mutating func append(ascii word: UInt64, count: Int) {
        precondition((0...8).contains(count))
        reserve(8)
        unsafe start?.storeBytes(of: word.littleEndian, toByteOffset: tail, as: UInt64.self)
        tail += count
    }

    /// Adds the text as UTF-8.
    public mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { unsafe append($0.span.bytes) }
    }

    /// Adds the text as UTF-8. Literals go the other way, which makes no String of them.
    // Not by `utf8Span`: inlined into its caller, that of a short string is read after its memory was given up.
    @_disfavoredOverload public mutating func append(_ text: String) {
        var text = text
        text.withUTF8 { unsafe append($0.span.bytes) }
    }

    /// Makes room for `extra` more bytes: moves what is in it to the front, or doubles the memory.
    @inline(__always) public mutating func reserve(_ extra: Int) {
        precondition(extra >= 0)
        if capacity - tail < extra { makeRoom(for: extra) }
    }

    @inline(never) private mutating func makeRoom(for extra: Int) {
        if let start = unsafe start, head > 0, count + extra <= capacity {
            unsafe memmove(start, start + head, count)
            (head, tail) = (0, count)
            return
        }
        if let start = unsafe start, head > 0 {
            unsafe memmove(start, start + head, count)
            (head, tail) = (0, count)
        }
        let wanted = max(count + extra, capacity * 2, 256)
        guard let grown = unsafe realloc(start, wanted) else {
            preconditionFailure("out of memory for \(wanted) bytes")
        }
        unsafe start = grown
        capacity = wanted
    }

    /// Drops `count` bytes from the front.
    public mutating func removeFirst(_ count: Int) {
        precondition(count >= 0 && count <= self.count)
        head += count
        if head == tail { (head, tail) = (0, 0) }
    }

    /// Empties it and keeps the memory.
    public mutating func removeAll() { (head, tail) = (0, 0) }

    /// Empties it and gives the memory back.
    public mutating func release() {
        unsafe free(start)
        unsafe start = nil
        (head, tail, capacity) = (0, 0, 0)
    }

    deinit { unsafe free(start) }
}

extension RawSpan {
    /// One byte; a position outside traps.
    @inlinable public subscript(position: Int) -> UInt8 {
        precondition(position >= 0 && position < byteCount, "byte outside the span")
        return unsafe unsafeLoad(fromByteOffset: position, as: UInt8.self)
    }

    /// Whether these are the bytes of `text`.
    public func equals(_ text: StaticString) -> Bool {
        guard byteCount == text.utf8CodeUnitCount else { return false }
        return unsafe withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return true }
            return unsafe memcmp(start, text.utf8Start, bytes.count) == 0
        }
    }

    /// The bytes as text; what is not UTF-8 is replaced. For messages and rare paths: it allocates.
    public var text: String {
        unsafe withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
