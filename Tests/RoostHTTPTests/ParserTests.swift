import RoostBasics
import RoostHTTP
import Testing

@Suite struct ParserTests {
    @Test(arguments: accepted) func whatIsClearIsRead(_ sample: Case) {
        #expect(whole(sample.input) == sample.result)
    }

    @Test(arguments: refused) func whatIsAmbiguousIsRefused(_ sample: Case) {
        let last = whole(sample.input).last ?? ""
        #expect(last.prefix(4) == (sample.result.first ?? "") + " ", "\(last)")
    }

    /// A request that is refused later than another that came before it must not take that one with it.
    @Test(arguments: refused) func whatCameBeforeAFaultIsRead(_ sample: Case) {
        let first = "GET /first HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(whole(first + sample.input).first == "get /first 1.1 keep host=a.")
        #expect(whole(first + sample.input).dropFirst() == whole(sample.input)[...])
    }

    @Test(arguments: accepted + refused) func piecesChangeNothing(_ sample: Case) {
        let bytes = Array(sample.input.utf8)
        let expected = whole(sample.input)
        #expect(transcript(bytes) { 1 } == expected)
        #expect(transcript(bytes) { 2 } == expected)
        var random = SplitMix(state: 20_261_120)
        for round in 0..<20 {
            let most = [3, 17, 100, 3000][round % 4]
            #expect(transcript(bytes) { Int.random(in: 1...most, using: &random) } == expected, "seed 20261120")
        }
    }

    /// Every request of the corpus in one long connection, cut at random.
    @Test func aLongConnectionIsReadTheSameInAnyPieces() {
        let input = Array(accepted.filter { !$0.result.contains { $0.contains("close") } }.map(\.input).joined().utf8)
        let expected = transcript(input) { .max }
        #expect(expected.count > 30)
        var random = SplitMix(state: 7)
        for _ in 0..<50 {
            #expect(transcript(input) { Int.random(in: 1...200, using: &random) } == expected, "seed 7")
        }
    }

    /// Corrupted requests: whatever the parser makes of them, it must not depend on the pieces.
    @Test func corruptedRequestsAreReadTheSameInAnyPieces() {
        var random = SplitMix(state: 42)
        let samples = (accepted + refused).filter { $0.input.utf8.count < 2000 }.map { Array($0.input.utf8) }
        for round in 0..<3_000 {
            var input = samples[Int.random(in: 0..<samples.count, using: &random)]
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<input.count, using: &random)
                let bytes = Array("\r\n\t :;,0a\0\u{7f}GH/%".utf8) + [0xff]
                let byte = bytes[Int.random(in: 0..<bytes.count, using: &random)]
                switch round % 3 {
                case 0: input[place] = byte
                case 1: input.insert(byte, at: place)
                default: input.remove(at: place)
                }
                if input.isEmpty { input = [byte] }
            }
            let expected = transcript(input) { .max }
            #expect(transcript(input) { 1 } == expected, "seed 42, round \(round): \(input)")
            #expect(transcript(input) { Int.random(in: 1...40, using: &random) } == expected, "seed 42, round \(round)")
        }
    }

    @Test func bodiesArriveAsRangesOfTheSpan() {
        var parser = RequestParser()
        let input = Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nabcdefghGET".utf8)
        let step = unsafe parser.parse(input.span.bytes)
        #expect(step.hasHead && step.isComplete && step.fault == nil)
        #expect(step.consumed == input.count - 3)
        #expect(step.body == (input.count - 11)..<(input.count - 3))
        let (isInside, length) = (parser.isInsideMessage, parser.contentLength)
        #expect(!isInside && length == 8)
    }

    @Test func whatChunksAnnounceIsKnownBeforeItComes() {
        var parser = RequestParser()
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        for (piece, announced) in [
            (head, 0), ("3\r\nabc\r\n", 3), ("1", 3), ("0", 3), ("\r\n", 3 + 16), ("abcdefghijklmnop\r\n", 3 + 16),
            ("ffffffffffffffff\r\n", .max),
        ] {
            let input = Array(piece.utf8)
            var used = 0
            while used < input.count {
                let step = unsafe parser.parse(input.span.bytes.extracting(used..<input.count))
                #expect(step.fault == nil)
                used += step.consumed
            }
            let found = parser.chunkedBytesAnnounced
            #expect(found == announced, "after \(piece)")
        }
    }

    @Test func headersAreFoundByName() {
        var parser = RequestParser(isLocal: true)
        let input = Array(
            """
            POST / HTTP/1.1\r\nHost: a\r\ncontent-type:  application/json ;x \r\nX-User: ada \r\nX-Use: no\r
            Roost-Timeout: 250ms\r\nInference-Header-Content-Length: 12\r\nRoost-Key: 1\r\nRoost-Key: 2\r\n\r\n
            """.utf8)
        let step = unsafe parser.parse(input.span.bytes)
        #expect(step.isComplete)
        check(parser.head)
        func check(_ head: borrowing RequestHead) {
            let flags = (head.isLocal, head.has(.origin), head.isRepeated(.roostKey), head.isRepeated(.contentType))
            #expect(flags == (true, false, true, false))
            let values = [KnownHeader.contentType, .inferenceHeaderLength, .roostKey, .origin]
            var texts: [String] = []
            for value in values { texts.append(head.value(value).text) }
            #expect(texts == ["application/json ;x", "12", "1", ""])
            let comparisons = (head.value(.roostTimeout, is: "250MS"), head.value(.roostTimeout, is: "250m"))
            #expect(comparisons == (true, false))
            let named = [head.text(of: "x-user"), head.text(of: "X-USE"), head.text(of: "X-Us")]
            #expect(named == ["ada", "no", nil])
        }
    }

    @Test(arguments: KnownHeader.allCases) func everyKnownHeaderIsRecognisedInAnyCase(_ header: KnownHeader) {
        let names: [KnownHeader: String] = [
            .host: "host", .connection: "Connection", .contentLength: "Content-Length",
            .transferEncoding: "Transfer-Encoding", .contentType: "Content-Type", .contentEncoding: "content-encoding",
            .expect: "Expect", .accept: "ACCEPT", .acceptEncoding: "Accept-Encoding", .authorization: "Authorization",
            .origin: "Origin", .secFetchSite: "Sec-Fetch-Site", .userAgent: "User-Agent", .requestID: "X-REQUEST-ID",
            .roostTimeout: "Roost-Timeout", .roostVersion: "roost-version", .roostKey: "Roost-Key",
            .inferenceHeaderLength: "inference-header-content-length",
        ]
        let value = header == .contentLength ? "0" : header == .transferEncoding ? "chunked" : "v1"
        let host = header == .host ? "" : "Host: a\r\n"
        let input = Array("GET / HTTP/1.1\r\n\(host)\(names[header] ?? "?"): \(value)\r\nAgent: no\r\n\r\n".utf8)
        var parser = RequestParser()
        let step = unsafe parser.parse(input.span.bytes)
        #expect(step.hasHead)
        check(parser.head)
        func check(_ head: borrowing RequestHead) {
            let text = head.value(header).text
            #expect(text == value)
        }
    }
}
