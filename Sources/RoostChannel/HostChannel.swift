internal import CRoost
internal import Glibc
internal import RoostBasics

/// The host's side of one instance's channel. It makes all the memory and trusts nothing that it reads there.
///
/// Belongs to the loop's thread. Invariant: `requestTail` and `replyHead` are the only truth about what this side
/// has published; every word that the instance writes is copied once, then checked, then used.
@safe public final class HostChannel {
    private let mapping: ChannelMapping
    private let memory: Descriptor
    private let doorbellEnd: Descriptor
    private let bodies: Descriptor
    private var instanceBodies: Descriptor?
    private var requestTail: UInt64 = 0
    private var replyHead: UInt64 = 0
    private var unrung = false
    /// Replies longer than this end the instance.
    private let replyBytesMax: Int
    /// For large bodies; made when the first one comes.
    private var requestArea: BodyArea?
    private var replyArea: BodyArea?

    /// - Parameter ringBytes: per direction; a multiple of the page size.
    /// - Parameter replyBytesMax: what the loop can copy in one turn without others noticing much.
    public init(ringBytes: Int = 1 << 20, replyBytesMax: Int = 64 << 20) throws(ChannelError) {
        precondition(ringBytes % 4096 == 0 && ChannelMapping.ringBytesRange.contains(ringBytes))
        self.replyBytesMax = replyBytesMax
        memory = try Descriptor(
            unsafe roost_sealed_memory("channel", UInt64(ROOST_CHANNEL_PAGE) + 2 * UInt64(ringBytes)), "memfd_create")
        doorbellEnd = try Descriptor(roost_doorbell(), "eventfd")
        var ends: [Int32] = [-1, -1]
        guard unsafe roost_socket_pair(&ends) == 0 else { throw .system("socketpair", errno) }
        bodies = try Descriptor(ends[0], "socketpair")
        instanceBodies = try Descriptor(ends[1], "socketpair")
        mapping = try ChannelMapping(memory: memory.number, ringBytes: ringBytes)
        unsafe mapping.page.pointee.magic = ROOST_CHANNEL_MAGIC
        unsafe mapping.page.pointee.lanes = 1
        unsafe mapping.page.pointee.ring_bytes = UInt64(ringBytes)
        // The first request finds its memory there.
        unsafe mapping.requests.storeBytes(of: 0, as: UInt64.self)
        unsafe mapping.replies.storeBytes(of: 0, as: UInt64.self)
    }

    /// What the instance needs: memory, doorbell, bodies. Send copies of them; then call `handedOver`.
    public var descriptorsForInstance: [Int32] {
        [memory.number, doorbellEnd.number, instanceBodies?.number ?? -1]
    }

    /// The instance has its descriptors: from now on its death closes the bodies socket.
    public func handedOver() { instanceBodies = nil }

    /// Becomes readable when the instance rings; never read, only watched edge-triggered.
    public var doorbell: Int32 { doorbellEnd.number }

    /// Bodies above this do not travel in the ring, but in an area beside it, or as files of their own.
    public var inlineBytesMax: Int { mapping.ringBytes / 4 }

    // MARK: requests

    /// Writes one request. Returns its end position, or nil when the ring has no room now.
    ///
    /// - Parameter privateFields: names, each ending in 0, that a record of this request must not show; written only
    ///   where `header` wants a record.
    public func send(
        _ header: RequestHeader, contentTypeText: RawSpan, body: RawSpan, privateFields: RawSpan = RawSpan()
    ) throws(ChannelError) -> UInt64? {
        let isInline = body.byteCount <= inlineBytesMax
        let headerSize = MemoryLayout<roost_request_frame>.size
        let payload = contentTypeText.byteCount + (isInline ? body.byteCount : 0)
        let bodyEnd = ChannelMapping.padded(headerSize + payload)
        let wantsRecord = header.wants.contains(.record)
        let size = wantsRecord ? ChannelMapping.padded(bodyEnd + 4 + privateFields.byteCount) : bodyEnd
        guard try hasRoom(for: size) else { return nil }
        var frame = roost_request_frame(header)
        if !isInline, try !store(body, frameSize: size, in: &frame) { return nil }
        frame.frame_size = UInt32(size)
        frame.body_size = UInt64(body.byteCount)
        frame.content_type_size = UInt32(contentTypeText.byteCount)
        let place = unsafe mapping.requests + Int(requestTail % UInt64(mapping.ringBytes))
        unsafe place.storeBytes(of: frame, as: roost_request_frame.self)
        unsafe (place + headerSize).put(contentTypeText)
        if isInline { unsafe (place + headerSize + contentTypeText.byteCount).put(body) }
        if wantsRecord {
            unsafe place.storeBytes(of: UInt32(privateFields.byteCount), toByteOffset: bodyEnd, as: UInt32.self)
            unsafe (place + bodyEnd + 4).put(privateFields)
        }
        requestTail += UInt64(size)
        unsafe roost_store_release(&mapping.page.pointee.request_tail, requestTail)
        unrung = true
        return requestTail
    }

