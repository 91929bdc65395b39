import RoostBasics
import Testing

@testable import RoostClient

@Suite struct ReplyReaderTests {
    private struct Seen: Equatable {
        var status: Int
        var version: String
        var keeps: Bool
        var body: String
    }

    /// Reads `text` in pieces of `size` bytes; the replies, and whether its end was a reply's.
    private func read(_ text: String, pieces size: Int = .max) throws -> (replies: [Seen], endIsReply: Bool) {
        var reader = ReplyReader()
        var replies: [Seen] = []
        func take(_ reader: borrowing ReplyReader) {
            replies.append(
                Seen(
                    status: reader.status, version: reader.value(of: "roost-version").text,
                    keeps: reader.keepsConnection, body: reader.body.text))
        }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            reader.append(Array(rest.prefix(size)).bytes)
            rest = rest.dropFirst(size)
            while try reader.next() { take(reader) }
        }
        let end = reader.endOfStream()
        if end { take(reader) }
        return (replies, end)
    }

    private static let two =
        "HTTP/1.1 200 OK\r\nRoost-Version: 3\r\nContent-Length: 5\r\n\r\nhello"
        + "HTTP/1.1 100 Continue\r\nRoost-Version: 9\r\n\r\n"
        + "HTTP/1.1 503 No\r\nconnection: Close\r\nROOST-VERSION:\t4 \r\ncontent-length: 0\r\n\r\n"

    @Test(arguments: 1...70) func repliesAreFoundHoweverTheyAreCut(size: Int) throws {
        #expect(
            try read(Self.two, pieces: size).replies == [
                Seen(status: 200, version: "3", keeps: true, body: "hello"),
                Seen(status: 503, version: "4", keeps: false, body: ""),
            ])
    }

    @Test(arguments: [1, 3, 7, 1000]) func chunksEndWithTheTrailer(size: Int) throws {
        let text =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\nA\r\n, everyone\r\n0\r\nX: 1\r\n\r\n"
        let replies = try read(text + Self.two, pieces: size).replies
        #expect(replies.count == 3)
        #expect(replies.first == Seen(status: 200, version: "", keeps: true, body: "hello, everyone"))
    }

    @Test func withoutALengthTheEndOfTheStreamEndsTheReply() throws {
        let (replies, end) = try read("HTTP/1.1 200 OK\nRoost-Version: 1\n\nhello", pieces: 4)
        #expect(end && replies == [Seen(status: 200, version: "1", keeps: false, body: "hello")])
        #expect(try !read("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell").endIsReply)
        #expect(try !read("HTTP/1.1 200 OK\r\nContent-").endIsReply)
    }

    @Test func statusesWithoutABodyAndOldRepliesAreUnderstood() throws {
        let text = "HTTP/1.1 204 No\r\n\r\nHTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"
        #expect(
            try read(text).replies == [
                Seen(status: 204, version: "", keeps: true, body: ""),
                Seen(status: 200, version: "", keeps: false, body: "x"),
            ])
        #expect(try read("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n").replies[0].keeps)
    }

    @Test func ofALongBodyTheBeginningIsKept() throws {
        let body = String(repeating: "0123456789", count: 100_000)
        let replies = try read(
            "HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n\(body)" + Self.two, pieces: 65_536
        )
        .replies
        #expect(replies.map(\.status) == [200, 200, 503])
        #expect(replies[0].body == String(body.prefix(4096)))
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1\r\n\r\n", "HTTP/2 200\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        String(repeating: "x", count: 70_000),
        "HTTP/1.1 200 OK\r\n" + String(repeating: "X: y\r\n", count: 12_000),
    ])
    func nonsenseIsRefused(text: String) {
        #expect(throws: RoostError.self) { try read(text, pieces: 1000) }
    }

    @Test func betweenRepliesNothingIsMissing() throws {
        var reader = ReplyReader()
        var between = [reader.isBetweenReplies]
        for (text, isWhole) in [("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh", false), ("i", true), ("", false)] {
            reader.append(Array(text.utf8).bytes)
            #expect(try reader.next() == isWhole)
            between.append(reader.isBetweenReplies)
        }
        #expect(between == [true, false, true, true])
    }

    @Test func aNameBecomesTheAddressThatAnswers() throws {
        let server = try SmallServer(overTCP: true) { _ in [] }
        let client = Client(.tcp(host: "localhost", port: server.port))
        #expect(try client.numericAddress() == .tcp(host: "127.0.0.1", port: server.port))
        let local = try SmallServer { _ in [] }
        #expect(try Client(.socket(path: local.path)).numericAddress() == .socket(path: local.path))
        #expect(throws: RoostError.self) { try Client(.tcp(host: "127.0.0.1", port: 1)).numericAddress() }
    }
}
