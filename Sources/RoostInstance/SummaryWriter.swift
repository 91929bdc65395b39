internal import RoostBasics
internal import RoostChannel
internal import RoostTensors
internal import RoostWire

/// Works out what the host would know of a request that was answered. Keeps its memory from one to the next.
final class SummaryWriter {
    private let records: RecordEncoder
    /// The output that names classes, if there is one.
    private let labelOutput: Int?
    private var summary = ReplySummary()
    private let text = TextBuffer()
    private var bytes: [UInt8] = []

    init(_ decoder: RequestDecoder) {
        records = RecordEncoder(decoder)
        labelOutput = decoder.signature.outputs.firstIndex { spec in
            spec.name == "label" && spec.shape.count == 1 && (spec.dtype == .int64 || spec.dtype == .bytes)
        }
    }

    /// The summary of the request that has these rows of a predicted batch, as it goes behind the reply.
    func encode(
        _ rows: Range<Int>, of batch: TensorBatch, _ info: RequestInfo, _ wants: SummaryWish, privateFields: [UInt8]
    ) -> [UInt8] {
        summary.removeAll()
        if wants.contains(.outputs) {
            identify(info)
            let told = rows.prefix(ReplySummary.rowsMax)
            summary.rows = told.count
            if let first = batch.outputs.first { readValues(first, told) }
            if let labelOutput { readLabels(batch.outputs[labelOutput], told) }
        }
        if wants.contains(.record) { record(rows, of: batch, privateFields) }
        summary.encode(into: &bytes)
        return bytes
    }

    /// The v2 `id` as its sender knows it: without JSON's escapes.
    private func identify(_ info: RequestInfo) {
        guard info.hasID else { return }
        summary.id = info.id
        if info.id.contains(UInt8(ascii: "\\")) {
            text.removeAll()
            do throws(RoostError) { try JSONText.unescape(info.id.bytes, into: text) } catch { return summary.id = [] }
            summary.id = text.bytes
        }
        if summary.id.count > ReplySummary.idBytesMax { summary.id.removeAll() }
    }

    private func readValues(_ output: TensorBuffer, _ rows: Range<Int>) {
        guard let read = output.doubles else { return }
        let width = min(output.rowElements, ReplySummary.widthMax)
        (summary.rowElements, summary.width) = (output.rowElements, width)
        for row in rows {
            for column in 0..<width { summary.values.append(read(row * output.rowElements + column)) }
        }
    }

    private func readLabels(_ output: TensorBuffer, _ rows: Range<Int>) {
        if output.dtype == .int64 {
            summary.labels = .numbers(output.withElements(Int64.self) { all in rows.map { all[$0] } })
        } else {
            summary.labels = .texts(
                output.withElements(BytesElement.self) { all in rows.map { all[$0].withBytes { String($0) } } })
        }
    }

    /// None when a private field is not known here: then nobody can say what the record would show.
    private func record(_ rows: Range<Int>, of batch: TensorBatch, _ privateFields: [UInt8]) {
        text.removeAll()
        // Each element takes two bytes and more: what cannot fit is not worth writing.
        let elements = batch.inputs.reduce(0) { $0 + $1.rowElements * rows.count }
        guard elements <= ReplySummary.recordBytesMax / 2,
            records.append(rows, of: batch, privateFields: privateFields, to: text),
            text.count <= ReplySummary.recordBytesMax
        else { return }
        text.withBytes { summary.record.append($0) }
    }
}

extension TensorBuffer {
    /// Reads elements as numbers; nil where they are none that a score or a decision would be given as.
    fileprivate var doubles: ((Int) -> Double)? {
        switch dtype {
        case .float32: { index in self.withElements(Float.self) { Double($0[index]) } }
        case .float64: { index in self.withElements(Double.self) { $0[index] } }
        case .float16: { index in self.withElements(Float16.self) { Double($0[index]) } }
        case .int64: { index in self.withElements(Int64.self) { Double($0[index]) } }
        case .int32: { index in self.withElements(Int32.self) { Double($0[index]) } }
        case .bool, .uint8, .uint16, .uint32, .uint64, .int8, .int16, .bytes: nil
        }
    }
}
