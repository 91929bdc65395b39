internal import CRoost
internal import Glibc
public import RoostBasics

/// The instance's side of its channel. The host is trusted here; memory safety still does not depend on it.
///
/// Belongs to the process's one thread.
@safe public final class InstanceChannel {
    private let mapping: ChannelMapping
    private let doorbell: Descriptor
    private let bodies: Descriptor
    private var requestHead: UInt64 = 0
    private var replyTail: UInt64 = 0
    private var unrung = false
    /// For large bodies; there from the first one on.
    private var requestArea: BodyArea?
    private var replyArea: BodyArea?
    /// Files that came while one of the other kind was waited for, in their order.
    private var early: [(kind: Int32, file: Descriptor)] = []

    /// Takes over the three descriptors that the host sent.
    public init(memory: Int32, doorbell: Int32, bodies: Int32) throws(ChannelError) {
        let memory = try Descriptor(memory, "memory of a channel")
        self.doorbell = try Descriptor(doorbell, "doorbell of a channel")
        self.bodies = try Descriptor(bodies, "bodies of a channel")
        var status = stat()
        guard unsafe fstat(memory.number, &status) == 0 else { throw .system("fstat", errno) }
        let ringBytes = (Int(status.st_size) - Int(ROOST_CHANNEL_PAGE)) / 2
        guard ChannelMapping.ringBytesRange.contains(ringBytes) else { throw .nonsense("rings of \(ringBytes) bytes") }
        mapping = try ChannelMapping(memory: memory.number, ringBytes: ringBytes)
        guard unsafe mapping.page.pointee.magic == ROOST_CHANNEL_MAGIC,
            unsafe mapping.page.pointee.ring_bytes == UInt64(ringBytes)
        else { throw .nonsense("not a channel of this build") }
    }

    // MARK: requests

    /// Waits until a request is there.
    public func wait() {
        while !hasRequest {
            unsafe roost_announce_sleep(&mapping.page.pointee.request_sleeping)
            if !hasRequest { unsafe roost_futex_sleep(&mapping.page.pointee.request_sleeping, -1) }
        }
        unsafe roost_cancel_sleep(&mapping.page.pointee.request_sleeping)
    }

    /// Waits until a request is there, at most for `span`. Whether one is.
    public func wait(atMost span: Instant.Span) -> Bool {
        unsafe roost_announce_sleep(&mapping.page.pointee.request_sleeping)
        if !hasRequest {
            unsafe roost_futex_sleep(&mapping.page.pointee.request_sleeping, Int64(clamping: span.nanoseconds))
        }
        unsafe roost_cancel_sleep(&mapping.page.pointee.request_sleeping)
        return hasRequest
    }

    /// Whether a request waits.
    public var hasRequest: Bool { unsafe roost_load_acquire(&mapping.page.pointee.request_tail) > requestHead }

    /// Names, each ending in 0, that a record of the request must not show; set while a request is taken that wants one.
    public private(set) var privateFields: [UInt8] = []

    /// Takes the next request, or does nothing when there is none. The spans are valid during the call only.
    /// The host learns that it was taken before `body` runs, so that a death in there is charged to it.
    public func takeRequest(
        _ body: (_ header: RequestHeader, _ contentTypeText: RawSpan, _ body: RawSpan) -> Void
    ) throws(ChannelError) {
        let tail = unsafe roost_load_acquire(&mapping.page.pointee.request_tail)
        guard tail > requestHead else { return }
        let headerSize = MemoryLayout<roost_request_frame>.size
        let place = unsafe mapping.requests + Int(requestHead % UInt64(mapping.ringBytes))
        let frame = unsafe place.load(as: roost_request_frame.self)
        let end = requestHead + UInt64(frame.frame_size)
        guard end <= tail, let header = RequestHeader(frame) else { throw .nonsense("a request frame") }
        unsafe roost_store_release(&mapping.page.pointee.request_taken, end)
        let text = unsafe UnsafeRawBufferPointer(start: place + headerSize, count: Int(frame.content_type_size))
        if header.wants.contains(.record) { try unsafe readPrivateFields(frame, place) }
        if frame.flags & UInt16(ROOST_FRAME_BODY_IN_FILE) != 0 {
            let file = try nextFile(ROOST_FILE_OF_REQUEST)
            let bytes = try FileBytes(file, size: Int(frame.body_size), writable: false)
            unsafe body(header, text.bytes, bytes.buffer.bytes)
        } else if frame.flags & UInt16(ROOST_FRAME_BODY_IN_AREA) != 0 {
            if frame.flags & UInt16(ROOST_FRAME_NEW_AREA) != 0 {
                requestArea = try BodyArea(try nextFile(ROOST_FILE_OF_REQUEST), writable: false)
            }
            guard let bytes = unsafe requestArea?.body(at: frame.body_at, count: Int(clamping: frame.body_size))
            else { throw .nonsense("a body beyond its area") }
            unsafe body(header, text.bytes, bytes.bytes)
        } else {
            let bytes = unsafe UnsafeRawBufferPointer(
                start: text.baseAddress.map { unsafe $0 + text.count }, count: Int(frame.body_size))
            unsafe body(header, text.bytes, bytes.bytes)
        }
        requestHead = end
        unsafe roost_store_release(&mapping.page.pointee.request_head, end)
    }

