public import RoostBasics
public import RoostTensors

extension ReplyEncoder {
    /// Appends CSV for the request's rows: a header, then a line per row. Columns: `predictions`, or
    /// `predictions_0` … `predictions_k` where a row has several; then the other outputs likewise. What is not
    /// finite is empty (NaN), `inf` or `-inf`. Lines end with LF.
    /// - Throws: `.pluginFailed` when a BYTES output is not UTF-8. `buffer` then holds what it held before.
    public func csv(_ rows: Range<Int>, of batch: TensorBatch, into buffer: TextBuffer) throws(RoostError) {
        let before = buffer.count
        var isFirst = true
        for (index, output) in batch.outputs.enumerated() {
            for element in 0..<output.rowElements {
                if !isFirst { buffer.append(.comma) }
                isFirst = false
                var name = csvNames[index]
                if output.rowElements > 1 { name += Array("_\(element)".utf8) }
                buffer.append(csv: name)
            }
        }
        buffer.append(0x0A)
        for row in rows {
            var isFirst = true
            for (index, output) in batch.outputs.enumerated() {
                for element in row * output.rowElements..<(row + 1) * output.rowElements {
                    if !isFirst { buffer.append(.comma) }
                    isFirst = false
                    guard buffer.csvElement(output, element) else {
                        buffer.truncate(to: before)
                        throw notText(index)
                    }
                }
            }
            buffer.append(0x0A)
        }
    }
}

extension TextBuffer {
    /// Appends a field, in quotes where it needs them.
    func append(csv text: [UInt8], _ delimiter: UInt8 = .comma) {
        guard text.contains(where: { $0 == .quote || $0 == delimiter || $0 == 0x0A || $0 == 0x0D }) else {
            return append(text)
        }
        append(.quote)
        for byte in text {
            if byte == .quote { append(.quote) }
            append(byte)
        }
        append(.quote)
    }

    /// Appends one element as a field; false when it is not UTF-8.
    func csvElement(_ tensor: TensorBuffer, _ index: Int, _ delimiter: UInt8 = .comma) -> Bool {
        if tensor.dtype == .bytes {
            let element = tensor.withElements(BytesElement.self) { $0[index] }
            guard element.isUTF8 else { return false }
            append(csv: Array(element.string.utf8), delimiter)
            return true
        }
        if tensor.dtype.isFloatingPoint {
            let value = tensor.floatingPoint(at: index)
            if value.isNaN { return true }
            if value.isInfinite {
                append(value > 0 ? "inf" : "-inf")
                return true
            }
        }
        return list(tensor, index..<index + 1)
    }
}
