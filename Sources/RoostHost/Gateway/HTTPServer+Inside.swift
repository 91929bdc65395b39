internal import RoostBasics
internal import RoostHTTP

/// What a request that no connection brought is answered with: as the gateway would have sent it.
struct InsideReply {
    let status: Int
    let type: ContentType
    /// Header lines, each with its end.
    let fields: [UInt8]
    let body: [UInt8]

    /// The value of the first of these lines that is called so, which is asked in lower case.
    func field(_ name: String) -> String? {
        for line in fields.split(whereSeparator: { $0 == 0x0D || $0 == 0x0A }) {
            let text = String(decoding: line, as: UTF8.self)
            guard let colon = text.firstIndex(of: ":"), text[..<colon].lowercased() == name else { continue }
            return String(text[text.index(after: colon)...].drop { $0 == " " })
        }
        return nil
    }
}

/// Requests of the host itself, such as those of triggers: they have an exchange like any other, so that everything
/// behind the gateway treats them like any other.
extension HTTPServer {
    /// Opens an exchange; `onReply` is called by the `reply` to it, unless it is dropped before.
    func openInside(_ onReply: @escaping (InsideReply) -> Void) -> RequestID {
        let slot = exchanges.take(for: Exchange.inside)
        requestIDs.assign(to: slot)
        insideReplies[slot] = onReply
        return exchanges.id(of: slot)
    }

    /// Nobody waits for the reply any more; the id is dead.
    func dropInside(_ id: RequestID) {
        guard let slot = exchanges.slot(waiting: id), insideReplies.removeValue(forKey: slot) != nil else { return }
        exchanges.free(slot)
    }

    func replyInside(_ slot: Int, status: Int, type: ContentType, fields: RawSpan, body: RawSpan) {
        guard let onReply = insideReplies.removeValue(forKey: slot) else { return }
        exchanges.free(slot)
        var (lines, content): ([UInt8], [UInt8]) = ([], [])
        lines.append(fields)
        content.append(body)
        onReply(InsideReply(status: status, type: type, fields: lines, body: content))
    }
}
