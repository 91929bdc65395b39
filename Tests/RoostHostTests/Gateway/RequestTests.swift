import RoostBasics
import RoostHTTP
import RoostHost
import RoostLoop
import Testing

import class Foundation.FileManager
import struct Foundation.UUID

@Suite struct RequestTests {
    @Test func aConnectionServesRequestAfterRequest() throws {
        try serve(check: { #expect($0.counters.requestsTotal == 3 && $0.counters.connectionsTotal == 1) }) { port in
            let client = Client(port: port)
            for text in ["one", "two", "two"] {
                client.send(post("/echo", text))
                let reply = client.reply()
                #expect(reply?.status == 200 && reply?.text == text)
                #expect(reply?.field("Connection") == nil)
                #expect(reply?.field("Date")?.hasSuffix(" GMT") == true)
                #expect(reply?.field("Content-Type") == "application/octet-stream")
            }
        }
    }

    @Test func everyReplyHasARequestIDAndASaneOneIsTheClients() throws {
        try serve { port in
            let client = Client(port: port)
            var seen: Set<String> = []
            for _ in 0..<40 {
                client.send(get("/echo"))
                seen.insert(client.reply()?.field("X-Request-Id") ?? "")
            }
            #expect(seen.count == 40)
            client.send(get("/echo", "X-Request-Id: abc-\u{7e}1\r\n"))
            #expect(client.reply()?.field("X-Request-Id") == "abc-\u{7e}1")
            for insane in ["a b", "caf\u{e9}", String(repeating: "x", count: 129)] {
                client.send(get("/echo", "X-Request-Id: \(insane)\r\n"))
                #expect(client.reply()?.field("X-Request-Id")?.count == 24)
            }
        }
    }

    @Test func repliesOutOfTurnLeaveInTheOrderOfRequests() throws {
        try serve { port in
            let client = Client(port: port)
            client.send((0..<8).map { get("/hold?\($0)") }.joined() + get("/release"))
            for index in 0..<8 { #expect(client.reply()?.text == "\(index)") }
            #expect(client.reply()?.text == "released")
        }
    }

    @Test func manyPipelinedRequestsAreAllAnswered() throws {
        try serve { port in
            let client = Client(port: port)
            client.send((0..<1_000).map { post("/echo", "\($0)") }.joined())
            for index in 0..<1_000 { #expect(client.reply()?.text == "\(index)") }
        }
    }

    @Test func noMoreThanSixteenOfAConnectionAreUnderWay() throws {
        let handler = Scripted()
        try serve(handler: handler) { port in
            let (client, other) = (Client(port: port), Client(port: port))
            client.send((0..<50).map { get("/hold?\($0)") }.joined())
            // Some ask before a request has come: they are answered, and others ask after them.
            for _ in 0..<500 {
                other.send(get("/release-one"))
                _ = other.reply()
            }
            for index in 0..<50 { #expect(client.reply()?.text == "\(index)") }
        }
        #expect(handler.heldMost == 16)
    }

    @Test func aRequestMayComeByteByByte() throws {
        try serve { port in
            let client = Client(port: port)
            for byte in post("/echo", "slowly").utf8 { client.send([byte]) }
            #expect(client.reply()?.text == "slowly")
        }
    }

    @Test(arguments: [1, 65_536, 2_000_000]) func aLargeBodyComesThrough(_ size: Int) throws {
        try serve { port in
            let client = Client(port: port)
            var bytes = [UInt8](repeating: 7, count: size)
            for index in stride(from: 0, to: size, by: 997) { bytes[index] = UInt8(truncatingIfNeeded: index / 997) }
            let body = bytes
            client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n\r\n")
            client.send(body)
            #expect(client.reply()?.body == body)
            client.send("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
            for start in stride(from: 0, to: size, by: 100_000) {
                let piece = body[start..<min(size, start + 100_000)]
                client.send("\(String(piece.count, radix: 16))\r\n")
                client.send(Array(piece))
                client.send("\r\n")
            }
            client.send("0\r\n\r\n")
            #expect(client.reply()?.body == body)
        }
    }

    @Test func aSlowClientStallsNobodyAndGetsEverything() throws {
        try serve { port in
            let (slow, quick) = (Client(port: port, receiveBuffer: 16_384), Client(port: port))
            slow.send(get("/bytes/4000000"))
            for _ in 0..<100 {
                quick.send(post("/echo", "x"))
                #expect(quick.reply()?.text == "x")
            }
            let reply = slow.reply()
            #expect(reply?.body.count == 4_000_000)
            #expect(reply?.body.last == UInt8(truncatingIfNeeded: 3_999_999 &* 31))
        }
    }

    @Test func theClientOfAWaitingRequestIsKnownToHaveGone() throws {
        let handler = Scripted()
        try serve(handler: handler) { port in
            let watcher = Client(port: port)
            watcher.send(get("/echo"))
            _ = watcher.reply()
            do {
                let client = Client(port: port)
                client.send(get("/never") + get("/never"))
            }
            watcher.send(get("/when-gone"))
            #expect(watcher.reply()?.text.hasPrefix("gone") == true)
            watcher.send(get("/echo"))
            #expect(watcher.reply()?.status == 200)
        }
        #expect(Set(handler.gone) == Set(handler.held.map(\.0)))
    }

    @Test func aClientThatHasSentTooMuchAheadIsStillKnownToHaveGone() throws {
        let handler = Scripted()
        try serve(hasty(), handler: handler) { port in
            let watcher = Client(port: port)
            do {
                let client = Client(port: port)
                for _ in 0..<16 { client.send(get("/never")) }
                client.send(String(repeating: get("/never"), count: 5_000))
            }
            watcher.send(get("/when-gone"))
            #expect(watcher.reply()?.text.hasPrefix("gone") == true)
        }
        #expect(handler.handled <= 17)
    }

    @Test func http10AndCloseEndTheConnection() throws {
        try serve { port in
            let old = Client(port: port)
            old.send("POST /echo HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi")
            let reply = old.reply()
            #expect(reply?.text == "hi" && reply?.field("Connection") == "close")
            #expect(old.isAtEnd())
            let kept = Client(port: port)
            kept.send("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            #expect(kept.reply()?.field("Connection") == "keep-alive")
            kept.send(get("/echo", "Connection: close\r\n") + get("/echo"))
            #expect(kept.reply()?.field("Connection") == "close")
            #expect(kept.isAtEnd(), "nothing is read behind a request that closes")
        }
    }

    @Test func headHasALengthAndNoBodyAnd204HasNeither() throws {
        try serve { port in
            let client = Client(port: port)
            client.send("HEAD /bytes/10 HTTP/1.1\r\nHost: a\r\n\r\n" + get("/empty") + get("/echo"))
            let head = client.reply(toHead: true)
            #expect(head?.status == 200 && head?.field("Content-Length") == "10")
            let empty = client.reply()
            #expect(empty?.status == 204 && empty?.field("Content-Length") == nil)
            #expect(client.reply()?.status == 200)
        }
    }

    @Test func aBodyIsAskedForWhenTheClientWaitsForThat() throws {
        try serve { port in
            let client = Client(port: port)
            client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
            #expect(client.reply()?.status == 100)
            client.send("hi")
            #expect(client.reply()?.text == "hi")
            // Sent along: nothing needs asking.
            client.send(post("/echo", "ho", "Expect: 100-continue\r\n"))
            #expect(client.reply()?.text == "ho")
            // Behind another request the question waits for that one's answer.
            client.send(get("/hold?1") + "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n")
            client.send("Expect: 100-continue\r\n\r\n")
            let other = Client(port: port)
            other.send(get("/release"))
            _ = other.reply()
            #expect(client.reply()?.text == "1")
            #expect(client.reply()?.status == 100)
            client.send("hu")
            #expect(client.reply()?.text == "hu")
        }
    }

    @Test func aCallerOverTheSocketFileIsLocal() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "roost-\(UUID().uuidString.prefix(8))").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try serve(prepare: { server, _ in
            let port = try server.listen(at: .unix(folder: folder, name: "roost.sock"))
            #expect(port == 0)
        }) { port in
            let local = Client(path: folder + "/roost.sock")
            local.send(get("/local"))
            #expect(local.reply()?.text == "local")
            let remote = Client(port: port)
            remote.send(get("/local"))
            #expect(remote.reply()?.text == "remote")
        }
    }

    @Test func theSocketFileAnswersWhenOthersHaveTakenAllConnections() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "roost-\(UUID().uuidString.prefix(8))").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var limits = GatewayLimits()
        (limits.connectionsMax, limits.localConnectionsReserve) = (2, 1)
        try serve(
            limits,
            prepare: { server, _ in
                _ = try server.listen(at: .unix(folder: folder, name: "roost.sock"))
            }
        ) { port in
            var others = [Client(port: port), Client(port: port)]
            for client in others {
                client.send(get("/echo"))
                #expect(client.reply()?.status == 200)
            }
            let waiting = Client(port: port)
            var local: Client? = Client(path: folder + "/roost.sock")
            waiting.send(get("/echo"))
            local?.send(get("/local"))
            #expect(local?.reply()?.text == "local")
            // There is an end to that, too; and who waits comes to its turn.
            let second = Client(path: folder + "/roost.sock")
            second.send(get("/local"))
            others.removeAll()
            local = nil
            #expect(waiting.reply()?.status == 200)
            #expect(second.reply()?.text == "local")
        }
    }
}
