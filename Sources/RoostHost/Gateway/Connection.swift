internal import RoostBasics
internal import RoostHTTP
internal import RoostLoop

/// One client: reads requests, gives them to the handler in turn, and holds what is still arriving.
///
/// Its server owns it; it ends by `abandon` or by `finish`, after which nobody calls it.
final class Connection: StreamDelegate {
    enum Mode {
        /// Requests are read. Goes to finishing, lingering or closed.
        case open
        /// No more requests; closes when the last reply has gone. Goes to lingering or closed.
        case finishing
        /// Everything is said; what still comes is thrown away until the client has read it. Goes to closed.
        case lingering
        /// Writing failed. Goes to closed at the end of the turn.
        case broken
        /// Gone.
        case closed
    }

    let server: HTTPServer
    let stream: Stream
    /// In the server's table.
    let place: Int
    var mode = Mode.open
    var isDirty = false

    /// Requests under way, in order: a list through `Exchange.next`.
    var firstSlot = -1
    var lastSlot = -1
    var underWay = 0

    private var parser: RequestParser
    /// Of the present message, when it did not come in one piece.
    private var body = ByteBuffer()
    private var bodyReceived = 0
    /// Of that, what came before `since`.
    private var bodyReceivedBefore = 0
    /// Read, but not yet parsed, because enough requests are under way.
    private(set) var readAhead = ByteBuffer()
    private(set) var isReading = false
    /// The request being handed on is not the last of what was read.
    private(set) var hasMoreInput = false
    var owesContinue = false

    /// Replies that go out together at the end of the turn.
    var output = ByteBuffer()
    var closesAfterOutput = false
    var lingersAfterOutput = false

    /// The server's tick when the present state of affairs began: a head, a body, idleness, lingering.
    var since: UInt32
    private var unsentBefore = 0
    private var stalledSince: UInt32

    init(_ stream: Stream, at place: Int, on server: HTTPServer) {
        self.server = server
        self.stream = stream
        self.place = place
        parser = RequestParser(isLocal: stream.isLocal)
        since = server.tick
        stalledSince = server.tick
    }

    // MARK: What the stream says

    func stream(_ stream: Stream, didRead bytes: RawSpan) {
        server.counters.bytesReceived += bytes.byteCount
        guard mode == .open else { return }
        if readAhead.isEmpty {
            read(bytes)
        } else {
            readAhead.append(bytes)
            if readAhead.count >= server.limits.readAheadBytesMax { stream.pauseReading() }
        }
    }

    func streamDidEnd(_ stream: Stream, error: UVError?) {
        // Replies on their way may still be wanted by a client that only stopped sending.
        if error == nil, underWay == 0, stream.unsentBytes + output.count > 0, mode != .lingering {
            mode = .finishing
            closesAfterOutput = true
            lingersAfterOutput = false
        } else {
            abandon()
        }
    }

    func streamDidDrain(_ stream: Stream, error: UVError?) {
        guard error == nil else { return abandon() }
        guard mode != .closed else { return }
        if closesAfterOutput, output.isEmpty { return finish() }
        if !readAhead.isEmpty { server.markDirty(self) }
    }

    // MARK: Reading

    /// Whether another request may be taken up now.
    var hasRoom: Bool {
        underWay < server.limits.pipelinedMax
            && stream.unsentBytes + output.count <= server.limits.unsentBytesMax
    }

    private func read(_ bytes: RawSpan) {
        isReading = true
        var used = 0
        while used < bytes.byteCount, mode == .open {
            guard hasRoom else {
                readAhead.append(bytes.extracting(used..<bytes.byteCount))
                break
            }
            let rest = bytes.extracting(used..<bytes.byteCount)
            if !parser.isInsideMessage { since = server.tick }
            let step = parser.parse(rest)
            used += step.consumed
            if let fault = step.fault {
                refuse(fault)
                break
            }
            if step.hasHead, let refusal = beginBody(step) {
                refuse(refusal)
                break
            }
            hasMoreInput = used < bytes.byteCount
            if step.isComplete, body.isEmpty {
                handOn(rest.extracting(step.body))
            } else if step.isComplete || !step.body.isEmpty {
                if let refusal = keep(rest.extracting(step.body)) {
                    refuse(refusal)
                    break
                }
                if step.isComplete { handOnKept() }
            }
            // What cannot be taken need not come first.
            if parser.chunkedBytesAnnounced > server.limits.bodyBytesMax {
                refuse(HTTPFault(413, "the body is larger than --max-body allows"))
                break
            }
        }
        hasMoreInput = false
        isReading = false
    }