    private func readPrivateFields(
        _ frame: roost_request_frame, _ place: UnsafeMutableRawPointer
    ) throws(ChannelError) {
        let elsewhere = UInt16(ROOST_FRAME_BODY_IN_FILE | ROOST_FRAME_BODY_IN_AREA)
        let inline = frame.flags & elsewhere != 0 ? 0 : Int(clamping: frame.body_size)
        let headerSize = MemoryLayout<roost_request_frame>.size
        let start = ChannelMapping.padded(headerSize + Int(frame.content_type_size) + inline)
        guard start + 4 <= Int(frame.frame_size) else { throw .nonsense("a request frame without its private fields") }
        let count = unsafe Int(place.load(fromByteOffset: start, as: UInt32.self))
        guard start + 4 + count <= Int(frame.frame_size) else { throw .nonsense("private fields beyond their frame") }
        privateFields = unsafe [UInt8](UnsafeRawBufferPointer(start: place + start + 4, count: count))
    }

    // MARK: replies

    /// Publishes one reply; waits for room when the ring is full. Large bodies go through memory of the host's.
    ///
    /// - Parameter summary: an encoded `ReplySummary`, or nothing.
    public func send(
        _ header: ReplyHeader, contentTypeText: RawSpan, body: RawSpan, summary: RawSpan = RawSpan()
    ) throws(ChannelError) {
        let isInline = body.byteCount <= mapping.ringBytes / 4
        var reply = frame(header, body.byteCount)
        let inline = contentTypeText.byteCount + (isInline ? body.byteCount : 0)
        let bodyEnd = ChannelMapping.padded(MemoryLayout<roost_reply_frame>.size + inline)
        reply.frame_size = UInt32(ChannelMapping.padded(bodyEnd + summary.byteCount))
        reply.content_type_size = UInt32(contentTypeText.byteCount)
        if !summary.isEmpty { reply.flags |= UInt16(ROOST_FRAME_HAS_SUMMARY) }
        if body.byteCount > BodyArea.bodyBytesMax {
            let file = try askForFile(header, body.byteCount, asArea: false)
            let bytes = try FileBytes(file, size: body.byteCount, writable: true)
            unsafe UnsafeMutableRawPointer(mutating: bytes.buffer.baseAddress)?.put(body)
            reply.flags |= UInt16(ROOST_FRAME_BODY_IN_FILE)
        } else if !isInline {
            let place = try placeInArea(header, body.byteCount)
            replyArea?.put(body, at: place)
            let end = replyTail + UInt64(reply.frame_size)
            replyArea?.places.take(place, count: body.byteCount, frameEnd: end)
            reply.flags |= UInt16(ROOST_FRAME_BODY_IN_AREA)
            reply.body_at = UInt64(place)
        }
        publish(reply, contentTypeText, isInline ? body : RawSpan(), summary)
    }

    /// Waits for a file of that size.
    private func askForFile(_ header: ReplyHeader, _ size: Int, asArea: Bool) throws(ChannelError) -> Descriptor {
        var question = frame(header, size)
        question.flags = UInt16(ROOST_FRAME_WANTS_FILE) | (asArea ? UInt16(ROOST_FRAME_NEW_AREA) : 0)
        question.frame_size = UInt32(MemoryLayout<roost_reply_frame>.size)
        publish(question, RawSpan(), RawSpan(), RawSpan())
        ring()
        return try nextFile(ROOST_FILE_OF_REPLY)
    }

    /// Waits until the area has room for a body of that size.
    private func placeInArea(_ header: ReplyHeader, _ size: Int) throws(ChannelError) -> Int {
        if replyArea == nil {
            replyArea = try BodyArea(try askForFile(header, BodyArea.bytes, asArea: true), writable: true)
        }
        while true {
            if let place = freePlace(size) { return place }
            ring()
            unsafe roost_announce_sleep(&mapping.page.pointee.room_wanted)
            if freePlace(size) == nil { unsafe roost_futex_sleep(&mapping.page.pointee.room_wanted, -1) }
            unsafe roost_cancel_sleep(&mapping.page.pointee.room_wanted)
        }
    }

    private func freePlace(_ size: Int) -> Int? {
        replyArea?.places.release(upTo: unsafe roost_load_acquire(&mapping.page.pointee.reply_head))
        return replyArea?.places.place(for: size)
    }

    /// Wakes the host if it sleeps. Once per batch, after its last reply.
    public func ring() {
        guard unrung else { return }
        unrung = false
        if unsafe roost_claim_wake(&mapping.page.pointee.reply_sleeping) == 1 { roost_ring(doorbell.number) }
    }

