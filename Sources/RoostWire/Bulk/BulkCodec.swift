public import RoostBasics
public import RoostTensors

/// Turns chunks of a file into scored lines, for one model: reads the rows in blocks, has them predicted, writes them.
/// Keeps its memory from chunk to chunk; a row that can be read allocates nothing.
public final class BulkCodec {
    /// Predicts all rows of a batch, with a threshold for the label (NaN: the model's own).
    /// - Returns: the reasons of rows that have no answer.
    public typealias Predict = (TensorBatch, _ threshold: Double) throws(RoostError) -> [Int: String]

    /// Rows that are predicted at once, at most; fewer where rows are long, so that a block's inputs stay in cache.
    public static let blockRowsMax = 1024
    private static let blockBytes = 256 << 10

    let decoder: RequestDecoder
    let batch: TensorBatch
    let blockRows: Int
    private lazy var single = TensorBatch(signature: decoder.signature)
    private let errors = TextBuffer()
    let scratch = TextBuffer()

    // What the plan of the last chunk comes to.
    private var planBytes: [UInt8] = []
    private(set) var plan = BulkPlan(input: .csv, output: .csv)
    private(set) var columns: BulkColumns?
    private(set) var outputs: BulkOutputs?
    private(set) var keptKeys: [[UInt8]] = []

    // The chunk that is being scored.
    var report: ReportBuilder
    /// The number of the line at which the cursor stands.
    var line = 0
    var hasNUL = false
    var isASCII = true
    /// Of the block: where the rows stand, and in CSV the fields of them that are kept, two offsets each.
    var places: [RowPlace] = []
    var kept: [Int] = []
    private var bad: [BadRow] = []
    private var rowCount = 0
    private var badCount = 0
    var info = RequestInfo()

    public init(_ decoder: RequestDecoder) {
        self.decoder = decoder
        batch = TensorBatch(signature: decoder.signature)
        report = ReportBuilder(decoder.layout)
        let rowBytes = decoder.signature.inputs.reduce(0) { sum, spec in
            sum + spec.shape.dropFirst().reduce(1) { $0 * max($1, 1) } * spec.dtype.byteSize
        }
        let width = (decoder.layout.matrix?.columns.count ?? 1) * 4
        blockRows = max(16, min(Self.blockRowsMax, Self.blockBytes / max(rowBytes, width, 1)))
    }

    /// Scores the chunk that `body` is, a `BulkRequest`, and appends a `BulkReply`.
    ///
    /// What is wrong with a row makes it a bad row of the reply; the others go on.
    /// - Returns: rows that were scored.
    /// - Throws: `.invalidArgument` when the plan does not fit to the model; `reply` is then incomplete.
    public func score(_ body: RawSpan, into reply: TextBuffer, predict: Predict) throws(RoostError) -> Int {
        let request = try BulkRequest(body)
        try adopt(request.plan)
        defer { batch.reset() }
        (rowCount, badCount) = (0, 0)
        errors.removeAll()
        line = Int(request.firstLine)
        let first = reply.count
        if request.wantsHeader, plan.output == .csv { appendHeader(to: reply) }
        unsafe request.records.withUnsafeBytes { bytes in
            guard var cursor = unsafe JSONCursor(bytes, text: batch.text) else { return }
            look(cursor)
            while block(&cursor) { finishBlock(cursor, reply, predict) }
        }
        let outputSize = reply.count - first
        errors.withBytes { reply.append($0) }
        reply.append(report.finish().encode())
        reply.append(BulkReply.tail(rows: rowCount, badRows: badCount, output: outputSize, errors: errors.count))
        return rowCount
    }

    /// Works out what a plan comes to, unless it is the one before.
    private func adopt(_ bytes: RawSpan) throws(RoostError) {
        let known = planBytes
        if columns != nil, known.bytes.hasSameBytes(as: bytes) { return }
        columns = nil
        let plan = try BulkPlan(decoding: bytes)
        let columns = try BulkColumns(plan, decoder.layout)
        let kept = plan.input == .jsonLines && columns.keepsAll ? [] : columns.keptNames
        outputs = try BulkOutputs(plan, decoder.signature, keptNames: kept)
        keptKeys = columns.keptNames.map { JSONText.quoted($0) + [.colon] }
        self.plan = plan
        self.columns = columns
        planBytes.assign(bytes)
        report.watch(plan.ranges)
    }

