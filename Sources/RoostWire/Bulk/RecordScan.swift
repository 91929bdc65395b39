internal import RoostBasics

/// One pass over bytes that begin with a record. Hot kernel.
struct RecordScan {
    private(set) var boundary = RecordSplitter.Boundary()
    /// The longest record that was complete, in bytes, and how many lines stand before it.
    private(set) var longest = 0
    private(set) var longestLine = 0
    /// Line feeds so far, those within quotes and of the record that is not complete, too.
    private(set) var lines = 0
    /// Lines before the quote that is open at the end; nil when none is.
    var openQuote: Int? { isQuoted ? quoteLine : nil }

    private let isCSV: Bool
    private let delimiter: UInt8
    private var isQuoted = false
    private var quoteLine = 0
    /// Behind the quote that closed last: another one there opens again, because two stand for one.
    private var closed = -1
    /// The last 64 bytes had many quotes: then a bit for each byte is quicker than one quote after another.
    private var isDense = false

    init(isCSV: Bool, delimiter: UInt8) {
        self.isCSV = isCSV
        self.delimiter = delimiter
    }

    /// Where the record that begins at `start` ends: at its line feed, or at the end of the bytes.
    static func recordEnd(_ bytes: RawSpan, from start: Int, isCSV: Bool, delimiter: UInt8) -> (end: Int, lines: Int) {
        var scan = RecordScan(isCSV: isCSV, delimiter: delimiter)
        let rest = bytes.extracting(start..<bytes.byteCount)
        scan.run(rest, records: 1)
        guard scan.boundary.end > 0 else { return (bytes.byteCount, scan.lines) }
        return (start + scan.boundary.end - 1, scan.boundary.lines - 1)
    }

    /// Stops behind as many records.
    mutating func run(_ bytes: RawSpan, records: Int) {
        var at = 0
        while at &+ 64 <= bytes.byteCount, boundary.records < records {
            if !isDense || !block(bytes, at, records) { words(bytes, at..<at &+ 64, records) }
            at &+= 64
        }
        if boundary.records < records, at < bytes.byteCount { words(bytes, at..<bytes.byteCount, records) }
    }

    /// Takes eight bytes at a time, and of those the quotes and line feeds one by one.
    private mutating func words(_ bytes: RawSpan, _ range: Range<Int>, _ records: Int) {
        var at = range.lowerBound
        var quotes = 0
        defer { isDense = quotes >= 4 }
        while at < range.upperBound {
            let word = Self.word(bytes, at)
            // JSON Lines ends at line feeds only.
            var found = Self.highBits(word, 0x0A) | (isCSV ? Self.highBits(word, .quote) : 0)
            while found != 0 {
                let place = at &+ found.trailingZeroBitCount >> 3
                found &= found &- 1
                if Self.byte(bytes, place) == 0x0A {
                    lines &+= 1
                    if !isQuoted {
                        lineEnds(bytes, place)
                        if boundary.records >= records { return }
                    }
                } else {
                    quotes &+= 1
                    quoteMet(bytes, place)
                }
            }
            at &+= 8
        }
    }

