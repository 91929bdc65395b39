import RoostBasics
import RoostHTTP
import RoostHost
import RoostLoop
import Testing

import class Foundation.Thread

/// A handler that does what the path says.
///
/// `/echo` answers with the body at once; `/hold` keeps the request until `/release` (newest first) or `/release-one`;
/// `/never` is not answered, `/when-gone` is once a client has gone; `/bytes/N` answers N bytes; `/local` says whether
/// the caller is; `/empty` is 204.
final class Scripted: RequestHandler {
    var held: [(RequestID, String)] = []
    var heldMost = 0
    var handled = 0
    var gone: [RequestID] = []
    var waitsForGone: RequestID?
    var onHeld: () -> Void = {}

    func handle(_ head: borrowing RequestHead, body: RawSpan, id: RequestID, on server: HTTPServer) {
        handled += 1
        let path = head.path.text
        switch path {
        case "/echo": server.reply(to: id, status: 200, type: .octetStream, body: body)
        case "/hold":
            held.append((id, head.query.text))
            heldMost = max(heldMost, held.count)
            onHeld()
        case "/release":
            for (id, text) in held.reversed() { answer(id, text, on: server) }
            held = []
            answer(id, "released", on: server)
        case "/release-one":
            if !held.isEmpty {
                let (first, text) = held.removeFirst()
                answer(first, text, on: server)
            }
            answer(id, "released", on: server)
        case "/never": held.append((id, ""))
        case "/when-gone":
            waitsForGone = id
            tellIfGone(on: server)
        case "/local": answer(id, head.isLocal ? "local" : "remote", on: server)
        case "/empty": server.reply(to: id, status: 204, type: .unstated)
        default:
            let count = Int(path.dropFirst("/bytes/".count)) ?? 0
            var bytes = ByteBuffer()
            for index in 0..<count { bytes.append(UInt8(truncatingIfNeeded: index &* 31)) }
            server.reply(to: id, status: path.hasPrefix("/bytes/") ? 200 : 404, type: .octetStream, body: bytes.bytes)
        }
    }

    func answer(_ id: RequestID, _ text: String, on server: HTTPServer) {
        var bytes = ByteBuffer()
        bytes.append(text)
        server.reply(to: id, status: 200, type: .text, body: bytes.bytes)
    }

    func clientGone(_ id: RequestID) { gone.append(id) }

    func tellIfGone(on server: HTTPServer) {
        guard let id = waitsForGone, !gone.isEmpty else { return }
        waitsForGone = nil
        for dead in gone { answer(dead, "nobody hears this", on: server) }
        answer(id, "gone \(gone.count)", on: server)
    }
}

/// Runs a server on this thread and `client` on another until the client is through.
func serve(
    _ limits: GatewayLimits = GatewayLimits(), handler: Scripted = Scripted(),
    prepare: (HTTPServer, Loop) throws -> Void = { _, _ in }, check: @escaping (HTTPServer) -> Void = { _ in },
    client: @escaping @Sendable (UInt16) -> Void
) throws {
    let loop = try Loop()
    let server = try HTTPServer(on: loop, limits: limits, handler: handler)
    let port = try server.listen(at: .tcp(host: "127.0.0.1", port: 0))
    let watch = TurnHook(.gather, on: loop) { handler.tellIfGone(on: server) }
    var finish: () -> Void = {}
    let mailbox = try Mailbox<Bool>(on: loop) { _ in finish() }
    finish = {
        check(server)
        server.close()
        mailbox.close()
    }
    try prepare(server, loop)
    let sender = mailbox.sender
    Thread {
        client(port)
        sender.send(true)
    }.start()
    loop.run()
    finish = {}
    watch.close()
    handler.onHeld = {}
    #expect(loop.openHandles == 0)
    #expect(server.counters.connectionsOpen == 0)
    #expect(server.counters.heldBodyBytes == 0)
}

/// Limits whose times pass within a test.
func hasty(_ change: (inout GatewayLimits) -> Void = { _ in }) -> GatewayLimits {
    var limits = GatewayLimits()
    limits.tick = .milliseconds(5)
    change(&limits)
    return limits
}
