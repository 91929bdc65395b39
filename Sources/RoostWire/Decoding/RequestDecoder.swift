public import RoostBasics
public import RoostTensors

/// Reads bodies for one model and appends their rows to a batch. Keeps its memory: once warm, a request allocates
/// nothing.
public final class RequestDecoder {
    public let signature: Signature
    let layout: InputLayout
    /// Per input, and per column: whether this request has given it. For rows as objects: in which row last.
    @safe @exclusivity(unchecked) var seenInputs: [Int]
    @safe @exclusivity(unchecked) var seenColumns: [Int]
    /// Per CSV field: the column it fills, or nil for one that is passed over.
    @safe @exclusivity(unchecked) var fieldColumns: [Int?] = []
    /// Whether rows as objects may have members that the model does not know.
    @safe @exclusivity(unchecked) var passesUnknown = false
    /// Rows of this request as the first tensor said, and that tensor's name's place.
    @safe @exclusivity(unchecked) var tensorRows: Int?
    /// Of the v2 request that was read last as a whole.
    @safe @exclusivity(unchecked) var outline = BodyOutline()
    /// Where this request has its one flat array of numbers.
    @safe @exclusivity(unchecked) var flatData: Range<Int>?
    /// Where in the body the binary data stands that no tensor has taken yet; nil when the body is all JSON.
    @safe @exclusivity(unchecked) var binaryAt: Int?

    /// Make it in the template, so that instances share what it works out.
    /// - Throws: `.pluginFailed` when the signature is none that bodies can be read for.
    public init(signature: Signature) throws(RoostError) {
        self.signature = signature
        _ = PowersOfTen.table  // some milliseconds: paid here, before the fork, not by the first request
        layout = try InputLayout(signature)
        seenInputs = signature.inputs.map { _ in -1 }
        seenColumns = (layout.matrix?.columns ?? []).map { _ in -1 }
    }

    /// Reads `body` and appends its rows to `batch`, a batch for the same signature.
    ///
    /// - Parameters:
    ///   - info: overwritten.
    ///   - jsonBytes: how many bytes of a v2 request are JSON; tensors in binary follow them. Nil: all are JSON.
    ///   - passingUnknown: whether rows as objects may have members that the model does not know.
    /// - Throws: `.invalidArgument` saying which input, row and column, what was expected and what came. The batch
    ///   is then as it was before.
    public func decode(
        _ body: RawSpan, as format: RequestFormat, into batch: TensorBatch, _ info: inout RequestInfo,
        jsonBytes: Int? = nil, passingUnknown: Bool = false
    ) throws(RoostError) -> Decoded {
        let mark = batch.mark
        info.clear()
        passesUnknown = passingUnknown
        do throws(Refusal) {
            info.rows = try unsafe body.withUnsafeBytes { (bytes) throws(Refusal) -> Int in
                guard var cursor = unsafe JSONCursor(bytes, text: batch.text) else {
                    throw .invalid(RoostError(.invalidArgument, "the body is empty"))
                }
                binaryAt = nil
                if let jsonBytes { try split(&cursor, at: jsonBytes, format) }
                switch format {
                case .tensors:
                    if jsonBytes == nil, let rows = alike(body, cursor, batch) { return rows }
                    let rows = try tensors(&cursor, batch, &info)
                    if jsonBytes == nil { learn(body, info, rows: rows, batch) }
                    return rows
                case .rows: return try rows(&cursor, batch)
                case .csv: return try csv(&cursor, batch)
                }
            }
            try finish(batch, from: mark, rows: info.rows, isCSV: format == .csv)
            return .appended
        } catch {
            batch.rollback(to: mark)
            switch error {
            case .separate: return .separate
            case .invalid(let reason): throw reason
            }
        }
    }

    /// Checks what only complete rows show, and commits them.
    func finish(_ batch: TensorBatch, from mark: TensorBatch.Mark, rows: Int, isCSV: Bool) throws(Refusal) {
        guard rows > 0 else { throw .invalid(RoostError(.invalidArgument, "the request has no rows")) }
        if let matrix = layout.matrix, !matrix.refused.isEmpty, !isCSV {
            let input = batch.inputs[0]
            let (first, width) = (mark.rows * input.rowElements, input.rowElements)
            // Mostly nothing is missing at all, which is quickly seen.
            if input.hasNaN(in: first..<first + rows * width) {
                for row in 0..<rows {
                    for column in matrix.refused where input.isNaN(at: first + row * width + column) {
                        throw .invalid(missing(place: "row \(row + 1)", column))
                    }
                }
            }
        }
        batch.commit(rows: rows)
    }

    func missing(place: String, _ column: Int) -> RoostError {
        let name = layout.matrix?.columns[column].name ?? layout.inputNames.names[column]
        return RoostError(.invalidArgument, "\(place), column \"\(name)\": is missing, and this column must not be")
    }

    /// Gives input `index` the trailing extents that a request has, if its signature leaves them open.
    /// - Throws: `.separate` when the rows that are there have others.
    func settle(_ index: Int, _ batch: TensorBatch, _ extent: (Int) -> Int) throws(Refusal) {
        let input = batch.inputs[index]
        let isSame = input.trailing.indices.allSatisfy { input.trailing[$0] == extent($0) }
        if isSame { return }
        guard batch.rows == 0 else { throw .separate }
        let extents = input.trailing.indices.map(extent)
        guard let elements = Self.product(extents), elements <= TensorBatch.rowElementsMax else {
            throw invalid("input \"\(layout.inputNames.names[index])\": a row of \(extents) elements is too large")
        }
        input.reshape(trailing: extents)
    }

    /// Nil beyond what an Int holds.
    static func product(_ extents: [Int]) -> Int? {
        var product = 1
        for extent in extents {
            let (next, overflow) = product.multipliedReportingOverflow(by: extent)
            if overflow { return nil }
            product = next
        }
        return product
    }
}

extension TensorBuffer {
    /// Whether any of the elements is a floating-point NaN.
    func hasNaN(in range: Range<Int>) -> Bool {
        switch dtype {
        case .float32: withElements(Float.self) { $0.extracting(range).hasNaN }
        default: range.contains { isNaN(at: $0) }
        }
    }

    /// Whether the element is a floating-point NaN.
    func isNaN(at index: Int) -> Bool {
        switch dtype {
        case .float32: withElements(Float.self) { $0[index].isNaN }
        case .float64: withElements(Double.self) { $0[index].isNaN }
        case .float16: withElements(Float16.self) { $0[index].isNaN }
        case .bool, .uint8, .uint16, .uint32, .uint64, .int8, .int16, .int32, .int64, .bytes: false
        }
    }
}
