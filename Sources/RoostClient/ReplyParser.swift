internal import RoostBasics

/// Takes the bytes of one connection and gives its one reply; interim (1xx) replies are skipped.
///
/// Bodies end by Content-Length, by chunks or by the end of the stream (RFC 9112, section 6.3).
struct ReplyParser {
    private static let headBytesMax = 64 << 10
    private enum Framing: Hashable {
        case length(Int)
        case chunked
        case untilEnd
    }
    private struct Head {
        let status: Int
        let fields: [HeaderField]
        let framing: Framing
    }

    private var bytes: [UInt8] = []
    /// Where the unread part of `bytes` begins.
    private var at = 0
    private var head: Head?
    private var body: [UInt8] = []

    mutating func append(_ more: [UInt8]) { bytes += more }

    /// The whole reply, or nil while some of it is missing.
    mutating func reply() throws(RoostError) -> ClientReply? {
        while head == nil {
            guard let next = try readHead() else { return nil }
            if !(100..<200).contains(next.status) { head = next }
        }
        guard let head else { return nil }
        switch head.framing {
        case .untilEnd: return nil
        case .length(let length):
            guard bytes.count - at >= length else { return nil }
            return finished(head, Array(bytes[at..<at + length]))
        case .chunked: return try readChunks() ? finished(head, body) : nil
        }
    }

    /// What the end of the stream means for what came before.
    mutating func endOfStream(from address: HostAddress) throws(RoostError) -> ClientReply {
        if let head, head.framing == .untilEnd { return finished(head, Array(bytes[at...])) }
        let missing = bytes.isEmpty ? "without an answer" : "in the middle of its answer"
        throw RoostError(.system, "the host at \(address) closed the connection \(missing)")
    }

    private func finished(_ head: Head, _ body: [UInt8]) -> ClientReply {
        ClientReply(status: head.status, fields: head.fields, body: body)
    }

    /// The next line without its end; nil while it is not complete.
    private mutating func line() throws(RoostError) -> String? {
        guard let end = bytes[at...].firstIndex(of: UInt8(ascii: "\n")) else {
            guard bytes.count - at <= Self.headBytesMax else { throw Self.nonsense("a line without end") }
            return nil
        }
        var text = bytes[at..<end]
        if text.last == UInt8(ascii: "\r") { text.removeLast() }
        at = end + 1
        return String(decoding: text, as: UTF8.self)
    }

    private mutating func readHead() throws(RoostError) -> Head? {
        let start = at
        guard let first = try line() else { return nil }
        let words = first.split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]), (100...999).contains(status)
        else { throw Self.nonsense("\"\(first.prefix(60))\"") }
        var fields: [HeaderField] = []
        while let text = try line() {
            if text.isEmpty { return Head(status: status, fields: fields, framing: try Self.framing(status, fields)) }
            guard let colon = text.firstIndex(of: ":"), at - start <= Self.headBytesMax else {
                throw Self.nonsense("the header line \"\(text.prefix(60))\"")
            }
            let value = text[colon...].dropFirst().drop { $0 == " " || $0 == "\t" }
            fields.append(HeaderField(String(text[..<colon]), trimmedEnd(value)))
        }
        at = start
        return nil
    }

    private static func framing(_ status: Int, _ fields: [HeaderField]) throws(RoostError) -> Framing {
        if status == 204 || status == 304 || status < 200 { return .length(0) }
        if let coding = fields.first(where: { $0.name.lowercased() == "transfer-encoding" })?.value {
            guard coding.lowercased() == "chunked" else { throw nonsense("the transfer coding \"\(coding)\"") }
            return .chunked
        }
        guard let text = fields.first(where: { $0.name.lowercased() == "content-length" })?.value else {
            return .untilEnd
        }
        guard let length = Int(text), length >= 0 else { throw nonsense("the length \"\(text)\"") }
        return .length(length)
    }

    /// Moves whole chunks into `body`; true once the last one and the trailer have been read.
    private mutating func readChunks() throws(RoostError) -> Bool {
        while true {
            let start = at
            guard let text = try line() else { return false }
            let digits = text.prefix { $0 != ";" && $0 != " " }
            guard let size = Int(digits, radix: 16), size >= 0 else {
                throw Self.nonsense("the chunk size \"\(text.prefix(20))\"")
            }
            if size == 0 {
                while let trailer = try line() { if trailer.isEmpty { return true } }
                at = start
                return false
            }
            guard bytes.count - at - 2 >= size else {
                at = start
                return false
            }
            body += bytes[at..<at + size]
            at += size
            guard try line() == "" else { throw Self.nonsense("a chunk longer than it says") }
        }
    }

    private static func nonsense(_ what: String) -> RoostError {
        RoostError(.system, "the answer is no HTTP: \(what)")
    }
}

private func trimmedEnd(_ text: Substring) -> String {
    var text = text
    while text.last == " " || text.last == "\t" { text.removeLast() }
    return String(text)
}
