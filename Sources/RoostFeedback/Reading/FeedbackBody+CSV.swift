internal import RoostBasics

/// Labels as CSV (RFC 4180) with a header: `id` (or `key`), `label`, and `row` unless all are rows 0.
extension FeedbackBody {
    mutating func readCSV(_ bytes: [UInt8]) throws(RoostError) {
        var reader = CSVReader(bytes)
        guard let header = try reader.next() else { throw wrong("the body is empty") }
        let columns = try Columns(header.fields.map { $0.trimmed })
        while let record = try reader.next() {
            try checkRoom()
            read(record, columns)
        }
    }

    private mutating func read(_ record: CSVReader.Record, _ columns: Columns) {
        let fields = record.fields
        guard fields.count == columns.count else {
            let reason = "expected \(columns.count) fields, got \(fields.count)"
            return problems.append(FeedbackProblem(place: record.line, reason: reason))
        }
        let key = fields[columns.key]
        let text = columns.row.map { fields[$0].trimmed } ?? "0"
        do throws(RoostError) {
            let row = Int(text)
            guard let row, (0...Self.rowMax).contains(row) else {
                throw wrong("row: expected the row's place in its request, from 0, got \"\(text)\"")
            }
            guard !fields[columns.label].isEmpty else { throw wrong("label: is empty") }
            items.append(
                FeedbackItem(
                    place: record.line, key: try Self.checked(key: key), row: row,
                    label: .cell(fields[columns.label])))
        } catch {
            problems.append(
                FeedbackProblem(place: record.line, key: key, row: Int(text), reason: error.message))
        }
    }

    private struct Columns {
        let count: Int
        let key: Int
        let label: Int
        let row: Int?

        init(_ names: [String]) throws(RoostError) {
            if let strange = names.first(where: { !FeedbackBody.names.contains($0) }) {
                throw wrong("unknown column \"\(strange)\": the header is id,row,label")
            }
            guard Set(names).count == names.count, !(names.contains("id") && names.contains("key")) else {
                throw wrong("a column is there twice")
            }
            guard let key = names.firstIndex(where: { $0 == "id" || $0 == "key" }),
                let label = names.firstIndex(of: "label")
            else { throw wrong("the header is id,row,label; row may be left out") }
            (count, self.key, self.label) = (names.count, key, label)
            row = names.firstIndex(of: "row")
        }
    }
}

/// Takes records off a text.
private struct CSVReader {
    struct Record {
        var fields: [String]
        /// Where it begins, from 1.
        let line: Int
    }

    private let bytes: [UInt8]
    private var at: Int
    private var line = 1

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        at = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// The next record that is not an empty line; nil at the end.
    mutating func next() throws(RoostError) -> Record? {
        while at < bytes.count, bytes[at] == 0x0A || bytes[at] == 0x0D {
            if bytes[at] == 0x0A { line += 1 }
            at += 1
        }
        guard at < bytes.count else { return nil }
        var record = Record(fields: [], line: line)
        while true {
            record.fields.append(try field())
            guard at < bytes.count, bytes[at] == UInt8(ascii: ",") else { break }
            at += 1
        }
        return record
    }

    /// Up to a comma, the end of the line or of the text, which stay.
    private mutating func field() throws(RoostError) -> String {
        guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else {
            let start = at
            while at < bytes.count, ![UInt8(ascii: ","), 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
            return String(decoding: bytes[start..<at], as: UTF8.self)
        }
        let opened = line
        var text: [UInt8] = []
        at += 1
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            if byte == 0x0A { line += 1 }
            if byte != UInt8(ascii: "\"") {
                text.append(byte)
            } else if at < bytes.count, bytes[at] == byte {
                text.append(byte)
                at += 1
            } else {
                guard at == bytes.count || [UInt8(ascii: ","), 0x0A, 0x0D].contains(bytes[at]) else {
                    throw wrong("line \(line): text behind a closing quote")
                }
                return String(decoding: text, as: UTF8.self)
            }
        }
        throw wrong("line \(opened): a quote is not closed")
    }
}

extension String {
    /// Without spaces and tabs at its ends.
    fileprivate var trimmed: String {
        let isSpace = { (character: Character) in character == " " || character == "\t" }
        guard let first = firstIndex(where: { !isSpace($0) }), let last = lastIndex(where: { !isSpace($0) }) else {
            return ""
        }
        return String(self[first...last])
    }
}