    private func frame(_ header: ReplyHeader, _ bodySize: Int) -> roost_reply_frame {
        var frame = roost_reply_frame()
        frame.status = header.status
        frame.id = header.id.rawValue
        frame.body_size = UInt64(bodySize)
        frame.content_type = header.contentType.rawValue
        frame.outcome = header.outcome.rawValue
        frame.rows = header.rows
        frame.batch_rows = header.batchRows
        frame.infer_ns = header.infer.nanoseconds
        frame.json_size = header.jsonBytes.map { UInt64($0) } ?? ROOST_NO_BINARY
        frame.content_coding = header.contentCoding.rawValue
        frame.decode_ns = header.decode.nanoseconds
        frame.encode_ns = header.encode.nanoseconds
        return frame
    }

    private func publish(_ frame: roost_reply_frame, _ text: RawSpan, _ body: RawSpan, _ summary: RawSpan) {
        waitForRoom(Int(frame.frame_size))
        let place = unsafe mapping.replies + Int(replyTail % UInt64(mapping.ringBytes))
        unsafe place.storeBytes(of: frame, as: roost_reply_frame.self)
        unsafe (place + MemoryLayout<roost_reply_frame>.size).put(text)
        unsafe (place + MemoryLayout<roost_reply_frame>.size + text.byteCount).put(body)
        if !summary.isEmpty {
            let bodyEnd = MemoryLayout<roost_reply_frame>.size + text.byteCount + body.byteCount
            unsafe (place + ChannelMapping.padded(bodyEnd)).put(summary)
        }
        replyTail += UInt64(frame.frame_size)
        unsafe roost_store_release(&mapping.page.pointee.reply_tail, replyTail)
        unrung = true
    }

    private func waitForRoom(_ size: Int) {
        while !hasRoom(size) {
            ring()
            unsafe roost_announce_sleep(&mapping.page.pointee.room_wanted)
            if !hasRoom(size) { unsafe roost_futex_sleep(&mapping.page.pointee.room_wanted, -1) }
        }
        unsafe roost_cancel_sleep(&mapping.page.pointee.room_wanted)
    }

    private func hasRoom(_ size: Int) -> Bool {
        let head = unsafe roost_load_acquire(&mapping.page.pointee.reply_head)
        return Int(replyTail &- head) + size <= mapping.ringBytes
    }

    /// The next file of that kind that the host sent, waiting for it. Requests whose files came first may be waiting
    /// in the ring while a reply asks for its own.
    private func nextFile(_ kind: Int32) throws(ChannelError) -> Descriptor {
        if let at = early.firstIndex(where: { $0.kind == kind }) { return early.remove(at: at).file }
        while true {
            unsafe roost_announce_sleep(&mapping.page.pointee.request_sleeping)
            let received = roost_receive_descriptor(bodies.number)
            if received.number >= 0 {
                unsafe roost_cancel_sleep(&mapping.page.pointee.request_sleeping)
                let file = try Descriptor(received.number, "file of a body")
                if received.kind == kind { return file }
                early.append((received.kind, file))
                continue
            }
            guard errno == EAGAIN || errno == EINTR else { throw .system("recvmsg from the host", errno) }
            unsafe roost_futex_sleep(&mapping.page.pointee.request_sleeping, -1)
        }
    }
}

extension RequestHeader {
    fileprivate init?(_ frame: roost_request_frame) {
        guard let operation = Operation(rawValue: frame.operation), let accept = MediaType(rawValue: frame.accept),
            let contentType = MediaType(rawValue: frame.content_type),
            let contentCoding = ContentCoding(rawValue: frame.content_coding),
            let acceptCoding = ContentCoding(rawValue: frame.accept_coding)
        else { return nil }
        self.init(
            id: RequestID(rawValue: frame.id), operation: operation, contentType: contentType, accept: accept,
            arrived: Instant(nanoseconds: frame.arrived_ns), deadline: Instant(nanoseconds: frame.deadline_ns),
            patience: Instant(nanoseconds: frame.patience_ns))
        wants = SummaryWish(rawValue: frame.flags).intersection([.outputs, .record])
        threshold = frame.threshold
        if frame.json_size != ROOST_NO_BINARY { jsonBytes = Int(clamping: frame.json_size) }
        bodyLimit = Int(clamping: frame.body_limit)
        (self.contentCoding, self.acceptCoding) = (contentCoding, acceptCoding)
    }
}

/// A host-made file mapped for as long as this object lives; the host sealed its size.
@safe private final class FileBytes {
    let buffer: UnsafeRawBufferPointer

    init(_ file: Descriptor, size: Int, writable: Bool) throws(ChannelError) {
        let protection = writable ? PROT_READ | PROT_WRITE : PROT_READ
        guard let start = unsafe mmap(nil, size, protection, MAP_SHARED, file.number, 0), unsafe start != MAP_FAILED
        else { throw .system("mmap of a body", errno) }
        unsafe buffer = UnsafeRawBufferPointer(start: start, count: size)
    }

    deinit { unsafe munmap(UnsafeMutableRawPointer(mutating: buffer.baseAddress), buffer.count) }
}
