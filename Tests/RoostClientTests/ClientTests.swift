import RoostBasics
import RoostClient
import Testing

@Suite struct ClientTests {
    private func ask(_ server: SmallServer, patience: Instant.Span? = .seconds(30)) throws -> ClientReply {
        try Client(.socket(path: server.path), patience: patience).send(ClientRequest("GET", "/functions"))
    }

    @Test func aReplyWithALengthIsReadToIt() throws {
        let server = try SmallServer { _ in
            ["HTTP/1.1 404 Not Found\r\nContent-", "Length: 5\r\nX-A:  b \r\n\r\nhel", "lo"]
        }
        let reply = try ask(server)
        #expect(reply.status == 404)
        #expect(!reply.isSuccess)
        #expect(reply.text == "hello")
        #expect(reply.header("x-a") == "b")
        #expect(try server.request() == "GET /functions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    }

    @Test func aChunkedReplyIsPutTogether() throws {
        let server = try SmallServer { _ in
            [
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhel", "lo\r\n",
                "A\r\n0123456789\r\n0\r\nT: 1\r\n", "\r\n",
            ]
        }
        #expect(try ask(server).text == "hello0123456789")
    }

    @Test func aReplyWithoutLengthEndsWithTheStream() throws {
        let server = try SmallServer { _ in ["HTTP/1.0 200 OK\r\n\r\nall ", "of it"] }
        #expect(try ask(server).text == "all of it")
    }

    @Test func interimRepliesAreSkipped() throws {
        let server = try SmallServer { _ in ["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"] }
        #expect(try ask(server).status == 204)
    }

    @Test func aBodyTravelsOverTCP() throws {
        let server = try SmallServer(overTCP: true, until: "[[1]]") { _ in
            ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]
        }
        let body = Array("[[1]]".utf8)
        let request = ClientRequest(
            "POST", "/functions/a/predict", headers: [HeaderField("Content-Type", "application/json")], body: body)
        let address = HostAddress.tcp(host: "127.0.0.1", port: server.port)
        #expect(try Client(address).send(request).isSuccess)
        let heard = try server.request()
        #expect(heard.hasPrefix("POST /functions/a/predict HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n"))
        #expect(heard.hasSuffix("Content-Type: application/json\r\nContent-Length: 5\r\n\r\n[[1]]"))
    }

    @Test func aRefusalBeforeTheBodyIsReadIsStillHeard() throws {
        let server = try SmallServer { _ in ["HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig"] }
        let request = ClientRequest("PUT", "/x", body: [UInt8](repeating: 1, count: 8 << 20))
        #expect(try Client(.socket(path: server.path)).send(request).status == 413)
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "SSH-2.0-x\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 999999 x\r\n\r\n",
    ])
    func brokenAnswersAreErrors(_ answer: String) throws {
        let server = try SmallServer { _ in answer.isEmpty ? [] : [answer] }
        let error = #expect(throws: RoostError.self) { try ask(server) }
        #expect(error?.code == .system)
    }

    @Test func nobodyListeningIsUnavailable() throws {
        let there = #expect(throws: RoostError.self) {
            try Client(.socket(path: "/nowhere/state/roost.sock")).send(ClientRequest("GET", "/"))
        }
        #expect(there?.code == .unavailable)
        #expect(there?.message == "no host listens at /nowhere/state/roost.sock: No such file or directory")
        let port = try SmallServer(overTCP: true) { _ in [] }.port  // closed again at the end of this line
        let closed = #expect(throws: RoostError.self) {
            try Client(.tcp(host: "127.0.0.1", port: port)).send(ClientRequest("GET", "/"))
        }
        #expect(closed?.code == .unavailable)
    }

    @Test func silenceEndsWithPatience() throws {
        let server = try SmallServer(until: "never") { _ in [] }
        let error = #expect(throws: RoostError.self) { try ask(server, patience: .milliseconds(20)) }
        #expect(error == RoostError(.deadline, "the host at \(server.path) did not answer for 20ms"))
    }

    @Test(arguments: [
        ("http://127.0.0.1:8080", HostAddress.tcp(host: "127.0.0.1", port: 8080)),
        ("http://localhost/", .tcp(host: "localhost", port: 80)), ("HTTP://[::1]:81", .tcp(host: "::1", port: 81)),
    ])
    func addressesAreRead(_ text: String, _ wanted: HostAddress) { #expect(HostAddress(url: text) == wanted) }

    @Test(arguments: [
        "", "https://a", "a:80", "http://", "http://:80", "http://a:", "http://a:0", "http://a:70000",
        "http://a/b", "http://[::1", "http://u@a", "http://[::1]x",
    ])
    func otherAddressesAreNone(_ text: String) { #expect(HostAddress(url: text) == nil) }
}