    /// The head is there: what speaks against reading the body.
    private func beginBody(_ step: RequestParser.Step) -> HTTPFault? {
        (bodyReceived, bodyReceivedBefore) = (0, 0)
        if let refusal = Self.objection(to: parser, server.limits) { return refusal }
        if step.isComplete { return nil }
        since = server.tick
        if Self.expectsContinue(parser) {
            owesContinue = true
            sendContinueIfOwed()
        }
        return nil
    }

    private static func objection(to parser: borrowing RequestParser, _ limits: GatewayLimits) -> HTTPFault? {
        let head = parser.head
        if head.has(.expect), !head.value(.expect, is: "100-continue") {
            return HTTPFault(417, "the only expectation met here is 100-continue")
        }
        if head.has(.contentEncoding), let refusal = objection(toCodingOf: head) { return refusal }
        if let length = parser.contentLength, length > limits.bodyBytesMax {
            return HTTPFault(413, "the body is larger than --max-body allows")
        }
        return nil
    }

    /// Instances decompress, inside of their sandbox; nothing else does.
    private static func objection(toCodingOf head: borrowing RequestHead) -> HTTPFault? {
        guard InferencePath.mayBe(head) else {
            guard head.contentCoding != .identity else { return nil }
            return HTTPFault(
                415, "Content-Encoding is not supported here: send the body as it is",
                fields: "Accept-Encoding: identity\r\n")
        }
        guard head.contentCoding == nil else { return nil }
        return HTTPFault(
            415, "Content-Encoding: expected gzip, deflate or identity", fields: "Accept-Encoding: gzip, deflate\r\n")
    }

    private static func expectsContinue(_ parser: borrowing RequestParser) -> Bool {
        let head = parser.head
        return head.isHTTP11 && head.has(.expect)
    }

    /// Adds a piece to the body that is arriving.
    private func keep(_ piece: RawSpan) -> HTTPFault? {
        bodyReceived += piece.byteCount
        guard bodyReceived <= server.limits.bodyBytesMax else {
            return HTTPFault(413, "the body is larger than --max-body allows")
        }
        let before = body.capacity
        body.append(piece)
        server.counters.heldBodyBytes += body.capacity - before
        guard server.counters.heldBodyBytes <= server.limits.heldBodyBytesMax else {
            return HTTPFault(503, "the memory for bodies is taken: see --max-memory-bodies")
        }
        return nil
    }

    private func dropBody() {
        server.counters.heldBodyBytes -= body.capacity
        body.release()
    }

    private func handOnKept() {
        var taken = ByteBuffer()
        swap(&taken, &body)
        handOn(taken.bytes)
        server.counters.heldBodyBytes -= taken.capacity
    }

    /// A request is complete: the handler's turn.
    private func handOn(_ body: RawSpan) {
        owesContinue = false
        since = server.tick
        guard let handler = server.handler else { return }
        let slot = begin(parser)
        server.counters.requestsTotal += 1
        Self.handOn(parser, body, server.exchanges.id(of: slot), to: handler, on: server)
    }

    private static func handOn(
        _ parser: borrowing RequestParser, _ body: RawSpan, _ id: RequestID, to handler: any RequestHandler,
        on server: HTTPServer
    ) {
        handler.handle(parser.head, body: body, id: id, on: server)
    }

    /// Opens an exchange for the message that the parser has read.
    private func begin(_ parser: borrowing RequestParser) -> Int {
        let head = parser.head
        let slot = enqueue()
        server.requestIDs.assign(to: slot, from: head)
        server.exchanges[slot].isHead = head.method == .head
        server.exchanges[slot].isHTTP11 = head.isHTTP11
        if !head.keepsAlive {
            server.exchanges[slot].closes = true
            mode = .finishing
        }
        return slot
    }

    private func enqueue() -> Int {
        let slot = server.exchanges.take(for: place)
        if lastSlot < 0 { firstSlot = slot } else { server.exchanges[lastSlot].next = slot }
        lastSlot = slot
        underWay += 1
        return slot
    }

