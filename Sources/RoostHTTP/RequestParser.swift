internal import CLLHTTP
internal import Glibc
internal import RoostBasics

/// Reads HTTP/1.x requests from bytes that come in pieces of any size. One per connection; llhttp does the framing
/// in strict mode, and what llhttp lets pass and RFC 9112 calls ambiguous is refused on top.
///
/// Safe: owns `state`, which never moves; spans are read only during the call that brings them.
@safe public struct RequestParser: ~Copyable {
    /// What one call of `parse` achieved.
    public struct Step: Sendable {
        /// Bytes used up from the front of the span; call again with the rest, unless the message is complete and
        /// the next must wait. Zero also when more bytes are needed.
        public var consumed = 0
        /// The head became complete in this call: look at it before anything else.
        public var hasHead = false
        /// Part of the body, as a range of the span.
        public var body = 0..<0
        /// The message ends here; the next call begins the next message.
        public var isComplete = false
        /// The message is refused and the connection out of step; every later call says the same.
        public var fault: HTTPFault?
    }

    private enum Phase { case head, length(left: Int), chunked, complete, failed(HTTPFault) }

    let state: UnsafeMutablePointer<HeadState>
    private var phase = Phase.head

    /// A head, with its request line and empty lines before it, may have this many bytes.
    public static let headBytesMax = 16_384
    /// So much is copied to look for a head; what lies behind the head is parsed from its own place.
    private static let headStepBytes = 2048

    /// What is not body in a chunked message: 4 KiB in all, and 64 bytes for each chunk.
    static func chunkOverheadMax(_ chunks: Int) -> Int { 4096 + 64 * chunks }

