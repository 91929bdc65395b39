import RoostBasics
import RoostHTTP
import RoostHost
import RoostLoop
import Testing

@Suite struct LimitTests {
    /// Each is answered in JSON, and the connection is closed so that the answer can be read.
    private func refusal(of request: String, _ limits: GatewayLimits = GatewayLimits(), is status: Int) throws {
        try serve(limits, check: { #expect($0.counters.refusedTotal == 1) }) { port in
            let client = Client(port: port)
            client.send(request)
            let reply = client.reply()
            #expect(reply?.status == status)
            #expect(reply?.field("Connection") == "close")
            #expect(reply?.text.hasPrefix("{\"error\": \"") == true && reply?.text.hasSuffix("\"}") == true)
            #expect(reply?.field("Retry-After") == (status == 503 ? "1" : nil))
            #expect(reply?.field("X-Request-Id")?.count == 24)
            #expect(client.isAtEnd())
        }
    }

    @Test func ambiguousFramingIsRefused() throws {
        try refusal(of: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", is: 400)
        try refusal(of: "GET / HTTP/1.1\r\n\r\n", is: 400)
        try refusal(of: get("/echo", "X: a\r\n b\r\n"), is: 400)
    }

    @Test func aHeadThatIsTooLargeIsRefused() throws {
        try refusal(of: get("/echo", "X: \(String(repeating: "x", count: 20_000))\r\n"), is: 431)
    }

    @Test func aBodyThatIsTooLargeIsRefusedAndTheRefusalIsRead() throws {
        let limits = hasty { $0.bodyBytesMax = 100_000 }
        let body = String(repeating: "x", count: 3_000_000)
        try refusal(of: post("/echo", body), limits, is: 413)
        let chunk = "186A1\r\n\(String(repeating: "x", count: 100_001))\r\n0\r\n\r\n"
        try refusal(of: "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk, limits, is: 413)
    }

    @Test func aBodyJustWithinTheLimitIsTaken() throws {
        try serve(hasty { $0.bodyBytesMax = 100_000 }) { port in
            let client = Client(port: port)
            client.send(post("/echo", String(repeating: "x", count: 100_000)))
            #expect(client.reply()?.body.count == 100_000)
        }
    }

    @Test func anEncodedBodyIsRefused() throws {
        try refusal(of: post("/echo", "x", "Content-Encoding: gzip\r\n"), is: 415)
        try refusal(of: post("/echo", "x", "Content-Encoding: identity\r\nContent-Encoding: gzip\r\n"), is: 415)
        try refusal(of: post("/v2/models/a/infer", "x", "Content-Encoding: br\r\n"), is: 415)
        try serve { port in
            let client = Client(port: port)
            client.send(post("/echo", "x", "Content-Encoding: identity\r\n"))
            #expect(client.reply()?.text == "x")
            // Requests for models are read by instances, which decompress.
            client.send(post("/v2/models/a/infer", "x", "Content-Encoding: gzip\r\n"))
            #expect(client.reply()?.status != 415)
            client.send(post("/echo", "x", "Content-Encoding: gzip\r\n"))
            #expect(client.reply()?.field("Accept-Encoding") == "identity")
        }
    }

    @Test func anotherExpectationIsRefused() throws {
        try refusal(of: post("/echo", "x", "Expect: 200-ok\r\n"), is: 417)
    }

    @Test func aHeadThatDoesNotCompleteTimesOut() throws {
        try refusal(of: "GET / HTTP/1.1\r\nHost", hasty { $0.headTime = .milliseconds(20) }, is: 408)
    }

    @Test func aBodyThatTricklesTimesOut() throws {
        let limits = hasty { $0.bodyGrace = .milliseconds(20) }
        try refusal(of: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n", limits, is: 408)
    }

    @Test func bodiesThatTogetherHoldTooMuchMemoryAreRefused() throws {
        let limits = hasty { $0.heldBodyBytesMax = 300_000 }
        try refusal(of: post("/echo", String(repeating: "x", count: 1_000_000)), limits, is: 503)
    }

    @Test func anIdleConnectionIsClosedWithoutAWord() throws {
        try serve(hasty { $0.idleTime = .milliseconds(20) }) { port in
            let silent = Client(port: port)
            #expect(silent.isAtEnd())
            // On a busy machine a client may be idle before it has sent anything: then it tries again.
            var isServed = false
            while !isServed {
                let client = Client(port: port)
                client.send(get("/echo"))
                isServed = client.reply()?.status == 200
                #expect(client.isAtEnd())
            }
        }
    }

    @Test func aClientThatTakesNothingIsClosed() throws {
        try serve(hasty { $0.idleTime = .milliseconds(30) }) { port in
            let client = Client(port: port, receiveBuffer: 4096)
            client.send(get("/bytes/8000000"))
            let watcher = Client(port: port)
            #expect(watcher.isAtEnd(), "closed for idleness, and so was the other in the same time")
            var open = true
            while open {  // new connections are short-lived here; the stalled one goes for good
                let probe = Client(port: port)
                probe.send(get("/echo"))
                open = probe.reply()?.status != 200
            }
            #expect((client.reply()?.body.count ?? 0) < 8_000_000)
        }
    }

    @Test func aRefusalComesAfterTheRepliesBeforeIt() throws {
        try serve { port in
            let (client, other) = (Client(port: port), Client(port: port))
            client.send(get("/hold?first") + "nonsense\r\n\r\n")
            other.send(get("/release"))
            while other.reply()?.text != "released" {}
            // The release may have come before the request was held.
            other.send(get("/release"))
            _ = other.reply()
            #expect(client.reply()?.text == "first")
            #expect(client.reply()?.status == 400)
            #expect(client.isAtEnd())
        }
    }

    @Test func beyondTheLimitConnectionsWaitAndAreServedLater() throws {
        var limits = GatewayLimits()
        limits.connectionsMax = 2
        try serve(limits) { port in
            var clients = [Client(port: port), Client(port: port)]
            for client in clients {
                client.send(get("/echo"))
                #expect(client.reply()?.status == 200)
            }
            let third = Client(port: port)
            third.send(get("/echo"))
            clients.removeLast()
            #expect(third.reply()?.status == 200)
            clients.removeAll()
        }
    }

    @Test func drainingFinishesWhatHasBegun() throws {
        let handler = Scripted()
        var drained = false
        try serve(
            handler: handler,
            prepare: { server, loop in
                handler.onHeld = { [unowned server] in
                    guard handler.held.count == 2 else { return }
                    server.drain { drained = true }
                    for (id, text) in handler.held { handler.answer(id, text, on: server) }
                }
            }
        ) { port in
            let (idle, first, second) = (Client(port: port), Client(port: port), Client(port: port))
            idle.send(get("/echo"))
            #expect(idle.reply()?.field("Connection") == nil)
            first.send(get("/hold?1"))
            second.send(get("/hold?2"))
            for (client, text) in [(first, "1"), (second, "2")] {
                let reply = client.reply()
                #expect(reply?.text == text && reply?.field("Connection") == "close")
                #expect(client.isAtEnd())
            }
            #expect(idle.isAtEnd())
            #expect(Client(port: port).isAtEnd())
        }
        #expect(drained)
    }

    @Test func hundredsOfIdleConnectionsLeaveTheOthersAlone() throws {
        try serve(hasty()) { port in
            let idle = (0..<300).map { _ in Client(port: port) }
            let client = Client(port: port)
            for _ in 0..<100 {
                client.send(post("/echo", "x"))
                #expect(client.reply()?.text == "x")
            }
            for client in idle {
                client.send(get("/echo"))
                #expect(client.reply()?.status == 200)
            }
        }
    }
}
