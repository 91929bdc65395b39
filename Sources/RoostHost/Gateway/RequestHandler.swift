public import RoostBasics
public import RoostHTTP

/// Who answers requests.
public protocol RequestHandler: AnyObject {
    /// A request is complete. `head` and `body` are valid only during this call. Answer now or later by
    /// `server.reply(to: id, …)`, exactly once.
    func handle(_ head: borrowing RequestHead, body: RawSpan, id: RequestID, on server: HTTPServer)

    /// The client of an unanswered request has gone. The id is dead: a reply to it is dropped.
    /// Never called from within `reply`.
    func clientGone(_ id: RequestID)
}
