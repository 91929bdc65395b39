internal import Glibc
public import RoostBasics

/// Reads the replies that come over one kept connection, one after the other, without keeping their bodies: of those
/// it holds the first bytes only. For callers in a hurry: a reply costs no allocation.
///
/// Bodies end by Content-Length, by chunks or by the end of the stream (RFC 9112, section 6.3); interim (1xx) replies
/// are skipped.
public struct ReplyReader: ~Copyable {
    private enum State: Hashable {
        case head
        case body(left: Int)
        case chunkSize
        case chunk(left: Int)
        case chunkEnd
        case trailer
        case untilEnd
        /// The reply is whole; its head and body may be looked at until the next call of `next`.
        case whole
    }
    private static let headBytesMax = 64 << 10
    private static let bodyBytesMax = 4096

    private var state = State.head
    /// What has not been understood yet.
    private var bytes = ByteBuffer()
    /// How far it has been searched for the end of a line.
    private var searched = 0
    /// Where in an unfinished head the line begins that is not whole yet.
    private var lineStart = 0
    private var head = ByteBuffer()
    private var kept = ByteBuffer()

    /// Of the reply that `next` has found, as are the others.
    public private(set) var status = 0
    /// Whether the connection may be used again.
    public private(set) var keepsConnection = true

    public init() {}

    /// Nothing has come of a reply since the last whole one.
    public var isBetweenReplies: Bool { (state == .head || state == .whole) && bytes.isEmpty }

    /// Takes what was read from the connection.
    public mutating func append(_ more: RawSpan) { bytes.append(more) }

    /// The beginning of the body: up to 4 KiB.
    public var body: RawSpan {
        @_lifetime(borrow self)
        get { kept.bytes }
    }

    /// The value of a header field; empty when there is none. Capitals do not count.
    @_lifetime(borrow self)
    public func value(of name: StaticString) -> RawSpan {
        let place = RoostClient.place(of: name, in: head.bytes)
        return head.bytes.extracting(place)
    }

    /// Whether a reply is whole.
    ///
    /// - Throws: `system` when what comes is no HTTP.
    public mutating func next() throws(RoostError) -> Bool {
        if state == .whole {
            state = .head
            kept.removeAll()
        }
        while state != .whole {
            switch state {
            case .head: guard try readHead() else { return false }
            case .body(let left):
                let rest = takeBody(left)
                state = rest == 0 ? .whole : .body(left: rest)
                if rest > 0 { return false }
            case .chunkSize: guard try readChunkSize() else { return false }
            case .chunk(let left):
                let rest = takeBody(left)
                state = rest == 0 ? .chunkEnd : .chunk(left: rest)
                if rest > 0 { return false }
            case .chunkEnd:
                guard let line = try line() else { return false }
                guard line.isEmpty else { throw nonsense("a chunk is longer than it says") }
                dropLine()
                state = .chunkSize
            case .trailer:
                guard let line = try line() else { return false }
                dropLine()
                if line.isEmpty { state = .whole }
            case .untilEnd:
                _ = takeBody(bytes.count)
                return false
            case .whole: break
            }
        }
        return true
    }

    /// The peer sends no more; whether that was the end of a whole reply.
    public mutating func endOfStream() -> Bool {
        guard state == .untilEnd else { return false }
        state = .whole
        return true
    }
}

extension ReplyReader {
    /// Where the next line stands in `bytes`, without its end; nil while it is not whole. `searched` is behind it.
    private mutating func line(from start: Int = 0) throws(RoostError) -> Range<Int>? {
        guard let end = bytes.bytes.place(of: 0x0A, from: max(start, searched)) else {
            searched = bytes.count
            guard bytes.count <= Self.headBytesMax else { throw nonsense("a line has no end") }
            return nil
        }
        searched = end + 1
        return start..<(end > start && bytes.bytes[end - 1] == 0x0D ? end - 1 : end)
    }

    /// Forgets the line that was found last.
    private mutating func dropLine() {
        bytes.removeFirst(searched)
        searched = 0
    }

    /// Moves up to `count` bytes out of the way; how many are still to come.
    private mutating func takeBody(_ count: Int) -> Int {
        let here = min(count, bytes.count)
        let room = Self.bodyBytesMax - kept.count
        Self.move(min(room, here), from: &bytes, to: &kept)
        bytes.removeFirst(here - min(room, here))
        return count - here
    }

    private static func move(_ count: Int, from source: inout ByteBuffer, to target: inout ByteBuffer) {
        target.append(source.bytes.extracting(first: count))
        source.removeFirst(count)
    }

    /// Moves a whole head into `head` and finds out how its body ends.
    private mutating func readHead() throws(RoostError) -> Bool {
        while let line = try line(from: lineStart) {
            guard searched <= Self.headBytesMax else { throw nonsense("a head has no end") }
            // Empty lines before a status line are passed over, as a robust reader does.
            if line.isEmpty && line.lowerBound > 0 {
                head.removeAll()
                Self.move(searched, from: &bytes, to: &head)
                (searched, lineStart) = (0, 0)
                try interpretHead()
                return true
            }
            if line.isEmpty {
                bytes.removeFirst(searched)
                searched = 0
            }
            lineStart = searched
        }
        return false
    }

