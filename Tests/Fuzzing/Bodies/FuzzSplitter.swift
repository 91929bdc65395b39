import RoostBasics
import RoostWire

/// The first byte chooses the format, the rest is a file. The splitter finds what a reader finds that looks at one byte
/// after the other, whole and in parts.
func fuzzSplitter(_ input: [UInt8]) throws {
    var choices = Choices(input)
    let kind = choices.number(below: 3)
    let delimiter = UInt8(ascii: kind == 2 ? "\t" : ",")
    let file = choices.rest
    let start = RecordSplitter(kind == 0 ? .jsonLines : .csv, delimiter: delimiter)
    let plain = PlainRecords(file, isCSV: kind != 0, delimiter)
    var splitter = start
    do {
        let whole = try splitter.finish(file.bytes)
        try expect(!plain.hasOpenQuote, "an open quote was not seen")
        try expect(whole.end == file.count, "it ends at \(whole.end) of \(file.count)")
        try expect(whole.records == plain.records, "\(whole.records) records, one by one \(plain.records)")
        try expect(whole.lines == plain.lines, "\(whole.lines) lines, one by one \(plain.lines)")
    } catch is RoostError {
        try expect(plain.hasOpenQuote, "refused without an open quote")
    }
    var chance = file.chance
    for most in [1, 3, 100] { try checkParts(file, start, plain, most, &chance) }
    if let half = try? start.half(of: file.bytes) {
        try expect(half.end > 0 && half.end < file.count && half.records == plain.records / 2, "no half: \(half)")
    }
}

/// Grows what it offers at random until a record ends there.
private func checkParts(
    _ file: [UInt8], _ start: RecordSplitter, _ plain: PlainRecords, _ most: Int, _ chance: inout SplitMix
) throws {
    var splitter = start
    var (from, to, records, lines) = (0, 0, 0, 0)
    while to < file.count {
        to = min(file.count, to + Int.random(in: 1...most, using: &chance))
        guard let boundary = try splitter.lastBoundary(in: Array(file[from..<to]).bytes) else { continue }
        from += boundary.end
        try expect(plain.ends.contains(from), "cut at \(from), where no record ends")
        (records, lines) = (records + boundary.records, lines + boundary.lines)
        try expect(splitter.line == UInt64(lines + 1), "line \(splitter.line) after \(lines)")
    }
    guard !plain.hasOpenQuote else { return }
    let last = try splitter.finish(Array(file[from...]).bytes)
    try expect(
        records + last.records == plain.records, "\(records + last.records) in parts of \(plain.records) records")
    try expect(lines + last.lines == plain.lines, "\(lines + last.lines) in parts of \(plain.lines) lines")
}

/// RFC 4180 as `RecordSplitter` documents it, one byte after the other.
private struct PlainRecords {
    var records = 0
    var lines = 0
    /// Behind each line feed that ends a record.
    var ends: Set<Int> = []
    var hasOpenQuote = false

    init(_ bytes: [UInt8], isCSV: Bool, _ delimiter: UInt8) {
        enum State { case fieldStart, plain, quoted, closed }
        var state = State.fieldStart
        var start = 0
        for (at, byte) in bytes.enumerated() {
            let isQuote = isCSV && byte == UInt8(ascii: "\"")
            if byte == 0x0A {
                lines += 1
                if state != .quoted {
                    let record = bytes[start..<at]
                    if !record.isEmpty, record != [0x0D] { records += 1 }
                    start = at + 1
                    ends.insert(start)
                    state = .fieldStart
                    continue
                }
            }
            switch state {
            case .fieldStart where isQuote, .closed where isQuote: state = .quoted
            case .quoted: if isQuote { state = .closed }
            case .fieldStart, .plain, .closed: state = byte == delimiter ? .fieldStart : .plain
            }
        }
        hasOpenQuote = state == .quoted
        guard start < bytes.count else { return }
        lines += 1
        if bytes[start...] != [0x0D] { records += 1 }
    }
}
