internal import CRoost
internal import RoostBasics

/// What an instance tells of a request whose reply the host passes on unread: whose it is, and what was predicted.
///
/// Rows beyond `rowsMax` and values beyond `widthMax` are left out; `rowElements` says how many there were.
public struct ReplySummary: Hashable, Sendable {
    /// A class for each row, where the model decides between classes.
    public enum Labels: Hashable, Sendable {
        case none
        case numbers([Int64])
        /// Each cut to `labelBytesMax` bytes.
        case texts([String])
    }

    public static let rowsMax = 64
    public static let widthMax = 16
    public static let idBytesMax = 64
    public static let labelBytesMax = Int(ROOST_LABEL_TEXT_MAX)
    public static let recordBytesMax = 64 << 10
    /// Of an encoded summary with all that it may hold, and padding.
    static let bytesMax =
        MemoryLayout<roost_summary>.size + rowsMax * (widthMax * 8 + 1 + labelBytesMax) + idBytesMax + recordBytesMax
        + 8

    /// The request's own id, as UTF-8; empty when it had none, or one longer than `idBytesMax`.
    public var id: [UInt8] = []
    /// Rows that are told of.
    public var rows = 0
    /// Values told of each row.
    public var width = 0
    /// Values that each row of the first output has.
    public var rowElements = 0
    /// Of the first output, row by row; NaN where the model gave no finite number.
    public var values: [Double] = []
    public var labels = Labels.none
    /// The request as a v2 infer request with private fields blank; empty when none was asked for or made.
    public var record: [UInt8] = []

    public init() {}

    /// Forgets everything and keeps the memory.
    public mutating func removeAll() {
        id.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        record.removeAll(keepingCapacity: true)
        (rows, width, rowElements, labels) = (0, 0, 0, .none)
    }

    /// Replaces `bytes` by this summary as it stands behind a reply.
    ///
    /// What exceeds the limits must have been left out: it traps.
    public func encode(into bytes: inout [UInt8]) {
        precondition(rows <= Self.rowsMax && width <= Self.widthMax && values.count == rows * width)
        precondition(id.count <= Self.idBytesMax && record.count <= Self.recordBytesMax)
        bytes.removeAll(keepingCapacity: true)
        let kind =
            switch labels {
            case .none: ROOST_LABELS_NONE
            case .numbers: ROOST_LABELS_NUMBERS
            case .texts: ROOST_LABELS_TEXTS
            }
        bytes.append(integer: UInt32(record.count))
        bytes.append(integer: UInt32(clamping: rowElements))
        for part in [rows, width, id.count, Int(kind)] { bytes.append(integer: UInt16(part)) }
        for value in values { bytes.append(integer: value.bitPattern) }
        switch labels {
        case .none: break
        case .numbers(let numbers):
            precondition(numbers.count == rows)
            for number in numbers { bytes.append(integer: UInt64(bitPattern: number)) }
        case .texts(let texts):
            precondition(texts.count == rows)
            for text in texts { bytes.append(label: text) }
        }
        bytes += id
        bytes += record
    }

    /// Reads what an instance wrote, from a copy that it can no longer change.
    /// - Returns: nil when a length contradicts the others or exceeds its limit.
    public init?(decoding bytes: RawSpan) {
        var reader = ByteReader(bytes)
        guard let recordSize = reader.integer(UInt32.self).map(Int.init), recordSize <= Self.recordBytesMax,
            let elements = reader.integer(UInt32.self), let rows = reader.integer(UInt16.self).map(Int.init),
            let width = reader.integer(UInt16.self).map(Int.init),
            let idSize = reader.integer(UInt16.self).map(Int.init), let kind = reader.integer(UInt16.self),
            rows <= Self.rowsMax, width <= Self.widthMax, idSize <= Self.idBytesMax, width <= Int(elements)
        else { return nil }
        (self.rows, self.width, rowElements) = (rows, width, Int(elements))
        values.reserveCapacity(rows * width)
        for _ in 0..<rows * width {
            guard let bits = reader.integer(UInt64.self) else { return nil }
            let value = Double(bitPattern: bits)
            values.append(value.isFinite ? value : .nan)
        }
        guard let labels = reader.labels(kind, rows), let id = reader.bytes(idSize),
            let record = reader.bytes(recordSize), reader.rest < 8
        else { return nil }
        (self.labels, self.id, self.record) = (labels, id, record)
    }
}

extension [UInt8] {
    fileprivate mutating func append(integer: some FixedWidthInteger) {
        var rest = integer
        for _ in 0..<rest.bitWidth / 8 {
            append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }

    /// A length byte and `labelBytesMax` bytes; a longer text is cut between characters.
    fileprivate mutating func append(label text: String) {
        var kept = text[...]
        while kept.utf8.count > ReplySummary.labelBytesMax { kept.removeLast() }
        append(UInt8(kept.utf8.count))
        append(contentsOf: kept.utf8)
        append(contentsOf: repeatElement(0, count: ReplySummary.labelBytesMax - kept.utf8.count))
    }
}

/// Takes parts off the front of bytes that nobody else changes.
private struct ByteReader: ~Escapable {
    private let bytes: RawSpan
    private var at = 0

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) { self.bytes = bytes }

    var rest: Int { bytes.byteCount - at }

    mutating func integer<Integer: FixedWidthInteger>(_: Integer.Type) -> Integer? {
        let size = Integer.bitWidth / 8
        guard rest >= size else { return nil }
        var value: Integer = 0
        for index in (0..<size).reversed() { value = value << 8 | Integer(truncatingIfNeeded: bytes[at + index]) }
        at += size
        return value
    }

    mutating func bytes(_ count: Int) -> [UInt8]? {
        guard rest >= count else { return nil }
        defer { at += count }
        var found: [UInt8] = []
        found.append(bytes.extracting(at..<at + count))
        return found
    }

    mutating func labels(_ kind: UInt16, _ rows: Int) -> ReplySummary.Labels? {
        switch UInt32(kind) {
        case ROOST_LABELS_NONE: return ReplySummary.Labels.none
        case ROOST_LABELS_NUMBERS:
            var numbers: [Int64] = []
            for _ in 0..<rows {
                guard let number = integer(UInt64.self) else { return nil }
                numbers.append(Int64(bitPattern: number))
            }
            return .numbers(numbers)
        case ROOST_LABELS_TEXTS:
            var texts: [String] = []
            for _ in 0..<rows {
                guard let slot = bytes(1 + ReplySummary.labelBytesMax), Int(slot[0]) <= ReplySummary.labelBytesMax
                else { return nil }
                texts.append(String(decoding: slot.dropFirst().prefix(Int(slot[0])), as: UTF8.self))
            }
            return .texts(texts)
        default: return nil
        }
    }
}
