public import RoostBasics
public import RoostHTTP
internal import RoostLoop

extension HTTPServer {
    /// Answers a request. Replies may come in any order; each connection gets its own in the order of its requests.
    ///
    /// The spans are read during this call only: what the socket does not take at once is copied. A reply to a dead
    /// id is dropped.
    ///
    /// - type: of the body; `.unstated` when there is none or `fields` names it.
    /// - fields: further header lines, each ending in CR LF. Not `Content-Length`, `Date`, `Connection` or
    ///   `X-Request-Id`: those are the gateway's.
    public func reply(
        to id: RequestID, status: Int, type: ContentType, fields: RawSpan = RawSpan(), body: RawSpan = RawSpan()
    ) {
        guard let slot = exchanges.slot(waiting: id) else { return }
        let place = exchanges[slot].connection
        guard place != Exchange.inside else {
            return replyInside(slot, status: status, type: type, fields: fields, body: body)
        }
        guard let connection = connection(at: place) else { return }
        let isNext = connection.firstSlot == slot
        let isLast = isNext && connection.canEndWith(slot)
        if isDraining && isLast { exchanges[slot].closes = true }
        let kept = exchanges[slot].isHTTP11 ? ConnectionField.unstated : .keepAlive
        let hasBody = status != 204 && status != 304
        writer.begin(
            status: status, type: type, bodyBytes: hasBody ? body.byteCount : nil, fields: fields, idOf: slot,
            in: requestIDs, connection: exchanges[slot].closes ? .close : kept)
        let sent = hasBody && !exchanges[slot].isHead ? body : RawSpan()
        if isNext {
            connection.send(sent, ending: slot)
        } else {
            let reply = HeldReply()
            HTTPServer.hold(writer, sent, in: reply)
            exchanges[slot].reply = reply
            exchanges[slot].state = .held
        }
    }

    /// The `X-Request-Id` of a request that waits for its reply; empty for any other.
    func requestIDText(of id: RequestID) -> String {
        exchanges.slot(waiting: id).map { Self.text(requestIDs, $0) } ?? ""
    }

    private static func text(_ table: borrowing RequestIDTable, _ slot: Int) -> String { table[slot].text }

    private static func hold(_ writer: borrowing ReplyWriter, _ body: RawSpan, in reply: HeldReply) {
        reply.bytes.append(writer.bytes)
        reply.bytes.append(body)
    }
}

extension ReplyWriter {
    fileprivate mutating func begin(
        status: Int, type: ContentType, bodyBytes: Int?, fields: RawSpan, idOf slot: Int,
        in table: borrowing RequestIDTable, connection: ConnectionField
    ) {
        begin(
            status: status, type: type, bodyBytes: bodyBytes, fields: fields, requestID: table[slot],
            connection: connection)
    }
}
