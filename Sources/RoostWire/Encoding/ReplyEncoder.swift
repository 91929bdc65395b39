public import RoostBasics
public import RoostTensors

/// Writes replies for one version from a batch's outputs. What never changes is prepared once.
public final class ReplyEncoder {
    let signature: Signature
    /// `{"model_name":"credit","model_version":"3"`
    let tensorsHead: [UInt8]
    /// Per output: `{"name":"label","datatype":"INT64","shape":[`
    let tensorHeads: [[UInt8]]
    /// Per output its key in rows replies, with quotes and colon: the first is `predictions`.
    let rowKeys: [[UInt8]]
    /// Per output its name in a CSV header: the first is `predictions`.
    let csvNames: [[UInt8]]
    /// `,"version":"3"}`
    let rowsTail: [UInt8]

    /// - Parameters:
    ///   - function: the name of the function.
    ///   - version: the version as clients read it: `3`.
    public init(signature: Signature, function: String, version: String) {
        self.signature = signature
        let version = JSONText.quoted(version)
        tensorsHead =
            Array(#"{"model_name":"#.utf8) + JSONText.quoted(function) + Array(#","model_version":"#.utf8) + version
        tensorHeads = signature.outputs.map { spec in
            Array(#"{"name":"#.utf8) + JSONText.quoted(spec.name)
                + Array(#","datatype":"\#(spec.dtype.name)","shape":["#.utf8)
        }
        // A later output that is called as the reply's own keys gives way to them.
        let names = signature.outputs.enumerated().map { index, spec in
            index == 0
                ? "predictions" : ["predictions", "version"].contains(spec.name) ? "output_\(spec.name)" : spec.name
        }
        rowKeys = names.map { JSONText.quoted($0) + [.colon] }
        csvNames = names.map { Array($0.utf8) }
        rowsTail = Array(#","version":"#.utf8) + version + [.closeBrace]
    }

    /// Appends `{"predictions":[…],"label":[…],"version":"3"}` for the request's rows: the first output as
    /// `predictions`, the others beside it by name; one value or one nested array a row.
    /// - Throws: `.pluginFailed` when a BYTES output is not UTF-8. `buffer` then holds what it held before.
    public func rows(
        _ rows: Range<Int>, of batch: TensorBatch, into buffer: TextBuffer
    ) throws(RoostError) {
        let before = buffer.count
        buffer.append(.openBrace)
        for (index, output) in batch.outputs.enumerated() {
            if index > 0 { buffer.append(.comma) }
            buffer.append(rowKeys[index])
            let first = rows.lowerBound * output.rowElements
            guard buffer.nested(output, first, rows.count, output.trailing[...]) else {
                buffer.truncate(to: before)
                throw notText(index)
            }
        }
        buffer.append(rowsTail)
    }

    /// Appends a v2 infer response for the request's rows: the outputs it asked for, data flat. What is not finite
    /// is `null`, and listed in the output's `parameters.non_finite`. The data of outputs that are wanted in binary
    /// follows the JSON, with the bits as the model gave them.
    /// - Returns: how many bytes are JSON, when binary data follows; nil when all are.
    /// - Throws: `.pluginFailed` when a BYTES output is to be JSON and not UTF-8. `buffer` then holds what it held
    ///   before.
    @discardableResult
    public func tensors(
        _ rows: Range<Int>, of batch: TensorBatch, _ info: RequestInfo, into buffer: TextBuffer
    ) throws(RoostError) -> Int? {
        let before = buffer.count
        buffer.append(tensorsHead)
        if info.hasID {
            buffer.append(#","id":""#)
            buffer.append(info.id)
            buffer.append(.quote)
        }
        buffer.append(#","outputs":["#)
        let count = info.outputs.isEmpty ? batch.outputs.count : info.outputs.count
        var hasBinary = false
        for position in 0..<count {
            let index = info.outputs.isEmpty ? position : info.outputs[position]
            if position > 0 { buffer.append(.comma) }
            if info.isBinary(at: position) {
                hasBinary = true
                guard binaryTensor(index, rows, batch.outputs[index], buffer) else {
                    buffer.truncate(to: before)
                    throw tooLong(index)
                }
            } else if !tensor(index, rows, batch.outputs[index], buffer) {
                buffer.truncate(to: before)
                throw notText(index)
            }
        }
        buffer.append("]}")
        guard hasBinary else { return nil }
        let jsonBytes = buffer.count - before
        for position in 0..<count where info.isBinary(at: position) {
            let output = batch.outputs[info.outputs.isEmpty ? position : info.outputs[position]]
            buffer.append(binary: output, output.elements(of: rows))
        }
        return jsonBytes
    }

    /// Appends what the JSON says of an output whose data follows it. False when an element is too long for that.
    private func binaryTensor(
        _ index: Int, _ rows: Range<Int>, _ output: TensorBuffer, _ buffer: TextBuffer
    ) -> Bool {
        guard let size = output.binaryBytes(output.elements(of: rows)) else { return false }
        head(index, rows, output, buffer)
        buffer.append(#"],"parameters":{"binary_data_size":"#)
        buffer.append(decimal: UInt64(size))
        buffer.append("}}")
        return true
    }

    /// Appends name, datatype and shape, up to the last extent.
    private func head(_ index: Int, _ rows: Range<Int>, _ output: TensorBuffer, _ buffer: TextBuffer) {
        buffer.append(tensorHeads[index])
        buffer.append(decimal: UInt64(rows.count))
        for extent in output.trailing {
            buffer.append(.comma)
            buffer.append(decimal: UInt64(extent))
        }
    }

    private func tensor(_ index: Int, _ rows: Range<Int>, _ output: TensorBuffer, _ buffer: TextBuffer) -> Bool {
        head(index, rows, output, buffer)
        buffer.append(#"],"data":["#)
        let elements = output.elements(of: rows)
        guard buffer.list(output, elements) else { return false }
        buffer.append(.closeBracket)
        if let first = output.firstNonFinite(elements) {
            buffer.append(#","parameters":{"non_finite":["#)
            buffer.nonFinite(output, first..<elements.upperBound, from: elements.lowerBound)
            buffer.append("]}")
        }
        buffer.append(.closeBrace)
        return true
    }

    private func tooLong(_ index: Int) -> RoostError {
        RoostError(.pluginFailed, "output \"\(signature.outputs[index].name)\" has an element of more than 4 GiB")
    }

    func notText(_ index: Int) -> RoostError {
        RoostError(.pluginFailed, "output \"\(signature.outputs[index].name)\" is not UTF-8, which JSON and CSV need")
    }
}
