public import RoostBasics
public import RoostTensors

/// Columns as the host sends them to the process that loads a model.
public enum ColumnList {
    /// Equal lists have equal bytes.
    public static func encode(_ columns: [Column]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(word: UInt64(columns.count))
        for column in columns {
            bytes.append(text: column.name)
            bytes.append(text: column.kind.rawValue)
            bytes.append(column.missingAllowed ? 1 : 0)
            bytes.append(texts: column.categories)
        }
        return bytes
    }

    /// - Throws: `.invalidArgument` for bytes that no `encode` gives.
    public static func decode(_ bytes: RawSpan) throws(RoostError) -> [Column] {
        var reader = WordReader(bytes, of: "list of columns")
        var columns: [Column] = []
        for _ in 0..<(try reader.count(of: 25)) {
            let name = try reader.text()
            guard let kind = Column.Kind(rawValue: try reader.text()) else { throw reader.malformed }
            let missingAllowed = try reader.byte() != 0
            columns.append(
                Column(name: name, kind: kind, missingAllowed: missingAllowed, categories: try reader.texts()))
        }
        guard reader.rest == 0 else { throw reader.malformed }
        return columns
    }
}
