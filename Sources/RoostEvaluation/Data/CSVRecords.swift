internal import RoostBasics

/// Finds records and fields in CSV (RFC 4180), without reading what they mean.
struct CSVRecords {
    let text: [UInt8]

    /// All records that are not empty, without the ends of their lines, each with the line that it begins on.
    /// - Throws: where a quote is not closed.
    func records(file: String) throws(RoostError) -> [(range: Range<Int>, line: Int)] {
        var found: [(range: Range<Int>, line: Int)] = []
        var at = text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        var line = 1
        while at < text.count {
            if text[at] == Self.newline { line += 1 }
            if Self.isLineEnd(text[at]) {
                at += 1
                continue
            }
            let (start, startLine) = (at, line)
            var isQuoted = false
            while at < text.count, isQuoted || !Self.isLineEnd(text[at]) {
                // A doubled quote leaves the field and enters it again: what is between is nothing.
                if text[at] == Self.quote { isQuoted.toggle() }
                if text[at] == Self.newline { line += 1 }
                at += 1
            }
            guard !isQuoted else {
                throw RoostError(.invalidArgument, "\(file): line \(startLine): a quote is not closed")
            }
            found.append((start..<at, startLine))
        }
        return found
    }

    /// The fields of a record as they stand, with their quotes.
    func fields(_ record: Range<Int>) -> [Range<Int>] {
        var fields: [Range<Int>] = []
        var (start, isQuoted) = (record.lowerBound, false)
        for at in record {
            if text[at] == Self.quote { isQuoted.toggle() }
            if text[at] == Self.comma, !isQuoted {
                fields.append(start..<at)
                start = at + 1
            }
        }
        fields.append(start..<record.upperBound)
        return fields
    }

    /// What a field says: without its quotes, or without the spaces around it when it has none.
    func value(_ field: Range<Int>) -> String {
        var (low, high) = (field.lowerBound, field.upperBound)
        while low < high, Self.isSpace(text[low]) { low += 1 }
        while low < high, Self.isSpace(text[high - 1]) { high -= 1 }
        guard high - low > 1, text[low] == Self.quote, text[high - 1] == Self.quote else {
            return String(decoding: text[low..<high], as: UTF8.self)
        }
        var content: [UInt8] = []
        var at = low + 1
        while at < high - 1 {
            content.append(text[at])
            at += text[at] == Self.quote ? 2 : 1
        }
        return String(decoding: content, as: UTF8.self)
    }

    static let quote = UInt8(ascii: "\"")
    static let comma = UInt8(ascii: ",")
    static let newline = UInt8(ascii: "\n")
    private static func isLineEnd(_ byte: UInt8) -> Bool { byte == newline || byte == UInt8(ascii: "\r") }
    private static func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
}
