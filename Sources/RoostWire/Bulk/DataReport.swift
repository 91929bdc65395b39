public import RoostBasics

/// What a model was given by a file: how many rows, what was missing, which range, and whether rows repeat.
///
/// Reports of parts merge in any order to the report of the whole, bit by bit: counts are whole numbers, sums are
/// exact, and the sketch of different rows takes maxima.
public struct DataReport: Hashable, Sendable {
    /// One column of the model, over the rows that could be read.
    public struct Column: Hashable, Sendable {
        public var name: String
        /// Whether it holds numbers; of words and text only missing ones are counted.
        public var isNumber: Bool
        /// Cells that were empty, `null` or NaN.
        public var missing: UInt64 = 0
        /// Rows that were refused for what stood here: no number, no such word, out of range, or missing where it
        /// must not be.
        public var refused: UInt64 = 0
        /// Infinities; they are in neither range nor sum.
        public var infinite: UInt64 = 0
        /// Finite numbers beyond what the column held when the model was trained; 0 where nobody said what that was.
        public var outOfRange: UInt64 = 0
        /// Of the finite numbers; +infinity and -infinity when there is none.
        public var minimum = Double.infinity
        public var maximum = -Double.infinity
        var exactSum = ExactSum()

        init(name: String, isNumber: Bool) {
            self.name = name
            self.isNumber = isNumber
        }

        /// Of the finite numbers.
        public var sum: Double { exactSum.value }
    }

    /// Rows that could be read.
    public internal(set) var rows: UInt64 = 0
    /// Rows that could not.
    public internal(set) var badRows: UInt64 = 0
    /// The columns of the model in its order; empty when it takes no table.
    public internal(set) var columns: [Column] = []
    var distinct = DistinctSketch()

    /// Of no rows; it merges with any other.
    public init() {}

    /// About how many rows are different for the model: those of which it is told the same count once.
    public var distinctRows: UInt64 {
        // A sketch that nobody honest has written may be estimated as infinite.
        min(rows, UInt64(min(distinct.estimate, 0x1p62).rounded()))
    }
    /// About how many rows repeat an earlier one. Its standard error is `duplicateError`.
    public var duplicates: UInt64 { rows - distinctRows }
    /// The standard error of `duplicates`, in rows: 1.6 % of the different ones.
    public var duplicateError: Double { Double(distinctRows) * DistinctSketch.standardError }

    /// The mean of the finite numbers of a column; nil when there are none.
    public func mean(ofColumn index: Int) -> Double? {
        let column = columns[index]
        let count = rows &- column.missing &- column.infinite
        return column.isNumber && count > 0 ? column.sum / Double(count) : nil
    }

    /// Adds the report of other rows of the same file.
    /// - Throws: `.invalidArgument` when that tells of other columns.
    public mutating func merge(_ other: Self) throws(RoostError) {
        // Rows that no instance survived tell of no columns.
        let isSame =
            columns.isEmpty || other.columns.isEmpty
            || columns.count == other.columns.count
                && columns.indices.allSatisfy { index in
                    columns[index].name == other.columns[index].name
                        && columns[index].isNumber == other.columns[index].isNumber
                }
        guard isSame else { throw RoostError(.invalidArgument, "a data report of other columns") }
        rows &+= other.rows
        badRows &+= other.badRows
        distinct.merge(other.distinct)
        if columns.isEmpty {
            columns = other.columns
        } else if !other.columns.isEmpty {
            for index in columns.indices { columns[index].merge(other.columns[index]) }
        }
    }
}

extension DataReport.Column {
    fileprivate mutating func merge(_ other: Self) {
        missing &+= other.missing
        refused &+= other.refused
        infinite &+= other.infinite
        outOfRange &+= other.outOfRange
        minimum = Swift.min(minimum, other.minimum)
        maximum = Swift.max(maximum, other.maximum)
        exactSum.add(other.exactSum)
    }
}

extension DataReport {
    /// As it travels and is kept. Equal reports have equal bytes.
    public func encode() -> [UInt8] {
        var bytes: [UInt8] = []
        for word in [rows, badRows, UInt64(columns.count)] { bytes.append(word: word) }
        for column in columns {
            bytes.append(text: column.name)
            bytes.append(column.isNumber ? 1 : 0)
            for word in [column.missing, column.refused, column.infinite, column.outOfRange] {
                bytes.append(word: word)
            }
            bytes.append(word: column.minimum.bitPattern)
            bytes.append(word: column.maximum.bitPattern)
            column.exactSum.encode(to: &bytes)
        }
        distinct.encode(to: &bytes)
        return bytes
    }

    /// - Throws: `.invalidArgument` for bytes that no `encode` gives.
    public init(decoding bytes: RawSpan) throws(RoostError) {
        var reader = WordReader(bytes, of: "data report")
        rows = try reader.word()
        badRows = try reader.word()
        for _ in 0..<(try reader.count(of: 67)) {
            var column = Column(name: try reader.text(), isNumber: try reader.byte() != 0)
            column.missing = try reader.word()
            column.refused = try reader.word()
            column.infinite = try reader.word()
            column.outOfRange = try reader.word()
            column.minimum = Double(bitPattern: try reader.word())
            column.maximum = Double(bitPattern: try reader.word())
            column.exactSum = try ExactSum(&reader)
            columns.append(column)
        }
        distinct = try DistinctSketch(&reader)
        guard reader.rest == 0 else { throw reader.malformed }
    }
}