    /// Wakes the instance if it sleeps. Once per loop turn, after all sends.
    public func ring() {
        guard unrung else { return }
        unrung = false
        wakeInstance()
    }

    /// The end position of the last frame that the instance has begun to work on: frames up to it were taken.
    public func taken() -> UInt64 {
        min(unsafe roost_load_acquire(&mapping.page.pointee.request_taken), requestTail)
    }

    private func hasRoom(for size: Int) throws(ChannelError) -> Bool {
        let head = unsafe roost_load_acquire(&mapping.page.pointee.request_head)
        guard head <= requestTail, requestTail - head <= UInt64(mapping.ringBytes) else {
            throw .nonsense("request head \(head) behind tail \(requestTail)")
        }
        requestArea?.places.release(upTo: head)
        return Int(requestTail - head) + size <= mapping.ringBytes / 2
    }

    private func wakeInstance() {
        if unsafe roost_claim_wake(&mapping.page.pointee.request_sleeping) == 1 {
            unsafe roost_futex_wake(&mapping.page.pointee.request_sleeping)
        }
    }

    /// Puts a large body into the area or into a file of its own, and tells so in the frame. False when there is no
    /// room for now.
    private func store(
        _ body: RawSpan, frameSize: Int, in frame: inout roost_request_frame
    ) throws(ChannelError) -> Bool {
        if body.byteCount <= BodyArea.bodyBytesMax {
            let isNew = requestArea == nil
            if isNew, try !makeRequestArea() { return false }
            if let area = requestArea, let place = area.places.place(for: body.byteCount) {
                area.put(body, at: place)
                area.places.take(place, count: body.byteCount, frameEnd: requestTail + UInt64(frameSize))
                frame.flags |= UInt16(ROOST_FRAME_BODY_IN_AREA) | (isNew ? UInt16(ROOST_FRAME_NEW_AREA) : 0)
                frame.body_at = UInt64(place)
                return true
            }
            // What the instance has not begun will be answered, and then there is room: a file costs more than waiting.
            if taken() < requestTail { return false }
        }
        frame.flags |= UInt16(ROOST_FRAME_BODY_IN_FILE)
        return try sendFile(with: body)
    }

    /// False when the socket is full for now.
    private func makeRequestArea() throws(ChannelError) -> Bool {
        let memory = try Descriptor(unsafe roost_sealed_memory("bodies", ROOST_AREA_BYTES), "memfd_create")
        let area = try BodyArea(memory, writable: true)
        // The instance may read it only; where the kernel knows no such seal, it spoils its own requests at most.
        _ = roost_seal_new_writers(memory.number)
        guard try pass(memory, ROOST_FILE_OF_REQUEST) else { return false }
        requestArea = area
        return true
    }

    /// False when the socket is full for now.
    private func sendFile(with body: RawSpan) throws(ChannelError) -> Bool {
        let file = try Descriptor(unsafe roost_sealed_memory("body", UInt64(body.byteCount)), "memfd_create")
        var written = 0
        while written < body.byteCount {
            let rest = body.extracting(droppingFirst: written)
            let count = unsafe rest.withUnsafeBytes {
                unsafe pwrite(file.number, $0.baseAddress, $0.count, off_t(written))
            }
            guard count > 0 else { throw .system("write of a body", errno) }
            written += count
        }
        _ = roost_seal_writes(file.number)
        return try pass(file, ROOST_FILE_OF_REQUEST)
    }

    private func pass(_ file: Descriptor, _ kind: Int32) throws(ChannelError) -> Bool {
        if roost_send_descriptor(bodies.number, file.number, kind) == 0 { return true }
        guard errno == EAGAIN || errno == EWOULDBLOCK else { throw .system("sendmsg to an instance", errno) }
        return false
    }

    // MARK: replies

    /// That of the reply which `receive` hands over, where its header says that it has one.
    public private(set) var summary = ReplySummary()