    /// Takes 64 bytes at once, a bit for each, where each quote does what it seems to: inside is behind an odd number
    /// of quotes (Langdale and Lemire: "Parsing gigabytes of JSON per second", 2019).
    /// - Returns: false, with nothing done, when a quote that would open stands within a field.
    @inline(__always) private mutating func block(_ bytes: RawSpan, _ at: Int, _ records: Int) -> Bool {
        var (feeds, quotes, delimiters): (UInt64, UInt64, UInt64) = (0, 0, 0)
        for index in 0..<8 {
            let word = Self.word(bytes, at &+ 8 &* index)
            let shift = UInt64(8 &* index)
            feeds |= Self.bits(Self.highBits(word, 0x0A)) &<< shift
            guard isCSV else { continue }
            quotes |= Self.bits(Self.highBits(word, .quote)) &<< shift
            delimiters |= Self.bits(Self.highBits(word, delimiter)) &<< shift
        }
        var inside: UInt64 = isQuoted ? .max : 0
        let linesBefore = lines
        if quotes != 0 {
            inside ^= Self.parities(quotes)
            let (opening, closing) = (quotes & inside, quotes & ~inside)
            let again = closing &<< 1 | (at == closed ? 1 : 0)
            let mayOpen =
                (delimiters | feeds) &<< 1 | again
                | (at == boundary.end || Self.byte(bytes, at &- 1) == delimiter ? 1 : 0)
            guard opening & ~mayOpen == 0 else { return false }
            if opening & ~again != 0 {
                quoteLine = linesBefore &+ Self.count(feeds, below: 63 &- (opening & ~again).leadingZeroBitCount)
            }
            // Fewer than three.
            isDense = quotes & (quotes &- 1) & ((quotes & (quotes &- 1)) &- 1) != 0
            if closing != 0 { closed = at &+ 64 &- closing.leadingZeroBitCount }
            isQuoted = inside >> 63 != 0
        } else {
            isDense = false
        }
        var ends = feeds & ~inside
        while ends != 0 {
            let bit = ends.trailingZeroBitCount
            ends &= ends &- 1
            lines = linesBefore &+ Self.count(feeds, below: bit) &+ 1
            lineEnds(bytes, at &+ bit)
            if boundary.records >= records { return true }
        }
        lines = linesBefore &+ feeds.nonzeroBitCount
        return true
    }

    /// A record ends there, or an empty line.
    @inline(__always) private mutating func lineEnds(_ bytes: RawSpan, _ place: Int) {
        let size = place &- boundary.end
        if size > longest { (longest, longestLine) = (size, boundary.lines) }
        let isBlank = size == 0 || (size == 1 && Self.byte(bytes, boundary.end) == 0x0D)
        if !isBlank { boundary.records &+= 1 }
        boundary.end = place &+ 1
        boundary.lines = lines
    }

    @inline(__always) private mutating func quoteMet(_ bytes: RawSpan, _ place: Int) {
        if isQuoted {
            isQuoted = false
            closed = place &+ 1
            return
        }
        let opens = place == closed || place == boundary.end || Self.byte(bytes, place &- 1) == delimiter
        guard opens else { return }
        if place != closed { quoteLine = lines }
        isQuoted = true
    }

    @inline(__always) private static func byte(_ bytes: RawSpan, _ place: Int) -> UInt8 {
        precondition(place >= 0 && place < bytes.byteCount)
        return unsafe bytes.unsafeLoad(fromUncheckedByteOffset: place, as: UInt8.self)
    }

    /// Eight bytes, the first one lowest; 0 beyond the end.
    @inline(__always) private static func word(_ bytes: RawSpan, _ at: Int) -> UInt64 {
        guard at &+ 8 <= bytes.byteCount else { return tailWord(bytes, at) }
        return unsafe UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt64.self))
    }

    @inline(never) private static func tailWord(_ bytes: RawSpan, _ at: Int) -> UInt64 {
        var word: UInt64 = 0
        for index in at..<bytes.byteCount { word |= UInt64(bytes[index]) << UInt64(8 * (index - at)) }
        return word
    }

    // MARK: bits

    /// The highest bit of each of the eight bytes that is `byte`, exactly.
    @inline(__always) private static func highBits(_ word: UInt64, _ byte: UInt8) -> UInt64 {
        let sevens: UInt64 = 0x7F7F_7F7F_7F7F_7F7F
        let other = word ^ (0x0101_0101_0101_0101 &* UInt64(byte))
        return ~((other & sevens) &+ sevens | other | sevens)
    }

    /// The highest bits of eight bytes, next to each other.
    @inline(__always) private static func bits(_ highBits: UInt64) -> UInt64 {
        (highBits &* 0x0002_0408_1020_4081) >> 56
    }

    /// Each bit: whether there is an odd number of them up to and with it.
    @inline(__always) private static func parities(_ bits: UInt64) -> UInt64 {
        var sum = bits
        sum ^= sum &<< 1
        sum ^= sum &<< 2
        sum ^= sum &<< 4
        sum ^= sum &<< 8
        sum ^= sum &<< 16
        sum ^= sum &<< 32
        return sum
    }

    @inline(__always) private static func count(_ bits: UInt64, below bit: Int) -> Int {
        (bits & (1 &<< UInt64(truncatingIfNeeded: bit) &- 1)).nonzeroBitCount
    }
}