    private mutating func interpretHead() throws(RoostError) {
        let meaning = try Meaning(head.bytes)
        (status, keepsConnection) = (meaning.status, meaning.keepsConnection)
        state = meaning.then
    }

    /// What the fields of a head say of the connection.
    private struct Meaning {
        let status: Int
        let keepsConnection: Bool
        let then: State

        init(_ text: RawSpan) throws(RoostError) {
            let isNew = text.starts(with: "HTTP/1.1 ")
            guard isNew || text.starts(with: "HTTP/1.0 "),
                let status = text.extracting(9..<min(12, text.byteCount)).decimal, status >= 100
            else {
                let line = text.extracting(first: text.place(of: 0x0A, from: 0) ?? text.byteCount).trimmed
                throw nonsense("\"\(line.extracting(first: min(60, line.byteCount)).text)\"")
            }
            self.status = status
            // An interim reply is followed by the next head.
            then = status < 200 ? .head : try Self.framing(status, text)
            let connection = text.extracting(place(of: "connection", in: text))
            let isKept = isNew ? !connection.reads("close") : connection.reads("keep-alive")
            keepsConnection = isKept && then != .untilEnd
        }

        private static func framing(_ status: Int, _ text: RawSpan) throws(RoostError) -> State {
            if status == 204 || status == 304 { return .whole }
            let coding = text.extracting(place(of: "transfer-encoding", in: text))
            if !coding.isEmpty {
                guard coding.reads("chunked") else { throw nonsense("the transfer coding \"\(coding.text)\"") }
                return .chunkSize
            }
            let length = text.extracting(place(of: "content-length", in: text))
            if length.isEmpty { return .untilEnd }
            guard let count = length.decimal else { throw nonsense("the length \"\(length.text)\"") }
            return count == 0 ? .whole : .body(left: count)
        }
    }

    private mutating func readChunkSize() throws(RoostError) -> Bool {
        guard let line = try line() else { return false }
        let size = try chunkSize(bytes.bytes.extracting(line))
        dropLine()
        state = size == 0 ? .trailer : .chunk(left: size)
        return true
    }
}

/// Where the value of the field `name` stands in a head; an empty range when there is none.
private func place(of name: StaticString, in head: RawSpan) -> Range<Int> {
    var start = 0
    while let end = head.place(of: 0x0A, from: start) {
        let colon = start + name.utf8CodeUnitCount
        if colon < end, head[colon] == UInt8(ascii: ":"), head.extracting(start..<colon).reads(name) {
            var (first, last) = (colon + 1, end)
            while first < last, head[first].isSpace { first += 1 }
            while last > first, head[last - 1].isSpace { last -= 1 }
            return first..<last
        }
        start = end + 1
    }
    return 0..<0
}

/// Of the line before a chunk, which may have extensions.
private func chunkSize(_ line: RawSpan) throws(RoostError) -> Int {
    let end = line.place(of: UInt8(ascii: ";"), from: 0) ?? line.byteCount
    guard let size = line.extracting(first: end).trimmed.hexadecimal else {
        throw nonsense("the chunk size \"\(line.text)\"")
    }
    return size
}

private func nonsense(_ what: String) -> RoostError {
    RoostError(.system, "the answer is no HTTP: \(what)")
}

extension UInt8 {
    fileprivate var isSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0D }
}

extension RawSpan {
    fileprivate func place(of byte: UInt8, from start: Int) -> Int? {
        unsafe withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, start < bytes.count,
                let found = unsafe memchr(base + start, Int32(byte), bytes.count - start)
            else { return nil }
            return unsafe UnsafeRawPointer(found) - base
        }
    }

    /// Whether it is that word, in small or capital letters.
    fileprivate func reads(_ word: StaticString) -> Bool {
        guard byteCount == word.utf8CodeUnitCount else { return false }
        for place in 0..<byteCount where unsafe self[place] | 0x20 != word.utf8Start[place] | 0x20 { return false }
        return true
    }

    fileprivate var trimmed: RawSpan {
        @_lifetime(copy self)
        get {
            var (first, last) = (0, byteCount)
            while first < last, self[first].isSpace { first += 1 }
            while last > first, self[last - 1].isSpace { last -= 1 }
            return extracting(first..<last)
        }
    }

    fileprivate var decimal: Int? { number(radix: 10) }
    fileprivate var hexadecimal: Int? { number(radix: 16) }

    /// Digits alone, below 2⁵³.
    private func number(radix: Int) -> Int? {
        guard !isEmpty else { return nil }
        var value = 0
        for place in 0..<byteCount {
            let letter = self[place] | 0x20
            let digit: Int
            if self[place].isDigit {
                digit = Int(self[place]) - 0x30
            } else if radix == 16, (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(letter) {
                digit = Int(letter) - 0x57
            } else {
                return nil
            }
            value = value * radix + digit
            guard value < 1 << 53 else { return nil }
        }
        return value
    }
}
