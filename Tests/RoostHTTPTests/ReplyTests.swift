import Foundation
import RoostBasics
import RoostHTTP
import Testing

@Suite struct ReplyTests {
    private func head(
        _ status: Int, _ type: ContentType = .json, bodyBytes: Int? = 2, fields: String = "",
        connection: ConnectionField = .unstated, at time: Int = 784_111_777
    ) -> String {
        var writer = ReplyWriter()
        writer.setDate(time)
        let fields = Array(fields.utf8)
        let id = Array("r-1".utf8)
        unsafe writer.begin(
            status: status, type: type, bodyBytes: bodyBytes, fields: fields.span.bytes, requestID: id.span.bytes,
            connection: connection)
        return writer.bytes.text
    }

    @Test func anOrdinaryReplyReads() {
        #expect(
            head(200, fields: "Roost-Version: 3\r\n") == """
                HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: application/json\r
                Content-Length: 2\r\nX-Request-Id: r-1\r\nRoost-Version: 3\r\n\r\n
                """)
    }

    @Test func anErrorSaysItsStatusAndThatItCloses() {
        let text = head(503, .text, bodyBytes: 0, connection: .close)
        #expect(
            text.hasPrefix("HTTP/1.1 503 Service Unavailable\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: "))
        #expect(text.contains("\r\nContent-Length: 0\r\n"))
        #expect(text.contains("\r\nConnection: close\r\n"))
    }

    @Test func aReplyWithoutBodyHasNoLength() {
        let text = head(204, .unstated, bodyBytes: nil)
        #expect(!text.contains("Content-"))
    }

    @Test func aStatusThatNobodySendsIsAServerError() {
        #expect(head(299).hasPrefix("HTTP/1.1 500 "))
    }

    @Test(arguments: [0, 9, 10, 99, 100, 12_345, 67_108_864, Int.max])
    func lengthsAreDecimal(_ count: Int) {
        #expect(head(200, bodyBytes: count).contains("\r\nContent-Length: \(count)\r\n"))
    }

    @Test func longFieldsAndBodiesFit() {
        var writer = ReplyWriter()
        let fields = Array(repeating: UInt8(ascii: "f"), count: 100_000) + Array("\r\n".utf8)
        let body = Array(repeating: UInt8(ascii: "b"), count: 50_000)
        unsafe writer.begin(
            status: 200, type: .csv, bodyBytes: body.count, fields: fields.span.bytes, requestID: RawSpan(),
            connection: .keepAlive)
        unsafe writer.append(body.span.bytes)
        let text = writer.bytes.text
        #expect(text.hasSuffix("\r\n\r\n" + String(repeating: "b", count: 50_000)))
        #expect(text.contains(String(repeating: "f", count: 100_000)))
    }

    @Test func datesAreThoseOfTheCalendar() {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "GMT")
        format.dateFormat = "'Date:' EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        var random = SplitMix(state: 3)
        for _ in 0..<2_000 {
            let time = Int.random(in: 0..<7_000_000_000, using: &random)
            let expected = format.string(from: Date(timeIntervalSince1970: TimeInterval(time)))
            #expect(head(200, at: time).contains("\r\n\(expected)\r\n"), "seed 3")
        }
    }
}