    private func appendHeader(to reply: TextBuffer) {
        for (index, name) in ((columns?.keptNames ?? []) + (outputs?.names ?? [])).enumerated() {
            if index > 0 { reply.append(plan.delimiter) }
            reply.append(csv: Array(name.utf8), plan.delimiter)
        }
        reply.append(0x0A)
    }

    /// Looks once at all bytes for what hardly any file has, so that not every row need be looked at.
    private func look(_ cursor: JSONCursor) {
        (hasNUL, isASCII) = cursor.withBytes(0, cursor.end) { bytes in
            var (seen, lowest): (UInt8, UInt8) = (0, 0xFF)
            for index in 0..<bytes.byteCount {
                let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
                seen |= byte
                lowest = min(lowest, byte)
            }
            return (lowest == 0, seen < 0x80)
        }
    }

    // MARK: blocks

    /// Reads the next rows. Whether there were any, good or bad.
    private func block(_ cursor: inout JSONCursor) -> Bool {
        places.removeAll(keepingCapacity: true)
        kept.removeAll(keepingCapacity: true)
        batch.reset()
        switch plan.input {
        case .csv: readFields(&cursor)
        case .jsonLines: readLines(&cursor)
        }
        return !places.isEmpty || !bad.isEmpty
    }

    /// Whether a block shall end here.
    var isFull: Bool { places.count >= blockRows || bad.count >= blockRows }

    func refuse(_ row: RowPlace, _ reason: String, column: Int?) {
        report.refuse(column: column)
        bad.append(BadRow(place: row, reason: reason))
    }

    private func finishBlock(_ cursor: JSONCursor, _ reply: TextBuffer, _ predict: Predict) {
        if batch.rows > 0 {
            report.add(batch)
            do throws(RoostError) {
                let failed = try predict(batch, plan.threshold)
                for row in places.indices {
                    if !failed.isEmpty, let reason = failed[row] {
                        bad.append(BadRow(place: places[row], reason: reason))
                    } else {
                        write(row, of: batch, row, cursor, reply)
                    }
                }
            } catch { predictAlone(cursor, reply, error, predict) }
        }
        // Where the model refuses rows they are found after the unreadable ones.
        bad.sort { $0.place.line < $1.place.line }
        for row in bad { errors.append(row, cursor) }
        badCount += bad.count
        bad.removeAll(keepingCapacity: true)
    }

    /// A block failed as a whole: each row runs by itself, so that one that fails alone fails alone.
    private func predictAlone(_ cursor: JSONCursor, _ reply: TextBuffer, _ error: RoostError, _ predict: Predict) {
        guard places.count > 1 else { return bad.append(BadRow(place: places[0], reason: error.message)) }
        for row in places.indices {
            single.reset()
            single.append(rows: row..<row + 1, of: batch)
            do throws(RoostError) {
                if let reason = try predict(single, plan.threshold)[0] {
                    bad.append(BadRow(place: places[row], reason: reason))
                } else {
                    write(0, of: single, row, cursor, reply)
                }
            } catch { bad.append(BadRow(place: places[row], reason: error.message)) }
        }
        single.reset()
    }

    /// Writes the line of one row.
    private func write(_ element: Int, of batch: TensorBatch, _ row: Int, _ cursor: JSONCursor, _ reply: TextBuffer) {
        let before = reply.count
        guard let failed = appendRow(element, of: batch, row, cursor, to: reply) else {
            rowCount += 1
            return
        }
        reply.truncate(to: before)
        bad.append(
            BadRow(
                place: places[row],
                reason: "output \"\(decoder.signature.outputs[failed].name)\" is not UTF-8, which JSON and CSV need"))
    }
}
