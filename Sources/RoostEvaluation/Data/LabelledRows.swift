public import RoostBasics

/// Rows with what turned out to be true of each: a CSV file with a header, one of whose columns holds the labels.
///
/// The other columns are sent to models as they stand, in batches; a model judges them.
public struct LabelledRows: Sendable {
    /// For messages.
    public let file: String
    /// The name of the column of labels.
    public let label: String
    /// All other columns, but that of groups.
    public let columns: [String]
    /// Each row's label, never empty.
    public let labels: [String]
    /// Each row's group, for rankings; empty without a column of groups.
    public let groups: [String]
    /// The line in the file on which each row begins.
    public let lines: [Int]
    let source: CSVRecords
    let records: [Range<Int>]
    /// The places of `columns` among a record's fields.
    let places: [Int]
    private let header: [UInt8]

    public var count: Int { labels.count }

    /// Rows to send in one request: as many as make a body of reasonable size.
    public var batchRows: Int {
        let rowBytes = max(1, source.text.count / max(1, count))
        return max(1, min(Self.batchRowsMax, Self.batchBytesMax / rowBytes))
    }

    static let batchRowsMax = 512
    static let batchBytesMax = 1 << 18

    /// Reads a file.
    /// - Parameter group: the column that says which rows are ranked against each other.
    /// - Throws: what is wrong, with the file, the line and the column: no header with such a column, a row of another
    ///   length, an empty label, no rows.
    public init(csv text: [UInt8], file: String, label: String, group: String? = nil) throws(RoostError) {
        source = CSVRecords(text: text)
        let all = try source.records(file: file)
        guard let head = all.first else { throw RoostError(.invalidArgument, "\(file) is empty") }
        let heads = source.fields(head.range)
        let names = heads.map(source.value)
        let labelPlace = try Self.place(of: label, "label", in: names, file)
        let groupPlace: Int? = if let group { try Self.place(of: group, "group", in: names, file) } else { nil }
        places = names.indices.filter { $0 != labelPlace && $0 != groupPlace }
        guard all.count > 1 else { throw RoostError(.invalidArgument, "\(file) has a header and no rows") }
        var (labels, groups): ([String], [String]) = ([], [])
        for record in all.dropFirst() {
            let fields = source.fields(record.range)
            guard fields.count == names.count else {
                throw RoostError(
                    .invalidArgument,
                    "\(file): line \(record.line): expected \(names.count) columns, got \(fields.count)")
            }
            let value = source.value(fields[labelPlace])
            guard !value.isEmpty else {
                throw RoostError(.invalidArgument, "\(file): line \(record.line): column \"\(label)\" is empty")
            }
            labels.append(value)
            if let groupPlace { groups.append(source.value(fields[groupPlace])) }
        }
        (self.file, self.label, self.labels, self.groups) = (file, label, labels, groups)
        columns = places.map { names[$0] }
        lines = all.dropFirst().map(\.line)
        records = all.dropFirst().map(\.range)
        header = Array(places.map { text[heads[$0]] }.joined(separator: [CSVRecords.comma])) + [CSVRecords.newline]
    }

    private static func place(
        of name: String, _ what: String, in names: [String], _ file: String
    ) throws(RoostError) -> Int {
        guard let place = names.firstIndex(of: name) else {
            let known = names.count > 24 ? names.prefix(24) + ["…"] : names[...]
            throw RoostError(
                .invalidArgument,
                "\(file): line 1: there is no \(what) column \"\(name)\"; the columns are \(known.joined(separator: ", "))"
            )
        }
        guard names.lastIndex(of: name) == place else {
            throw RoostError(.invalidArgument, "\(file): line 1: two columns are named \"\(name)\"")
        }
        return place
    }

    /// Some rows as CSV with the header, without label and group: the body of a predict request.
    public func body(_ rows: Range<Int>) -> [UInt8] { body(rows) { _, _, _ in nil } }

    /// - Parameter replaced: what stands for a cell of a row's column, nil for what the file has there. Columns are
    ///   asked for in order, each with the place of its cell in the text.
    func body(
        _ rows: Range<Int>, replaced: (_ row: Int, _ column: Int, _ cell: Range<Int>) -> [UInt8]?
    ) -> [UInt8] {
        var body = header
        for row in rows {
            let fields = source.fields(records[row])
            for (column, place) in places.enumerated() {
                if column > 0 { body.append(CSVRecords.comma) }
                let cell = fields[place]
                if let other = replaced(row, column, cell) { body += other } else { body += source.text[cell] }
            }
            // A line with nothing on it would be no row.
            if places.count == 1, body.last == CSVRecords.newline { body += [CSVRecords.quote, CSVRecords.quote] }
            body.append(CSVRecords.newline)
        }
        return body
    }

    /// What a host says of a request made of `rows` ("line 3: …", "row 2: …"), in terms of the file.
    public func message(_ text: String, of rows: Range<Int>) -> String {
        for (word, first) in [("line ", 2), ("row ", 1)] where text.hasPrefix(word) {
            let rest = text.dropFirst(word.count)
            let digits = rest.prefix(while: \.isNumber)
            guard let number = Int(digits), rows.indices.contains(rows.lowerBound + number - first) else { continue }
            return "\(file): line \(lines[rows.lowerBound + number - first])\(rest.dropFirst(digits.count))"
        }
        return "\(file): \(text)"
    }
}
