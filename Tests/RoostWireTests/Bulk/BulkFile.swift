import RoostBasics
import RoostTensors
import RoostWire

/// What came of a file, or of a chunk of it.
struct Scored: Equatable {
    var rows = 0
    var badRows = 0
    var output = ""
    var errors = ""
    var report = DataReport()

    var lines: [Substring] { output.split(separator: "\n") }
}

/// A model of the given signature whose first output is the sum of a row's numbers, missing ones left out, and whose
/// label says whether that is above 10.
final class BulkFile {
    var plan: BulkPlan
    let codec: BulkCodec
    let signature: Signature
    /// Rows with this sum are refused by the model; a batch with `poison` fails as a whole.
    var refused: Float?
    var poison: Float?
    /// Batches that were predicted.
    var batches = 0

    init(_ signature: Signature, _ plan: BulkPlan) throws {
        self.signature = signature
        self.plan = plan
        codec = BulkCodec(try RequestDecoder(signature: signature))
    }

    /// Columns `a`, `b`, `c` of one FP32 matrix, unless others are named.
    convenience init(
        _ plan: BulkPlan = BulkPlan(input: .csv, output: .csv), columns: [Column]? = nil, width: Int = 3
    ) throws {
        let columns = columns ?? ["a", "b", "c"].map { Column(name: $0) }
        try self.init(
            Signature(
                inputs: [
                    TensorSpec(
                        name: "features", dtype: .float32, shape: [-1, columns.isEmpty ? width : columns.count])
                ],
                outputs: [
                    TensorSpec(name: "predictions", dtype: .float32, shape: [-1]),
                    TensorSpec(name: "label", dtype: .int64, shape: [-1]),
                ], columns: columns), plan)
    }

    /// Scores a whole CSV file with a header, passing no columns on.
    static func plain(_ change: (inout BulkPlan) -> Void = { _ in }) -> BulkPlan {
        var plan = BulkPlan(input: .csv, output: .csv)
        plan.passThrough = .none
        change(&plan)
        return plan
    }

    // MARK: scoring

    func score(_ records: [UInt8], line: UInt64 = 1, wantsHeader: Bool = false) throws(RoostError) -> Scored {
        let body = BulkRequest.head(plan: plan.encode(), firstLine: line, wantsHeader: wantsHeader) + records
        let reply = TextBuffer()
        let rows = try codec.score(body.bytes, into: reply) { (batch, threshold) throws(RoostError) in
            try predict(batch, threshold)
        }
        let bytes = reply.bytes
        let answer = try BulkReply(bytes.bytes)
        var scored = Scored(rows: answer.rows, badRows: answer.badRows)
        scored.output = String(answer.output)
        scored.errors = String(answer.errors)
        scored.report = try DataReport(decoding: answer.report)
        precondition(rows == scored.rows && bytes.count < 1 << 30)
        return scored
    }

    func score(_ text: String, line: UInt64 = 1, wantsHeader: Bool = false) throws(RoostError) -> Scored {
        try score(Array(text.utf8), line: line, wantsHeader: wantsHeader)
    }

    /// Cuts a file as a host does, `chunkBytes` at a time and more where a record is longer, and joins the parts.
    func scoreFile(_ file: [UInt8], chunkBytes: Int, header: BulkPlan.HeaderRule = .automatic) throws -> Scored {
        var rest = file[...]
        rest = rest.dropFirst(try RecordSplitter.fileStart(Array(rest.prefix(4)).bytes))
        var splitter = RecordSplitter(plan.input, delimiter: plan.delimiter)
        if plan.input == .csv {
            let whole = Array(rest)
            let end = try splitter.firstRecord(in: whole.bytes, isAll: true)?.end ?? 0
            try plan.takeFirstRecord(Array(whole[..<end]).bytes, header: header)
            if plan.hasHeader {
                rest = rest.dropFirst(end)
            } else {
                splitter = RecordSplitter(.csv, delimiter: plan.delimiter)
            }
        }
        var all = try score([], wantsHeader: true)
        var size = chunkBytes
        while !rest.isEmpty {
            let line = splitter.line
            let bytes = Array(rest.prefix(size))
            let isLast = bytes.count == rest.count
            guard let boundary = try isLast ? splitter.finish(bytes.bytes) : splitter.lastBoundary(in: bytes.bytes)
            else {
                size *= 2
                continue
            }
            size = chunkBytes
            all.add(try score(Array(bytes[..<boundary.end]), line: line))
            rest = rest.dropFirst(boundary.end)
        }
        return all
    }

    // MARK: the model

    private func predict(_ batch: TensorBatch, _ threshold: Double) throws(RoostError) -> [Int: String] {
        batches += 1
        var sums = [Float](repeating: 0, count: batch.rows)
        for input in batch.inputs where input.dtype != .bytes {
            for index in 0..<input.count {
                let value = Float(input.number(at: index))
                if !value.isNaN { sums[index / input.rowElements] += value }
            }
        }
        if let poison, sums.contains(poison) { throw RoostError(.pluginFailed, "poisoned") }
        for (index, spec) in signature.outputs.enumerated() {
            let trailing = spec.shape.dropFirst().map { Int64($0 < 0 ? 2 : $0) }
            do {
                let output = try batch.prepareOutput(index, shape: ([Int64(batch.rows)] + trailing).span)
                fill(output, sums, threshold.isNaN ? 10 : threshold)
            } catch { throw RoostError(.pluginFailed, "\(error)") }
        }
        guard let refused else { return [:] }
        return [Int: String](
            uniqueKeysWithValues: sums.indices.filter { sums[$0] == refused }.map { ($0, "no such row") })
    }

    private func fill(_ output: TensorBuffer, _ sums: [Float], _ threshold: Double) {
        if output.dtype == .float32 {
            output.withMutableElements(Float.self) { all in
                for index in all.indices {
                    let sum = sums[index / output.rowElements]
                    all[index] = sum == 99 ? .nan : sum == 98 ? .infinity : sum + Float(index % output.rowElements)
                }
            }
        } else if output.dtype == .int64 {
            output.withMutableElements(Int64.self) { all in
                for index in all.indices { all[index] = Double(sums[index]) > threshold ? 1 : 0 }
            }
        }
    }
}

extension Scored {
    mutating func add(_ other: Scored) {
        rows += other.rows
        badRows += other.badRows
        output += other.output
        errors += other.errors
        try? report.merge(other.report)
    }
}
