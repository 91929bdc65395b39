import RoostBasics
import RoostTensors
import RoostWire

/// A model that adds up the numbers of a row, and the way of a file through it: by the host's splitter into chunks, and
/// each of them to the instance's codec.
final class BulkModel {
    /// What came of a file, or of a chunk of it.
    struct Scored: Equatable {
        var rows = 0
        var badRows = 0
        var output: [UInt8] = []
        var errors: [UInt8] = []
        var report = DataReport()

        mutating func read(_ bytes: [UInt8]) throws(RoostError) {
            let answer = try BulkReply(bytes.bytes)
            (rows, badRows) = (answer.rows, answer.badRows)
            output.append(answer.output)
            errors.append(answer.errors)
            report = try DataReport(decoding: answer.report)
        }

        mutating func add(_ other: Scored) throws(RoostError) {
            rows += other.rows
            badRows += other.badRows
            output += other.output
            errors += other.errors
            try report.merge(other.report)
        }
    }

    var plan: BulkPlan
    private let codec: BulkCodec

    init(_ signature: Signature, _ plan: BulkPlan) throws(RoostError) {
        self.plan = plan
        codec = BulkCodec(try RequestDecoder(signature: signature))
    }

    func score(_ records: [UInt8], line: UInt64 = 1, wantsHeader: Bool = false) throws -> Scored {
        let body = BulkRequest.head(plan: plan.encode(), firstLine: line, wantsHeader: wantsHeader) + records
        let reply = TextBuffer()
        let rows = try codec.score(body.bytes, into: reply) { (batch, _) throws(RoostError) in try Self.predict(batch) }
        var scored = Scored()
        do { try scored.read(reply.bytes) } catch { throw Broken(description: "its reply cannot be read: \(error)") }
        try expect(rows == scored.rows, "it says \(rows) rows, its reply \(scored.rows)")
        let lines = scored.errors.count { $0 == 0x0A }
        try expect(lines == scored.badRows, "\(lines) lines of errors for \(scored.badRows) bad rows")
        return scored
    }

    /// As a host does it, about `chunkBytes` at a time.
    func scoreFile(_ file: [UInt8], chunkBytes: Int) throws -> Scored {
        var rest = file.dropFirst(try RecordSplitter.fileStart(Array(file.prefix(4)).bytes))
        var splitter = RecordSplitter(plan.input, delimiter: plan.delimiter)
        if plan.input == .csv {
            let whole = Array(rest)
            let end = try splitter.firstRecord(in: whole.bytes, isAll: true)?.end ?? 0
            try plan.takeFirstRecord(Array(whole[..<end]).bytes)
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
            let chunk = try score(Array(bytes[..<boundary.end]), line: line)
            try expect(
                chunk.rows + chunk.badRows == boundary.records,
                "\(chunk.rows) rows and \(chunk.badRows) bad ones of \(boundary.records) records")
            try all.add(chunk)
            rest = rest.dropFirst(boundary.end)
        }
        return all
    }

    /// Rows whose sum is 6 are refused by the model.
    private static func predict(_ batch: TensorBatch) throws(RoostError) -> [Int: String] {
        var sums = [Float](repeating: 0, count: batch.rows)
        for input in batch.inputs where input.dtype != .bytes {
            for index in 0..<input.count { sums[index / input.rowElements] += Float(input.number(at: index)) }
        }
        do {
            for (index, spec) in batch.signature.outputs.enumerated() {
                let shape = spec.shape.enumerated().map { Int64($0 == 0 ? batch.rows : $1) }
                let output = try batch.prepareOutput(index, shape: shape.span)
                output.clear()
                guard output.dtype == .float32 else { continue }
                output.withMutableElements(Float.self) { all in for row in all.indices { all[row] = sums[row] } }
            }
        } catch { throw RoostError(.pluginFailed, "\(error)") }
        return [Int: String](uniqueKeysWithValues: sums.indices.filter { sums[$0] == 6 }.map { ($0, "no such row") })
    }
}
