public import RoostBasics

extension BulkPlan {
    private static let revision: UInt8 = 2

    /// As it travels. Equal plans have equal bytes.
    public func encode() -> [UInt8] {
        var bytes: [UInt8] = [Self.revision, input.rawValue, output.rawValue, delimiter]
        bytes.append((hasHeader ? 1 : 0) | (wantsProbabilities ? 2 : 0))
        bytes.append(word: threshold.isNaN ? Double.nan.bitPattern : threshold.bitPattern)
        bytes.append(texts: columns)
        switch passThrough {
        case .all: bytes.append(0)
        case .none: bytes.append(1)
        case .named(let names):
            bytes.append(2)
            bytes.append(texts: names)
        }
        bytes.append(texts: ids)
        bytes.append(texts: classes)
        bytes.append(word: UInt64(ranges.count))
        for range in ranges {
            bytes.append(text: range.column)
            bytes.append(word: range.range.lowerBound.bitPattern)
            bytes.append(word: range.range.upperBound.bitPattern)
        }
        return bytes
    }

    /// - Throws: `.invalidArgument` for bytes that no `encode` gives.
    public init(decoding bytes: RawSpan) throws(RoostError) {
        var reader = WordReader(bytes, of: "plan of a batch job")
        guard try reader.byte() == Self.revision, let input = Format(rawValue: try reader.byte()),
            let output = Format(rawValue: try reader.byte())
        else { throw reader.malformed }
        self.init(input: input, output: output)
        delimiter = try reader.byte()
        let flags = try reader.byte()
        guard Self.delimiters.contains(delimiter), flags < 4 else { throw reader.malformed }
        (hasHeader, wantsProbabilities) = (flags & 1 != 0, flags & 2 != 0)
        threshold = Double(bitPattern: try reader.word())
        columns = try reader.texts()
        switch try reader.byte() {
        case 0: passThrough = .all
        case 1: passThrough = .none
        case 2: passThrough = .named(try reader.texts())
        default: throw reader.malformed
        }
        ids = try reader.texts()
        classes = try reader.texts()
        for _ in 0..<(try reader.count(of: 24)) {
            let column = try reader.text()
            let (low, high) = (Double(bitPattern: try reader.word()), Double(bitPattern: try reader.word()))
            guard low <= high else { throw reader.malformed }
            ranges.append(ColumnRange(column, low...high))
        }
        guard reader.rest == 0, columns.count <= Self.columnsMax else { throw reader.malformed }
    }
}
