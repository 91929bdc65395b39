import RoostBasics
import RoostHTTP
import Testing

@Suite struct CodingTests {
    private func codings(_ fields: String) -> (content: ContentCoding?, accepted: ContentCoding) {
        var parser = RequestParser()
        let input = Array("POST / HTTP/1.1\r\nHost: a\r\n\(fields)Content-Length: 0\r\n\r\n".utf8)
        let step = parser.parse(input.bytes)
        #expect(step.isComplete)
        return read(parser.head)
        func read(_ head: borrowing RequestHead) -> (ContentCoding?, ContentCoding) {
            (head.contentCoding, head.acceptedCoding)
        }
    }

    @Test(
        arguments: [
            ("", .identity), ("gzip", .gzip), ("GZip", .gzip), ("x-gzip", .gzip), ("deflate", .deflate),
            ("br", .identity),
            ("gzip, deflate, br, zstd", .gzip), ("deflate, gzip", .gzip), ("deflate;q=0.9, gzip;q=0.8", .deflate),
            ("gzip;q=0", .identity), ("gzip;q=0.000, deflate;q=0.001", .deflate), ("*", .gzip), ("*;q=0", .identity),
            ("gzip;q=0, *", .deflate), ("identity", .identity), ("gzip;q=0.5, identity;q=0.6", .identity),
            ("gzip;q=0.5, identity;q=0.5", .gzip), ("identity;q=0", .identity), ("gzip ; q=1.0", .gzip),
            ("gzip;Q=0.5", .gzip), (",, ,gzip,,", .gzip), ("gzip;q=1.001", .identity), ("gzip;q=2", .identity),
            ("gzip;q=", .identity), ("gzip;q=0.1234", .identity), ("gzip;level=9", .identity), ("gzipped", .identity),
            ("gzi", .identity), (";q=1", .identity), ("gzip;q=0.a", .identity), ("*;q=0.1, gzip;q=0", .deflate),
        ] as [(String, ContentCoding)])
    func theWeightiestOfWhatIsKnown(_ list: String, _ coding: ContentCoding) {
        #expect(codings("Accept-Encoding: \(list)\r\n").accepted == coding, "\(list)")
    }

    @Test func listsMayBeDivided() {
        #expect(codings("Accept-Encoding: br\r\naccept-encoding: deflate\r\n").accepted == .deflate)
        #expect(codings("Accept-Encoding: gzip;q=0.1\r\nAccept-Encoding: deflate;q=0.2\r\n").accepted == .deflate)
        #expect(codings("").accepted == .identity)
    }

    @Test(
        arguments: [
            ("", .identity), ("Content-Encoding: gzip\r\n", .gzip), ("Content-Encoding: X-GZIP\r\n", .gzip),
            ("Content-Encoding: deflate\r\n", .deflate), ("Content-Encoding: identity\r\n", .identity),
            ("Content-Encoding: br\r\n", nil), ("Content-Encoding: gzip, deflate\r\n", nil),
            ("Content-Encoding: \r\n", nil),
            ("Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", nil),
        ] as [(String, ContentCoding?)])
    func whatABodyIsCompressedBy(_ fields: String, _ coding: ContentCoding?) {
        #expect(codings(fields).content == coding, "\(fields)")
    }
}
