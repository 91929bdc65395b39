import RoostBasics
import RoostEvaluation
import RoostTensors
import RoostWire

/// The first byte chooses what is read, the second a model: a golden example, a reply of another version, labelled rows.
func fuzzExamples(_ input: [UInt8]) throws {
    var choices = Choices(input)
    let kind = choices.number(below: 4)
    if kind == 3 { return try checkLabelled(choices.rest) }
    let signature = Signatures.all[choices.number(below: Signatures.all.count)]
    let decoder = try RequestDecoder(signature: signature)
    let batch = TensorBatch(signature: signature)
    let text = choices.rest
    guard kind == 0 else {
        let answers = try? decoder.answer(text.bytes, as: kind == 1 ? .tensors : .rows, batch)
        try expect(batch.rows == 0, "an answer left rows in the batch")
        for answer in answers ?? [] { try expect(signature.outputs.indices.contains(answer.output), "no such output") }
        return
    }
    do throws(RoostError) {
        let example = try decoder.example(text.bytes, into: batch)
        let rows = batch.rows
        let first = batch.elements(0..<rows)
        precondition(example.rows == rows && rows > 0 && example.tolerance >= 0)
        let again = try decoder.example(text.bytes, into: batch)
        // As texts: a value that is missing is not equal to itself.
        precondition("\(again)" == "\(example)" && batch.rows == 2 * rows && batch.elements(rows..<2 * rows) == first)
    } catch {
        try expect(batch.rows == 0 && batch.inputs.allSatisfy { $0.count == 0 }, "a refused example left something")
    }
}

private func checkLabelled(_ text: [UInt8]) throws {
    guard let rows = try? LabelledRows(csv: text, file: "f", label: "y", group: text.count % 2 == 0 ? nil : "g") else {
        return
    }
    try expect(rows.count > 0 && rows.lines.count == rows.count && rows.batchRows > 0, "rows without lines")
    // What is sent to a model is the same table without the column of labels.
    let body = rows.body(0..<rows.count)
    try expect(rows.columns.isEmpty || !body.isEmpty, "\(rows.count) rows make no body")
}