    /// Answers in the order of requests, like everything else, and reads no more.
    private func refuse(_ fault: HTTPFault) {
        let status = fault.status
        mode = .finishing
        owesContinue = false
        dropBody()
        server.counters.refusedTotal += 1
        let slot = enqueue()
        server.requestIDs.assign(to: slot)
        server.exchanges[slot].closes = true
        server.exchanges[slot].lingers = true
        var text = ByteBuffer()
        text.append("{\"error\": \"")
        text.append(fault.reason)
        text.append("\"}")
        var fields = ByteBuffer()
        fields.append(fault.fields)
        if status == 503 { fields.append("Retry-After: 1\r\n") }
        server.reply(
            to: server.exchanges.id(of: slot), status: status, type: .json, fields: fields.bytes, body: text.bytes)
    }

    // MARK: The end of a turn, and of time

    func endTurn() {
        if mode == .broken { return abandon() }
        guard mode != .closed else { return }
        flush()
        guard mode == .open, !readAhead.isEmpty, hasRoom else { return }
        var taken = ByteBuffer()
        swap(&taken, &readAhead)
        // While nothing was read, the client could not send: that time is not its own.
        (since, bodyReceivedBefore) = (server.tick, bodyReceived)
        read(taken.bytes)
        if mode == .open, readAhead.count < server.limits.readAheadBytesMax, !stream.isReading {
            do { try stream.resumeReading() } catch { return abandon() }
        }
        if !output.isEmpty { server.markDirty(self) }
    }

    func drain() {
        if mode == .open, underWay == 0, !parser.isInsideMessage, output.isEmpty, stream.unsentBytes == 0 { finish() }
    }

    /// Whether the reply in `slot` is the last that this connection owes and nothing more is being read.
    func canEndWith(_ slot: Int) -> Bool {
        underWay == 1 && lastSlot == slot && !parser.isInsideMessage && !hasMoreInput
    }

    func sweep() {
        let limits = server.limits
        let age = server.tick &- since
        let unsent = stream.unsentBytes
        if unsent == 0 || unsent != unsentBefore { (unsentBefore, stalledSince) = (unsent, server.tick) }
        if server.tick &- stalledSince > limits.ticks(limits.idleTime) { return abandon() }
        switch mode {
        case .closed, .broken: return
        case .lingering: if age > limits.ticks(limits.lingerTime) { finish() }
        case .finishing: if !stream.isReading, stream.peerHasGone { abandon() }
        case .open:
            if underWay > 0, !stream.isReading, stream.peerHasGone { return abandon() }
            guard readAhead.isEmpty else { return }
            if !parser.isInsideMessage {
                if underWay == 0, unsent == 0, age > limits.ticks(limits.idleTime) { finish() }
            } else if !Self.hasHead(parser) {
                if age > limits.ticks(limits.headTime) {
                    refuse(HTTPFault(408, "the request's head took too long to arrive"))
                }
            } else if age > limits.ticks(limits.bodyGrace) {
                let wanted = Double(limits.bodyBytesPerSecondMin) * limits.tick.seconds * Double(age)
                if Double(bodyReceived - bodyReceivedBefore) < wanted {
                    refuse(HTTPFault(408, "the request's body took too long to arrive"))
                }
            }
        }
    }

    private static func hasHead(_ parser: borrowing RequestParser) -> Bool { parser.hasHead }

    // MARK: The end

    /// Everything is sent. Tells a client that may still be sending that no more comes, and closes when it has read.
    func finish() {
        if lingersAfterOutput, mode != .lingering {
            mode = .lingering
            lingersAfterOutput = false
            since = server.tick
            stream.shutdownWriting()
            do { try stream.resumeReading() } catch { abandon() }
            return
        }
        end()
    }

    /// The client has gone, or must go.
    func abandon() {
        guard mode != .closed else { return }
        end()
        var slot = firstSlot
        (firstSlot, lastSlot, underWay) = (-1, -1, 0)
        while slot >= 0 {
            let exchange = server.exchanges[slot]
            let id = server.exchanges.id(of: slot)
            server.exchanges.free(slot)
            if exchange.state == .waiting {
                server.counters.clientsGoneTotal += 1
                server.handler?.clientGone(id)
            }
            slot = exchange.next
        }
    }

    private func end() {
        mode = .closed
        dropBody()
        readAhead.release()
        output.release()
        stream.close()
        server.forget(self)
    }
}
