internal import RoostBasics
internal import RoostTensors

/// The first record of a CSV file.
struct CSVHeader {
    var names: [String] = []
    /// Every field is a number or empty.
    var isNumeric = true

    /// Nil when there is no record.
    init?(_ record: RawSpan, _ delimiter: UInt8) throws(RoostError) {
        let arena = ByteArena()
        let isThere = try unsafe record.withUnsafeBytes { (bytes) throws(RoostError) -> Bool in
            guard var cursor = unsafe JSONCursor(bytes, text: arena) else { return false }
            if cursor.matches("\u{FEFF}", at: 0) { cursor.at = 3 }
            var line = 1
            cursor.skipEmptyLines(&line)
            guard cursor.at < cursor.end else { return false }
            do throws(Fault) { try read(&cursor, &line, delimiter) } catch { throw Self.refusal(error, line) }
            return true
        }
        guard isThere else { return nil }
        guard names.count <= BulkPlan.columnsMax else {
            throw RoostError(
                .invalidArgument, "line 1: \(names.count) columns, at most \(BulkPlan.columnsMax) are taken")
        }
    }

    private mutating func read(_ cursor: inout JSONCursor, _ line: inout Int, _ delimiter: UInt8) throws(Fault) {
        repeat {
            let field = cursor.trimmed(try cursor.field(&line, delimiter))
            if !cursor.isNumeric(field) { isNumeric = false }
            for place in field.start..<field.end where cursor.byte(place) == 0 {
                throw Fault(.syntax("text, not NUL bytes: is this UTF-16 or a binary file?"), at: place)
            }
            names.append(try cursor.bytes(field).string)
        } while cursor.take(delimiter)
    }

    private static func refusal(_ fault: Fault, _ line: Int) -> RoostError {
        if case .syntax(let expected) = fault.kind {
            return RoostError(.invalidArgument, "line \(line): expected \(expected)")
        }
        return RoostError(.invalidArgument, "line \(line): the text is not UTF-8")
    }
}
