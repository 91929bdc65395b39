internal import RoostChannel
internal import RoostFeedback

/// What is kept of one answered request, until its labels come or its time is over.
struct RecordedPrediction: Hashable, Sendable {
    let function: String
    let version: String
    /// The v2 `id`, else the header `Roost-Key`, else the `X-Request-Id` of the reply.
    let key: String
    /// Microseconds since 1970.
    let at: Int64
    /// Rows that are told of; of each `width` of the `elements` values of the first output.
    let rows: Int
    let width: Int
    let elements: Int
    let values: [Double]
    let labels: ReplySummary.Labels

    /// Nil when nothing in it could be held against a label.
    init?(_ summary: ReplySummary, function: String, version: String, key: String, at: Int64) {
        guard summary.rows > 0, summary.width > 0 || summary.labels != .none else { return nil }
        self.function = function
        self.version = version
        self.key = key
        self.at = at
        rows = summary.rows
        width = summary.width
        elements = summary.rowElements
        values = summary.values
        labels = summary.labels
    }

    /// The labels that its rows take.
    var kind: LabelKind {
        switch labels {
        case .numbers: .classNumber
        case .texts: .classText
        case .none: elements == 1 ? .number : .several
        }
    }

    /// Eight bytes for each value, the lowest first.
    var valueBytes: [UInt8] { values.flatMap { Self.bytes($0.bitPattern) } }

    /// Classes by number as values are; classes by name with a zero behind each.
    var classBytes: [UInt8] {
        switch labels {
        case .none: []
        case .numbers(let numbers): numbers.flatMap { Self.bytes(UInt64(bitPattern: $0)) }
        case .texts(let texts): texts.flatMap { text in text.utf8.filter { $0 != 0 } + [0] }
        }
    }

    /// About what it takes on disk, with its place in the index.
    var size: Int {
        let classes =
            switch labels {
            case .none: 0
            case .numbers(let numbers): 8 * numbers.count
            case .texts(let texts): texts.reduce(0) { $0 + $1.utf8.count + 1 }
            }
        return 64 + 2 * key.utf8.count + version.utf8.count + 8 * values.count + classes
    }

    private static func bytes(_ word: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) }
    }

    /// Row `row` of what `valueBytes` wrote.
    static func values(_ bytes: [UInt8], row: Int, width: Int) -> [Double] {
        guard (row + 1) * width * 8 <= bytes.count else { return [] }
        return (0..<width).map { Double(bitPattern: word(bytes, row * width + $0)) }
    }

    /// Row `row` of what `classBytes` wrote.
    static func decision(_ bytes: [UInt8], row: Int, _ kind: LabelKind) -> Label? {
        switch kind {
        case .number, .several: return nil
        case .classNumber:
            guard (row + 1) * 8 <= bytes.count else { return nil }
            return .number(Double(Int64(bitPattern: word(bytes, row))))
        case .classText:
            let texts = bytes.split(separator: 0, omittingEmptySubsequences: false)
            return row < texts.count - 1 ? .text(String(decoding: texts[row], as: UTF8.self)) : nil
        }
    }

    private static func word(_ bytes: [UInt8], _ index: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(bytes[8 * index + $1]) << (8 * UInt64($1)) }
    }
}
