internal import CLLHTTP
internal import Glibc
internal import RoostBasics

/// Bytes `start..<end` of a head. Position 0 belongs to the request line, so an end of 0 means absent.
struct HeadRange {
    var start: UInt16 = 0
    var end: UInt16 = 0

    init() {}
    init(_ start: Int, _ end: Int) {
        self.start = UInt16(truncatingIfNeeded: start)
        self.end = UInt16(truncatingIfNeeded: end)
    }

    var count: Int { Int(end) - Int(start) }
    var isAbsent: Bool { end == 0 }
}

/// What llhttp's callbacks fill in while a message is parsed.
///
/// Lives on the heap at one address, because llhttp's `data` points at it from within it.
///
/// Safe: `head` has `headCapacity` bytes of which `headCount` are initialised; every range lies below `headCount`;
/// `input` is valid only during one `llhttp_execute`.
@safe struct HeadState {
    var llhttp = unsafe llhttp_t()
    /// The head, contiguous, growing up to `RequestParser.headBytesMax`.
    var head: UnsafeMutablePointer<UInt8>?
    var headCount = 0
    var headCapacity = 0
    /// Where the bytes of the running `llhttp_execute` begin, for chunked bodies.
    var input: UnsafePointer<UInt8>?

    /// Of the header being read; -1 while none is.
    var fieldStart = -1
    var fieldEnd = -1
    var valueStart = -1
    var valueEnd = -1

    var target = HeadRange()
    var path = HeadRange()
    var query = HeadRange()
    var known = InlineArray<18, HeadRange>(repeating: HeadRange())
    /// Bit n: known header n came more than once.
    var repeated: UInt32 = 0
    var hasNamelessHeader = false

    /// The path was decoded in place: `head` is not what came.
    var isDecoded = false
    /// The head, byte for byte as it came, and what was found in it may serve again.
    var isRepeatable = false

    var method = HTTPMethod.other
    var isHTTP11 = false
    var keepsAlive = false
    var isLocal = false

    /// The last piece of a chunked body, as an offset into `input`.
    var bodyStart = 0
    var bodyCount = 0
    var isMessageComplete = false
    /// Bytes of a chunked message so far: everything, and what was body.
    var chunkedTotal = 0
    var chunkedBody = 0
    var chunks = 0
    /// Bytes of the body up to the end of the present chunk, as its size says.
    var chunkedAnnounced = 0
    var hasChunkOverhead = false
    /// Of a chunked message: the last byte of the piece before, and the length of the name of the trailer being read.
    var lastByte: UInt8 = 0
    var trailerNameCount = 0

    init() { unsafe (head, input) = (nil, nil) }

    mutating func forgetMessage() {
        headCount = 0
        (fieldStart, fieldEnd, valueStart, valueEnd) = (-1, -1, -1, -1)
        (target, path, query) = (HeadRange(), HeadRange(), HeadRange())
        known = InlineArray(repeating: HeadRange())
        repeated = 0
        (isDecoded, isRepeatable) = (false, false)
        (bodyCount, chunkedTotal, chunkedBody, chunks, chunkedAnnounced) = (0, 0, 0, 0, 0)
        (isMessageComplete, hasChunkOverhead, hasNamelessHeader) = (false, false, false)
        (lastByte, trailerNameCount) = (0, 0)
    }

    subscript(header: KnownHeader) -> HeadRange { known[Int(header.rawValue)] }

    func isRepeated(_ header: KnownHeader) -> Bool { repeated & 1 << UInt32(header.rawValue) != 0 }

    func byte(_ position: Int) -> UInt8 {
        guard let head = unsafe head, position >= 0, position < headCount else { return 0 }
        return unsafe head[position]
    }

    /// Whether the target has begun and its line has not ended.
    var isInRequestLine: Bool { !target.isAbsent && !hasLineEnd(before: headCount) }

    /// Whether the request line has ended without a version. To llhttp that is HTTP/0.9, of which it awaits headers.
    /// - Parameter read: what of the head llhttp has looked at; it says nothing of the rest.
    func lacksVersion(read: Int) -> Bool {
        unsafe llhttp.http_major == 0 && !target.isAbsent && hasLineEnd(before: read)
    }

    private func hasLineEnd(before end: Int) -> Bool {
        let start = Int(target.start)
        guard let head = unsafe head, start < end else { return false }
        return unsafe memchr(head + start, Int32(UInt8(ascii: "\n")), end - start) != nil
    }

    /// The range without white space at its end, which llhttp leaves on values.
    func trimmed(_ start: Int, _ end: Int) -> HeadRange {
        var end = end
        while end > start, byte(end - 1) == UInt8(ascii: " ") || byte(end - 1) == UInt8(ascii: "\t") { end -= 1 }
        return HeadRange(start, end)
    }

    func equals(_ range: HeadRange, _ text: StaticString) -> Bool {
        guard let head = unsafe head, range.count == text.utf8CodeUnitCount else { return false }
        for offset in 0..<range.count
        where unsafe head[Int(range.start) + offset] | 0x20 != text.utf8Start[offset] | 0x20 { return false }
        return true
    }

    mutating func trailerEnded() {
        if trailerNameCount == 0 { hasNamelessHeader = true }
        trailerNameCount = 0
    }

    /// Notes a complete header if it is one of the known.
    mutating func headerEnded() {
        defer { (fieldStart, fieldEnd, valueStart, valueEnd) = (-1, -1, -1, -1) }
        guard fieldStart >= 0, fieldEnd > fieldStart else {
            hasNamelessHeader = true  // which llhttp lets pass
            return
        }
        guard let head = unsafe head,
            let header = unsafe KnownHeader.named(head + fieldStart, fieldEnd - fieldStart)
        else { return }
        let index = Int(header.rawValue)
        if known[index].isAbsent {
            known[index] = valueStart < 0 ? HeadRange(fieldEnd, fieldEnd) : trimmed(valueStart, valueEnd)
        } else {
            repeated |= 1 << UInt32(index)
        }
    }
}
