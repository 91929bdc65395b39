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
        let (ones, sevens): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x7F7F_7F7F_7F7F_7F7F)
        // JSON Lines ends at line feeds only: look for those twice.
        let (feeds, quotes) = (ones &* 0x0A, ones &* UInt64(isCSV ? UInt8.quote : 0x0A))
        var at = 0
        while at < bytes.byteCount {
            let word = Self.word(bytes, at)
            let (feed, quote) = (word ^ feeds, word ^ quotes)
            // High bits where a byte is one of both, exact for each of the eight.
            var found =
                ~(((feed & sevens) &+ sevens | feed | sevens) & ((quote & sevens) &+ sevens | quote | sevens))
            while found != 0 {
                let place = at &+ found.trailingZeroBitCount >> 3
                found &= found &- 1
                if Self.byte(bytes, place) == 0x0A {
                    if lineEnds(bytes, place), boundary.records >= records { return }
                } else {
                    quoteMet(bytes, place)
                }
            }
            at &+= 8
        }
    }

    /// Whether that is the end of a record or of an empty line.
    @inline(__always) private mutating func lineEnds(_ bytes: RawSpan, _ place: Int) -> Bool {
        lines &+= 1
        if isQuoted { return false }
        let size = place &- boundary.end
        if size > longest { (longest, longestLine) = (size, boundary.lines) }
        let isBlank = size == 0 || (size == 1 && Self.byte(bytes, boundary.end) == 0x0D)
        if !isBlank { boundary.records &+= 1 }
        boundary.end = place &+ 1
        boundary.lines = lines
        return true
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
}