    /// Hands published replies to `each`, in order; the spans are valid during the call only.
    ///
    /// About a ring's worth of them at most: an instance that publishes as fast as it is read must not keep the loop.
    /// `prepareToSleep` says when more are there.
    /// - Returns: whether there were any.
    @discardableResult
    public func receive(
        _ each: (_ header: ReplyHeader, _ contentTypeText: RawSpan, _ body: RawSpan) -> Void
    ) throws(ChannelError) -> Bool {
        let begin = replyHead
        while replyHead - begin < UInt64(mapping.ringBytes) {
            let tail = unsafe roost_load_acquire(&mapping.page.pointee.reply_tail)
            guard tail >= replyHead, tail - replyHead <= UInt64(mapping.ringBytes), tail % 8 == 0 else {
                throw .nonsense("reply tail \(tail) with head \(replyHead)")
            }
            guard tail > replyHead else { break }
            while replyHead < tail { try receiveOne(available: Int(tail - replyHead), each) }
            unsafe roost_store_release(&mapping.page.pointee.reply_head, replyHead)
            if unsafe roost_claim_wake(&mapping.page.pointee.room_wanted) == 1 {
                unsafe roost_futex_wake(&mapping.page.pointee.room_wanted)
            }
        }
        return replyHead > begin
    }

    /// Announces that this side will wait for the doorbell. False when something arrived meanwhile: receive again.
    public func prepareToSleep() -> Bool {
        unsafe roost_announce_sleep(&mapping.page.pointee.reply_sleeping)
        guard unsafe roost_load_acquire(&mapping.page.pointee.reply_tail) == replyHead else {
            unsafe roost_cancel_sleep(&mapping.page.pointee.reply_sleeping)
            return false
        }
        return true
    }

    private func receiveOne(
        available: Int, _ each: (_ header: ReplyHeader, _ contentTypeText: RawSpan, _ body: RawSpan) -> Void
    ) throws(ChannelError) {
        let headerSize = MemoryLayout<roost_reply_frame>.size
        let place = unsafe mapping.replies + Int(replyHead % UInt64(mapping.ringBytes))
        guard available >= headerSize else { throw .nonsense("a reply frame of \(available) bytes") }
        // One copy, then only the copy is looked at: the instance may rewrite its memory at any time.
        let frame = unsafe place.load(as: roost_reply_frame.self)
        let (size, textSize) = (Int(frame.frame_size), Int(frame.content_type_size))
        guard size >= headerSize, size <= available, size % 8 == 0, textSize <= 256,
            frame.body_size <= UInt64(replyBytesMax)
        else { throw .nonsense("a reply frame of \(size) bytes with a body of \(frame.body_size)") }
        let bodySize = Int(frame.body_size)
        if frame.flags & UInt16(ROOST_FRAME_WANTS_FILE) != 0 {
            try grantFile(bodySize, asArea: frame.flags & UInt16(ROOST_FRAME_NEW_AREA) != 0)
        } else {
            guard var header = ReplyHeader(frame) else {
                throw .nonsense("a reply with status \(frame.status), outcome \(frame.outcome)")
            }
            let text = unsafe UnsafeRawBufferPointer(start: place + headerSize, count: textSize)
            if frame.flags & UInt16(ROOST_FRAME_BODY_IN_FILE) != 0 {
                guard headerSize + textSize <= size else { throw .nonsense("a content type beyond its frame") }
                header.hasSummary = try unsafe readSummary(frame, place, from: headerSize + textSize, to: size)
                let body = try readGrantedFile(bodySize)
                unsafe each(header, text.bytes, body.bytes)
            } else if frame.flags & UInt16(ROOST_FRAME_BODY_IN_AREA) != 0 {
                guard headerSize + textSize <= size else { throw .nonsense("a content type beyond its frame") }
                header.hasSummary = try unsafe readSummary(frame, place, from: headerSize + textSize, to: size)
                guard let body = unsafe replyArea?.body(at: frame.body_at, count: bodySize) else {
                    throw .nonsense("a body of \(bodySize) bytes at \(frame.body_at) in the area for replies")
                }
                unsafe each(header, text.bytes, body.bytes)
            } else {
                guard headerSize + textSize + bodySize <= size else { throw .nonsense("a body beyond its frame") }
                header.hasSummary = try unsafe readSummary(
                    frame, place, from: headerSize + textSize + bodySize, to: size)
                let body = unsafe UnsafeRawBufferPointer(start: place + headerSize + textSize, count: bodySize)
                unsafe each(header, text.bytes, body.bytes)
            }
        }
        replyHead += UInt64(size)
    }

