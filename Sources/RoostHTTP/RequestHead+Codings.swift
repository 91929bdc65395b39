public import RoostBasics

/// Compression of bodies, as a request speaks of it (RFC 9110, 8.4 and 12.5.3).
extension RequestHead {
    /// How the body is compressed; nil for a coding that is not known here, and for several.
    public var contentCoding: ContentCoding? {
        guard has(.contentEncoding) else { return .identity }
        guard !isRepeated(.contentEncoding) else { return nil }
        if value(.contentEncoding, is: "gzip") || value(.contentEncoding, is: "x-gzip") { return .gzip }
        if value(.contentEncoding, is: "deflate") { return .deflate }
        return value(.contentEncoding, is: "identity") ? .identity : nil
    }

    /// How the caller would have the reply, of what is known here. Who accepts nothing that is known gets it as it is:
    /// a refusal would help nobody.
    public var acceptedCoding: ContentCoding {
        var accepted = AcceptedCodings()
        guard isRepeated(.acceptEncoding) else {
            accepted.add(value(.acceptEncoding))
            return accepted.best
        }
        findHeader(Array("accept-encoding".utf8).bytes) { value in
            accepted.add(value)
            return false
        }
        return accepted.best
    }
}

/// The codings of an `Accept-Encoding` with their weights, in thousandths.
struct AcceptedCodings {
    private var gzip: Int?
    private var deflate: Int?
    private var identity: Int?
    private var others: Int?

    /// Reads a list such as `gzip;q=0.8, *;q=0`. An element that is none is passed over.
    mutating func add(_ list: RawSpan) {
        var start = 0
        while start <= list.byteCount {
            var end = start
            while end < list.byteCount, list[end] != UInt8(ascii: ",") { end += 1 }
            addElement(list, start, end)
            start = end + 1
        }
    }

    private mutating func addElement(_ list: RawSpan, _ start: Int, _ end: Int) {
        var nameEnd = start
        while nameEnd < end, list[nameEnd] != UInt8(ascii: ";") { nameEnd += 1 }
        guard let weight = Self.weight(list, nameEnd, end) else { return }
        let name = Self.trimmed(list, start, nameEnd)
        if list.isWord("gzip", name) || list.isWord("x-gzip", name) {
            gzip = weight
        } else if list.isWord("deflate", name) {
            deflate = weight
        } else if list.isWord("identity", name) {
            identity = weight
        } else if list.isWord("*", name) {
            others = weight
        }
    }

    /// That of `;q=0.5`, 1000 without any; nil when it is malformed.
    private static func weight(_ list: RawSpan, _ start: Int, _ end: Int) -> Int? {
        guard start < end else { return 1000 }
        let range = trimmed(list, start + 1, end)
        guard range.count >= 3, list[range.lowerBound] | 0x20 == UInt8(ascii: "q"),
            list[range.lowerBound + 1] == UInt8(ascii: "=")
        else { return nil }
        // `0` or `1`, then perhaps a point and up to three digits.
        var at = range.lowerBound + 2
        guard list[at] == UInt8(ascii: "0") || list[at] == UInt8(ascii: "1") else { return nil }
        var weight = Int(list[at] - 0x30) * 1000
        at += 1
        guard at < range.upperBound else { return weight }
        guard list[at] == UInt8(ascii: "."), range.upperBound - at <= 4 else { return nil }
        var unit = 100
        for place in at + 1..<range.upperBound {
            guard (0x30...0x39).contains(list[place]) else { return nil }
            weight += Int(list[place] - 0x30) * unit
            unit /= 10
        }
        return weight <= 1000 ? weight : nil
    }

    private static func trimmed(_ list: RawSpan, _ start: Int, _ end: Int) -> Range<Int> {
        var (start, end) = (start, end)
        while start < end, list[start] == 0x20 || list[start] == 0x09 { start += 1 }
        while end > start, list[end - 1] == 0x20 || list[end - 1] == 0x09 { end -= 1 }
        return start..<end
    }

    /// The weightiest; of equals the smaller reply, and gzip before deflate, which means two things.
    var best: ContentCoding {
        let (gzip, deflate) = (self.gzip ?? others ?? 0, self.deflate ?? others ?? 0)
        let best = max(gzip, deflate)
        guard best > 0, best >= identity ?? 0 else { return .identity }
        return gzip >= deflate ? .gzip : .deflate
    }
}

extension RawSpan {
    /// Whether these bytes are `word`, whatever the case of its letters.
    fileprivate func isWord(_ word: StaticString, _ range: Range<Int>) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        for index in 0..<range.count {
            let letter = unsafe word.utf8Start[index]
            let own = self[range.lowerBound + index]
            let isSame = (0x61...0x7A).contains(letter) ? own | 0x20 == letter : own == letter
            if !isSame { return false }
        }
        return true
    }
}
