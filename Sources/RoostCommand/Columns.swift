/// Rows of cells as lines whose columns stand under each other.
struct Columns {
    private let widths: [Int]
    private let rightAligned: Range<Int>

    /// Wide enough for all of `rows`, which may be of different lengths.
    init(_ rows: [[String]], rightAligned: Range<Int>) {
        widths = (0..<(rows.map(\.count).max() ?? 0)).map { column in
            rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
        }
        self.rightAligned = rightAligned
    }

    func line(_ cells: [String]) -> String {
        let padded = cells.enumerated().map { column, cell in
            let space = String(repeating: " ", count: widths[column] - cell.count)
            return rightAligned.contains(column) ? space + cell : cell + space
        }
        var line = padded.joined(separator: "  ")
        while line.last == " " { line.removeLast() }
        return line
    }
}
