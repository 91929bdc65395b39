public import RoostBasics

/// The body of a `score` request: a plan, where in the file the rows come from, and the rows as they stand there.
public struct BulkRequest: ~Escapable {
    /// An encoded `BulkPlan`.
    public let plan: RawSpan
    /// The number of the first row's line in the file, from 1.
    public let firstLine: UInt64
    /// Whether the header of the output shall stand before the rows. JSON Lines has none.
    public let wantsHeader: Bool
    /// Whole records. None: only the plan is held against the model.
    public let records: RawSpan

    /// What stands before the records.
    public static func head(plan: [UInt8], firstLine: UInt64, wantsHeader: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(word: UInt64(plan.count))
        bytes.append(word: firstLine)
        bytes.append(word: wantsHeader ? 1 : 0)
        bytes += plan
        return bytes
    }

    /// - Throws: `.invalidArgument` when a length contradicts the others.
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) throws(RoostError) {
        var reader = WordReader(bytes, of: "request to score")
        let planSize = try reader.word()
        firstLine = try reader.word()
        let flags = try reader.word()
        guard flags < 2, firstLine > 0, firstLine < 1 << 62 else { throw reader.malformed }
        wantsHeader = flags == 1
        plan = bytes.extracting(try reader.range(Int(clamping: planSize)))
        records = bytes.extracting(try reader.range(reader.rest))
    }
}

/// The body of the reply: the rows of the output, and what could not be scored.
public struct BulkReply: ~Escapable {
    /// Rows that were scored: as many stand in `output`.
    public let rows: Int
    /// Rows that were not: as many stand in `errors`.
    public let badRows: Int
    /// Whole lines in the format of the plan.
    public let output: RawSpan
    /// A line `{"line":17,"reason":"…","row":"…"}` for each bad row, by line.
    public let errors: RawSpan
    /// An encoded `DataReport` of these rows.
    public let report: RawSpan

    /// The last bytes, behind an output, errors and a report that follow each other: the output is written first, and
    /// only then is known how long it is.
    static func tail(rows: Int, badRows: Int, output: Int, errors: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for count in [rows, badRows, output, errors] { bytes.append(word: UInt64(count)) }
        return bytes
    }

    /// Reads what an instance wrote, from a copy that it can no longer change.
    /// - Throws: `.invalidArgument` when a length contradicts the others.
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) throws(RoostError) {
        let tailStart = max(0, bytes.byteCount - 32)
        var tail = WordReader(bytes.extracting(tailStart..<bytes.byteCount), of: "reply with scores")
        rows = Int(clamping: try tail.word())
        badRows = Int(clamping: try tail.word())
        let sizes = (Int(clamping: try tail.word()), Int(clamping: try tail.word()))
        var parts = WordReader(bytes.extracting(0..<tailStart), of: "reply with scores")
        output = bytes.extracting(try parts.range(sizes.0))
        errors = bytes.extracting(try parts.range(sizes.1))
        report = bytes.extracting(try parts.range(parts.rest))
        // A row takes one byte at least of what is there.
        guard rows <= output.byteCount, badRows <= errors.byteCount else { throw parts.malformed }
    }

    /// The reply that a row deserves which no instance survives: no output, and a line that says why.
    /// - Parameters:
    ///   - row: its text, with or without the end of its line.
    ///   - line: of its beginning in the file, from 1.
    public static func bad(row: RawSpan, line: UInt64, reason: String) -> [UInt8] {
        let buffer = TextBuffer()
        var end = row.byteCount
        while end > 0, row[end - 1] == 0x0A || row[end - 1] == 0x0D { end -= 1 }
        let shown = row.extracting(first: min(end, BadRow.shownBytesMax)).text
        buffer.append(#"{"line":"#)
        buffer.append(decimal: line)
        buffer.append(#","reason":"#)
        buffer.append(JSONText.quoted(reason))
        buffer.append(#","row":"#)
        buffer.append(JSONText.quoted(shown))
        buffer.append("}\n")
        let errors = buffer.count
        var report = DataReport()
        report.badRows = 1
        var bytes = buffer.bytes + report.encode()
        bytes += tail(rows: 0, badRows: 1, output: 0, errors: errors)
        return bytes
    }
}
