public import RoostBasics

/// Says where the records of a file end, so that it can be cut into chunks of whole ones. Hot kernel.
///
/// No input and no output: the host hands it bytes that begin where a record begins, and it remembers the number of
/// that line only. CSV: a quote opens at the beginning of a field, two within quotes stand for one, and a line feed
/// within quotes ends no record (RFC 4180). JSON Lines: every line feed does. About 2.5 GB/s, half of it where every
/// field is quoted.
public struct RecordSplitter: Hashable, Sendable {
    /// The end of some records.
    public struct Boundary: Hashable, Sendable {
        /// Behind the last record and the end of its line, in bytes from where the records begin.
        public var end = 0
        /// Records in front of it; lines without anything are none.
        public var records = 0
        /// Lines in front of it.
        public var lines = 0

        public init(end: Int = 0, records: Int = 0, lines: Int = 0) {
            (self.end, self.records, self.lines) = (end, records, lines)
        }
    }

    /// Of one record, in bytes. What is longer is no table, or a quote that nobody closed.
    public static let recordBytesMax = 16 << 20

    public let format: BulkPlan.Format
    public let delimiter: UInt8
    /// The number of the line that the next bytes begin with, from 1.
    public private(set) var line: UInt64

    /// - Parameter line: that of the first byte which will be given.
    public init(_ format: BulkPlan.Format, delimiter: UInt8 = UInt8(ascii: ","), line: UInt64 = 1) {
        self.format = format
        self.delimiter = delimiter
        self.line = line
    }

    /// How many bytes at the beginning of a file belong to no record: those of a byte order mark.
    /// - Parameter bytes: the first four of the file, or all.
    /// - Throws: `.invalidArgument` when they are the beginning of UTF-16, UTF-32 or of a binary file.
    public static func fileStart(_ bytes: RawSpan) throws(RoostError) -> Int {
        if bytes.starts(with: "\u{FEFF}") { return 3 }
        let first = bytes.extracting(first: min(bytes.byteCount, 4))
        let isMarked =
            first.byteCount >= 2 && (first[0] == 0xFF && first[1] == 0xFE || first[0] == 0xFE && first[1] == 0xFF)
        guard !isMarked, !first.byteOffsets.contains(where: { first[$0] == 0 }) else {
            throw RoostError(
                .invalidArgument, "this is UTF-16, or a binary file: convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)")
        }
        return 0
    }

    /// Finds the end of the last record that is complete, and moves on to it: the next call wants the bytes behind.
    ///
    /// - Parameter bytes: from the beginning of a record on.
    /// - Returns: nil when no line ends: then it wants more bytes, together with these.
    /// - Throws: `.tooLarge` when a record is longer than `recordBytesMax`, naming its line.
    public mutating func lastBoundary(in bytes: RawSpan) throws(RoostError) -> Boundary? {
        let scan = try scan(bytes)
        guard scan.boundary.end > 0 else { return nil }
        line += UInt64(scan.boundary.lines)
        return scan.boundary
    }

    /// Finds the end of the first record, with the empty lines in front of it, and moves on to it: where a CSV file may
    /// have its header.
    ///
    /// - Parameter isAll: whether no bytes follow.
    /// - Returns: nil when it wants more bytes, together with these; with `isAll` only where there is no record.
    /// - Throws: as `lastBoundary`; with `isAll` as `finish`.
    public mutating func firstRecord(in bytes: RawSpan, isAll: Bool) throws(RoostError) -> Boundary? {
        var boundary = try scan(bytes, records: 1).boundary
        if boundary.records == 0 {
            guard isAll else { return nil }
            boundary = try whole(bytes)
            guard boundary.records > 0 else { return nil }
        }
        line += UInt64(boundary.lines)
        return boundary
    }

    /// The end of what is left at the end of the input: its last record needs no line feed.
    /// - Throws: `.invalidArgument` when a quote is not closed, naming the line where it was opened; `.tooLarge`.
    public mutating func finish(_ bytes: RawSpan) throws(RoostError) -> Boundary {
        let boundary = try whole(bytes)
        line += UInt64(boundary.lines)
        return boundary
    }

    /// A place to cut a chunk in two, after half of its records; nil when it has one only.
    /// - Throws: as `finish`.
    public func half(of chunk: RawSpan) throws(RoostError) -> Boundary? {
        let records = try whole(chunk).records
        guard records > 1 else { return nil }
        return try scan(chunk, records: records / 2).boundary
    }

    private func whole(_ bytes: RawSpan) throws(RoostError) -> Boundary {
        let scan = try scan(bytes)
        if let quote = scan.openQuote {
            throw RoostError(
                .invalidArgument,
                "line \(line + UInt64(quote)): a quote is opened and not closed until the end of the file")
        }
        var boundary = scan.boundary
        if boundary.end < bytes.byteCount {
            let isBlank = boundary.end + 1 == bytes.byteCount && bytes[boundary.end] == 0x0D
            boundary.records += isBlank ? 0 : 1
            boundary.lines = scan.lines + 1
            boundary.end = bytes.byteCount
        }
        return boundary
    }

    private func scan(_ bytes: RawSpan, records: Int = .max) throws(RoostError) -> RecordScan {
        var scan = RecordScan(isCSV: format == .csv, delimiter: delimiter)
        scan.run(bytes, records: records)
        let rest = scan.boundary.records < records ? bytes.byteCount - scan.boundary.end : 0
        guard max(scan.longest, rest) <= Self.recordBytesMax
        else {
            let isLast = scan.longest <= Self.recordBytesMax
            let first = line + UInt64(isLast ? scan.boundary.lines : scan.longestLine)
            let quote = isLast ? scan.openQuote.map { "; a quote is open since line \(line + UInt64($0))" } ?? "" : ""
            throw RoostError(
                .tooLarge, "line \(first): a record is longer than \(Self.recordBytesMax >> 20) MiB\(quote)")
        }
        return scan
    }
}
