import RoostBasics
import RoostTensors
import RoostWire

/// The first byte chooses a model, the rest is a body for it.
///
/// What is refused leaves no trace; what is taken is taken again in the same way behind the rows that are there; and
/// the record that is kept of it reads as the same rows.
func fuzzBody(_ input: [UInt8], _ format: RequestFormat) throws {
    var choices = Choices(input)
    let signature = Signatures.all[choices.number(below: Signatures.all.count)]
    let body = choices.rest
    let decoder = try RequestDecoder(signature: signature)
    let batch = TensorBatch(signature: signature)
    var info = RequestInfo()
    let isLax = input.count % 2 == 1
    do throws(RoostError) {
        let decoded = try decoder.decode(body.bytes, as: format, into: batch, &info, passingUnknown: isLax)
        precondition(decoded == .appended, "an empty batch takes rows of any kind")
    } catch {
        try expect(!error.message.isEmpty, "a refusal without a word")
        try expect(batch.rows == 0 && batch.inputs.allSatisfy { $0.count == 0 }, "a refused body left something")
        return
    }
    let rows = batch.rows
    try expect(rows > 0 && rows == info.rows, "\(rows) rows in the batch, \(info.rows) in the request")
    let first = batch.elements(0..<rows)
    let again = try decoder.decode(body.bytes, as: format, into: batch, &info, passingUnknown: isLax)
    try expect(again == .appended && batch.rows == 2 * rows, "the same body does not fit behind itself")
    try expect(batch.elements(0..<rows) == first, "the rows of another request changed")
    try expect(batch.elements(rows..<2 * rows) == first, "the same body was read in another way")
    try checkRecord(of: batch, rows, decoder, first)
    try checkReply(decoder, batch, info)
}

private func checkRecord(of batch: TensorBatch, _ rows: Int, _ decoder: RequestDecoder, _ first: [[[UInt8]]]) throws {
    let record = TextBuffer()
    try expect(
        RecordEncoder(decoder).append(0..<rows, of: batch, privateFields: [], to: record), "it cannot be recorded")
    let copy = TensorBatch(signature: batch.signature)
    var info = RequestInfo()
    do { _ = try decoder.decode(record.bytes.bytes, as: .tensors, into: copy, &info) } catch {
        throw Broken(description: "its record is refused: \(error): \(record.bytes.shown)")
    }
    try expect(copy.elements(0..<copy.rows) == first, "its record reads otherwise: \(record.bytes.shown)")
}

/// Whatever id and outputs were asked for, the reply is written.
private func checkReply(_ decoder: RequestDecoder, _ batch: TensorBatch, _ info: RequestInfo) throws {
    for (index, spec) in batch.signature.outputs.enumerated() {
        let shape = spec.shape.enumerated().map { Int64($0 == 0 ? batch.rows : $1) }
        try batch.prepareOutput(index, shape: shape.span).clear()
    }
    let encoder = ReplyEncoder(signature: batch.signature, function: "f", version: "1")
    let reply = TextBuffer()
    try encoder.tensors(0..<batch.rows, of: batch, info, into: reply)
    let answers = try decoder.answer(reply.bytes.bytes, as: .tensors, batch)
    let wanted = info.outputs.isEmpty ? Array(batch.signature.outputs.indices) : info.outputs
    try expect(answers.map(\.output) == wanted, "the reply has outputs \(answers.map(\.output)), asked for \(wanted)")
}