    /// - isLocal: what `RequestHead.isLocal` is to say.
    public init(isLocal: Bool = false) {
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: HeadState())
        unsafe state.pointee.isLocal = isLocal
        unsafe llhttp_init(&state.pointee.llhttp, HTTP_REQUEST, llhttpSettings)
        unsafe state.pointee.llhttp.data = UnsafeMutableRawPointer(state)
    }

    deinit {
        unsafe state.pointee.head?.deallocate()
        unsafe state.deallocate()
    }

    /// The head of the present message; meaningful from the step that had it to the next message.
    public var head: RequestHead {
        @_lifetime(borrow self)
        get { RequestHead(of: self) }
    }

    /// Whether a message has begun and is not complete.
    public var isInsideMessage: Bool {
        switch phase {
        case .head: unsafe state.pointee.headCount > 0
        case .length, .chunked: true
        case .complete, .failed: false
        }
    }

    /// Whether the present message's head is complete and its body is not.
    public var hasHead: Bool {
        switch phase {
        case .length, .chunked: true
        case .head, .complete, .failed: false
        }
    }

    /// The body's announced length; nil when it is chunked.
    public var contentLength: Int? {
        unsafe state.pointee[.transferEncoding].isAbsent ? Int(clamping: state.pointee.llhttp.content_length) : nil
    }

    /// How large a chunked body is at least, as far as the sizes of its chunks have been read; 0 for any other.
    public var chunkedBytesAnnounced: Int {
        guard case .chunked = phase else { return 0 }
        return unsafe state.pointee.chunkedAnnounced
    }

    /// Parses up to the end of one message.
    public mutating func parse(_ bytes: RawSpan) -> Step {
        var step = Step()
        if case .complete = phase {
            if repeatsHead(bytes) {
                step.consumed = unsafe state.pointee.headCount
                step.hasHead = true
                unsafe phase = Self.phase(after: Int(clamping: state.pointee.llhttp.content_length))
            } else {
                beginMessage()
            }
        }
        if case .head = phase {
            step.fault = parseHead(bytes, &step)
            if let fault = step.fault { phase = .failed(fault) }
            guard step.hasHead else { return step }
        }
        switch phase {
        case .head: break
        case .length(let left):
            let count = min(left, bytes.byteCount - step.consumed)
            step.body = step.consumed..<(step.consumed + count)
            step.consumed += count
            phase = left == count ? .complete : .length(left: left - count)
        case .chunked:
            // The first piece of the body comes with the next call: this one has the head.
            if !step.hasHead {
                step.fault = parseChunked(bytes, &step)
                if let fault = step.fault { phase = .failed(fault) }
            }
        case .complete: break
        case .failed(let fault): step.fault = fault
        }
        if case .complete = phase { step.isComplete = true }
        return step
    }

    private mutating func beginMessage() {
        unsafe llhttp_reset(&state.pointee.llhttp)
        unsafe state.pointee.forgetMessage()
        phase = .head
    }

    // MARK: Heads

    /// Whether `bytes` begin with the very head that was read last. On a connection that is kept most heads are like
    /// the one before, and the same bytes mean the same: what was found in them still stands.
    private func repeatsHead(_ bytes: RawSpan) -> Bool {
        guard unsafe state.pointee.isRepeatable, let head = unsafe state.pointee.head else { return false }
        let count = unsafe state.pointee.headCount
        guard bytes.byteCount >= count else { return false }
        return unsafe bytes.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return false }
            return unsafe memcmp(start, head, count) == 0
        }
    }

    private mutating func parseHead(_ bytes: RawSpan, _ step: inout Step) -> HTTPFault? {
        while step.consumed < bytes.byteCount {
            let before = unsafe state.pointee.headCount
            let count = min(bytes.byteCount - step.consumed, Self.headStepBytes, Self.headBytesMax - before)
            guard count > 0 else {
                return unsafe state.pointee.isInRequestLine
                    ? HTTPFault(414, "the request's target is longer than 16 KiB")
                    : HTTPFault(431, "the request's head is larger than 16 KiB")
            }
            unsafe Self.copy(bytes.extracting(step.consumed..<(step.consumed + count)), to: &state.pointee)
            guard let head = unsafe state.pointee.head else { return nil }
            let start = unsafe UnsafeRawPointer(head + before).assumingMemoryBound(to: CChar.self)
            let result = unsafe llhttp_execute(&state.pointee.llhttp, start, count)
            if result == HPE_OK {
                step.consumed += count
                if unsafe state.pointee.lacksVersion(read: before + count) {
                    return HTTPFault(400, "malformed request line")
                }
                continue
            }
            // In how many pieces the head came must not show: the line ended before what llhttp has to say of the rest.
            let end = unsafe llhttp_get_error_pos(&state.pointee.llhttp)
            if let end = unsafe end, unsafe state.pointee.lacksVersion(read: before + (end - start)) {
                return HTTPFault(400, "malformed request line")
            }
            guard result == HPE_PAUSED || result == HPE_PAUSED_UPGRADE, let end = unsafe end
            else { return HTTPFault(llhttp: result) }
            let used = unsafe end - start
            unsafe state.pointee.headCount = before + used
            step.consumed += used
            if let fault = unsafe state.pointee.finishHead() { return fault }
            step.hasHead = true
            unsafe state.pointee.isRepeatable = state.pointee[.transferEncoding].isAbsent && !state.pointee.isDecoded
            unsafe phase =
                state.pointee[.transferEncoding].isAbsent
                ? Self.phase(after: Int(clamping: state.pointee.llhttp.content_length)) : .chunked
            return nil
        }
        return nil
    }

    private static func phase(after length: Int) -> Phase { length == 0 ? .complete : .length(left: length) }

    /// Appends to the head, which grows by doubling.
    @unsafe private static func copy(_ bytes: RawSpan, to state: inout HeadState) {
        let wanted = state.headCount + bytes.byteCount
        if wanted > state.headCapacity {
            let capacity = min(max(wanted, state.headCapacity * 2, 512), headBytesMax)
            let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
            if let head = unsafe state.head {
                unsafe grown.update(from: head, count: state.headCount)
                unsafe head.deallocate()
            }
            unsafe state.head = grown
            state.headCapacity = capacity
        }
        guard let head = unsafe state.head else { return }
        unsafe bytes.withUnsafeBytes { source in
            guard let from = source.baseAddress else { return }
            unsafe UnsafeMutableRawPointer(head + state.headCount).copyMemory(from: from, byteCount: source.count)
        }
        state.headCount = wanted
    }

    // MARK: Chunked bodies

    private mutating func parseChunked(_ bytes: RawSpan, _ step: inout Step) -> HTTPFault? {
        guard !bytes.isEmpty else { return nil }
        let state = unsafe state
        unsafe state.pointee.bodyCount = 0
        let (result, used) = unsafe bytes.withUnsafeBytes { bytes -> (llhttp_errno_t, Int) in
            guard let start = bytes.baseAddress else { return (HPE_OK, 0) }
            let from = unsafe start.assumingMemoryBound(to: CChar.self)
            unsafe state.pointee.input = start.assumingMemoryBound(to: UInt8.self)
            defer { unsafe state.pointee.input = nil }
            unsafe llhttp_resume(&state.pointee.llhttp)
            let result = unsafe llhttp_execute(&state.pointee.llhttp, from, bytes.count)
            guard result == HPE_PAUSED, let end = unsafe llhttp_get_error_pos(&state.pointee.llhttp)
            else { return (result, bytes.count) }
            return unsafe (result, end - from)
        }
        // Whatever llhttp found behind it.
        if unsafe state.pointee.hasNamelessHeader { return HTTPFault(400, "a trailer without a name") }
        guard result == HPE_OK || result == HPE_PAUSED else { return HTTPFault(llhttp: result) }
        step.consumed = used
        unsafe state.pointee.chunkedTotal += used
        let body = unsafe state.pointee.bodyStart..<(state.pointee.bodyStart + state.pointee.bodyCount)
        step.body = unsafe state.pointee.bodyCount > 0 ? body : 0..<0
        // What stands after the last piece may be the line of the next chunk: it counts as one more.
        let allowed = unsafe Self.chunkOverheadMax(state.pointee.chunks + 1)
        let overhead = unsafe state.pointee.chunkedTotal - state.pointee.chunkedBody
        if unsafe state.pointee.hasChunkOverhead || overhead > allowed {
            return HTTPFault(400, "too much chunk framing for the body")
        }
        defer { if used > 0 { unsafe state.pointee.lastByte = bytes[used - 1] } }
        guard unsafe state.pointee.isMessageComplete else { return nil }
        // The last line, which is empty, may be bare to llhttp.
        let before = unsafe used > 1 ? bytes[used - 2] : state.pointee.lastByte
        guard before == UInt8(ascii: "\r") else { return HTTPFault(400, "a line must end with CR LF") }
        phase = .complete
        return nil
    }
}