    /// Whether the frame at `place` has a summary, which is then read from a copy of its bytes.
    private func readSummary(
        _ frame: roost_reply_frame, _ place: UnsafeMutableRawPointer, from bodyEnd: Int, to size: Int
    ) throws(ChannelError) -> Bool {
        guard frame.flags & UInt16(ROOST_FRAME_HAS_SUMMARY) != 0 else { return false }
        let start = ChannelMapping.padded(bodyEnd)
        guard start < size, size - start <= ReplySummary.bytesMax else {
            throw .nonsense("a summary of \(size - start) bytes")
        }
        let copy = unsafe [UInt8](UnsafeRawBufferPointer(start: place + start, count: size - start))
        guard let found = ReplySummary(decoding: copy.bytes) else { throw .nonsense("a summary that says nothing") }
        summary = found
        return true
    }

    /// The file that the instance asked for and writes its next large reply to.
    private var granted: Descriptor?

    private func grantFile(_ size: Int, asArea: Bool) throws(ChannelError) {
        guard granted == nil, size > 0 else { throw .nonsense("a second file asked for before the first was used") }
        guard !asArea || (replyArea == nil && size == BodyArea.bytes) else {
            throw .nonsense("a second area for replies, or one of \(size) bytes")
        }
        let file = try Descriptor(unsafe roost_sealed_memory("reply", UInt64(size)), "memfd_create")
        let area = try asArea ? BodyArea(file, writable: false) : nil
        guard try pass(file, ROOST_FILE_OF_REPLY) else { throw .nonsense("files asked for but not taken") }
        if let area { replyArea = area } else { granted = file }
        wakeInstance()
    }

    private func readGrantedFile(_ size: Int) throws(ChannelError) -> [UInt8] {
        guard let file = granted else { throw .nonsense("a reply in a file that was never asked for") }
        granted = nil
        var failure: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
            while filled < size {
                let count = unsafe pread(
                    file.number, buffer.baseAddress.map { unsafe $0 + filled }, size - filled, off_t(filled))
                guard count > 0 else {
                    failure = count == 0 ? EPROTO : errno
                    return
                }
                filled += count
            }
        }
        guard failure == 0 else { throw .nonsense("a reply file shorter than its \(size) bytes") }
        // No limit counts what an instance kept of it.
        guard roost_take_back(file.number) == 0 else { throw .nonsense("the file of a reply is still written to") }
        return bytes
    }
}

extension roost_request_frame {
    /// All but what depends on the body and its place.
    fileprivate init(_ header: RequestHeader) {
        self.init()
        operation = header.operation.rawValue
        flags = header.wants.rawValue
        id = header.id.rawValue
        arrived_ns = header.arrived.nanoseconds
        deadline_ns = header.deadline.nanoseconds
        patience_ns = header.patience.nanoseconds
        threshold = header.threshold
        content_type = header.contentType.rawValue
        accept = header.accept.rawValue
        json_size = header.jsonBytes.map { UInt64($0) } ?? ROOST_NO_BINARY
        body_limit = UInt64(header.bodyLimit)
        content_coding = header.contentCoding.rawValue
        accept_coding = header.acceptCoding.rawValue
    }
}

extension ReplyHeader {
    fileprivate init?(_ frame: roost_reply_frame) {
        // Those without a body, or with a meaning for the connection, are not an instance's to send.
        guard frame.status == 200 || (400...599).contains(frame.status),
            let contentType = MediaType(rawValue: frame.content_type),
            let outcome = Outcome(rawValue: frame.outcome), let coding = ContentCoding(rawValue: frame.content_coding)
        else { return nil }
        var jsonBytes: Int?
        if frame.json_size != ROOST_NO_BINARY {
            // How long the body was before it was compressed, nobody here knows.
            guard frame.json_size <= (coding == .identity ? frame.body_size : UInt64(UInt32.max)) else { return nil }
            jsonBytes = Int(frame.json_size)
        }
        self.init(id: RequestID(rawValue: frame.id), status: frame.status, contentType: contentType, outcome: outcome)
        rows = frame.rows
        batchRows = frame.batch_rows
        infer = Instant.Span(nanoseconds: frame.infer_ns)
        self.jsonBytes = jsonBytes
        contentCoding = coding
        decode = Instant.Span(nanoseconds: frame.decode_ns)
        encode = Instant.Span(nanoseconds: frame.encode_ns)
    }
}
