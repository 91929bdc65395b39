// The gateway with nothing behind it: every request gets the reply that `responder.c` gives.
import RoostBasics
import RoostHTTP
import RoostHost
import RoostLoop

/// Answers at once, from within `handle`.
final class FixedReply: RequestHandler {
    private var text = ByteBuffer()

    init() { text.append("{\"predictions\": [0.87654321], \"version\": \"1\"}") }

    func handle(_ head: borrowing RequestHead, body: RawSpan, id: RequestID, on server: HTTPServer) {
        Self.answer(id, with: text, on: server)
    }

    /// A class cannot lend a span of its own property; a function can.
    private static func answer(_ id: RequestID, with text: borrowing ByteBuffer, on server: HTTPServer) {
        server.reply(to: id, status: 200, type: .json, body: text.bytes)
    }

    func clientGone(_ id: RequestID) {}
}

let loop = try Loop()
let handler = FixedReply()
let server = try HTTPServer(on: loop, handler: handler)
let port = try server.listen(
    at: .tcp(host: "127.0.0.1", port: UInt16(CommandLine.arguments.dropFirst().first ?? "") ?? 0))
var stop: [SignalWatcher] = []
for number: Int32 in [2, 15] {
    stop.append(
        try SignalWatcher(number, on: loop) {
            server.close()
            for watcher in stop { watcher.close() }
        })
}
print("listening on \(port)")
loop.run()
