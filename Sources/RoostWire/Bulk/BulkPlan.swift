public import RoostBasics

/// What becomes of the rows of one file: how they are written, which columns go on to the output, what is added.
///
/// One plan holds for a whole job; it travels with every chunk, so that an instance needs nothing from before.
public struct BulkPlan: Sendable {
    /// How a file is written.
    public enum Format: UInt8, Hashable, Sendable {
        /// RFC 4180; lines end with LF or CRLF.
        case csv = 1
        /// One JSON value a line: an object, an array, or a v2 infer request of one row.
        case jsonLines = 2
    }

    /// Which columns of the input stand in the output, in front of what the model says.
    public enum PassThrough: Hashable, Sendable {
        case all
        case none
        case named([String])
    }

    /// How to tell whether the first record of a CSV file is a header.
    public enum HeaderRule: Hashable, Sendable {
        /// It is one when any of its fields is neither empty nor a number.
        case automatic
        case present
        case absent
    }

    /// Columns of a CSV file, at most.
    public static let columnsMax = 16_384
    /// What may stand between the fields of a CSV file.
    public static let delimiters: [UInt8] = [.comma, 0x09, UInt8(ascii: ";")]

    public var input: Format
    public var output: Format
    /// Between the fields of CSV, of the input and of the output; one of `delimiters`.
    public var delimiter = UInt8(ascii: ",")
    /// CSV: whether the file begins with a header. That record is in no chunk.
    public var hasHeader = false
    /// CSV: the names of the file's columns; without a header their numbers: `1`, `2`, ….
    public var columns: [String] = []
    public var passThrough = PassThrough.all
    /// Columns that are no input of the model, whatever their place, and always stand in the output.
    public var ids: [String] = []
    /// Whether a model of several classes shall give the score of each beside its label.
    public var wantsProbabilities = false
    /// Names of the classes in the order of their scores; by number where there are none.
    public var classes: [String] = []
    /// From which score on the label of two classes is the positive one; NaN: as the model decides.
    public var threshold = Double.nan
    /// What each column of the model held when it was trained, where its card says so: what lies beyond is counted.
    public var ranges: [ColumnRange] = []

    /// The smallest and the largest number of a column, by its name.
    public struct ColumnRange: Hashable, Sendable {
        public let column: String
        public let range: ClosedRange<Double>

        public init(_ column: String, _ range: ClosedRange<Double>) {
            self.column = column
            self.range = range
        }
    }

    public init(input: Format, output: Format) {
        self.input = input
        self.output = output
    }

    /// Reads the names of a CSV file's columns, or learns that it has none, from its first record.
    /// - Parameter record: with or without the end of its line, without a byte order mark.
    /// - Throws: `.invalidArgument` when that is no record, or its names are not UTF-8.
    public mutating func takeFirstRecord(_ record: RawSpan, header rule: HeaderRule = .automatic) throws(RoostError) {
        guard let first = try CSVHeader(record, delimiter) else {
            throw RoostError(.invalidArgument, "the file has no rows")
        }
        hasHeader =
            switch rule {
            case .automatic: !first.isNumeric
            case .present: true
            case .absent: false
            }
        columns = hasHeader ? first.names : first.names.indices.map { String($0 + 1) }
    }
}

extension BulkPlan: Equatable {
    /// Without a threshold they are equal, too, though NaN is not equal to itself.
    public static func == (left: Self, right: Self) -> Bool { left.encode() == right.encode() }
}
