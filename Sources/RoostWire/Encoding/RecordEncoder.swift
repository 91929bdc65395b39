public import RoostTensors

/// Writes decoded rows as a v2 infer request again, so that it can be kept and answered anew by another version.
///
/// Nothing of the request but its rows is in it: no id, no parameters. What the caller sent in another form
/// (columns, objects, CSV) comes out as the model saw it.
public struct RecordEncoder {
    private let layout: InputLayout
    /// Per input: `{"name":"features","datatype":"FP32","shape":[`
    private let heads: [[UInt8]]

    public init(_ decoder: RequestDecoder) {
        layout = decoder.layout
        heads = layout.signature.inputs.map { spec in
            Array(#"{"name":"#.utf8) + JSONText.quoted(spec.name)
                + Array(#","datatype":"\#(spec.dtype.name)","shape":["#.utf8)
        }
    }

    /// Appends the request that asks for these rows, with private fields blank: missing where the input knows that,
    /// else zero or empty.
    ///
    /// - Parameter privateFields: names of columns or inputs, each ending in 0.
    /// - Returns: false, with nothing appended, when a name is not known here, a private column must not be missing,
    ///   or text is not UTF-8. It does not guess: what cannot be blanked is not written.
    public func append(
        _ rows: Range<Int>, of batch: TensorBatch, privateFields: [UInt8], to buffer: TextBuffer
    ) -> Bool {
        guard let blanks = Blanks(privateFields, layout) else { return false }
        let before = buffer.count
        buffer.append(#"{"inputs":["#)
        for (index, input) in batch.inputs.enumerated() {
            if index > 0 { buffer.append(.comma) }
            buffer.append(heads[index])
            buffer.append(decimal: UInt64(rows.count))
            for extent in input.trailing {
                buffer.append(.comma)
                buffer.append(decimal: UInt64(extent))
            }
            buffer.append(#"],"data":["#)
            let elements = rows.lowerBound * input.rowElements..<rows.upperBound * input.rowElements
            guard buffer.data(input, elements, blanks.all.contains(index) ? nil : index == 0 ? blanks.columns : [])
            else {
                buffer.truncate(to: before)
                return false
            }
            buffer.append("]}")
        }
        buffer.append("]}")
        return true
    }
}

/// Which elements a record must not show.
private struct Blanks {
    /// Places of columns in the one matrix.
    var columns: Set<Int> = []
    /// Places of inputs that are blank as a whole.
    var all: Set<Int> = []

    init?(_ names: [UInt8], _ layout: InputLayout) {
        for bytes in names.split(separator: 0) {
            let name = String(decoding: bytes, as: UTF8.self)
            if let column = layout.matrix?.names.names.firstIndex(of: name) {
                columns.insert(column)
            } else if let input = layout.inputNames.names.firstIndex(of: name) {
                all.insert(input)
            } else {
                return nil
            }
        }
        let refused = layout.matrix?.refused ?? []
        if refused.contains(where: { columns.contains($0) || all.contains(0) }) { return nil }
    }
}

extension TextBuffer {
    /// Appends elements as a request has them: NaN as `null`, infinities by name.
    /// - Parameter blank: columns that are not shown; nil: none is.
    fileprivate func data(_ tensor: TensorBuffer, _ elements: Range<Int>, _ blank: Set<Int>?) -> Bool {
        if let blank, blank.isEmpty, !tensor.hasInfinity(in: elements) { return list(tensor, elements) }
        for element in elements {
            if element > elements.lowerBound { append(.comma) }
            if blank.map({ $0.contains(element % max(tensor.rowElements, 1)) }) ?? true {
                blankElement(tensor.dtype)
            } else if tensor.dtype.isFloatingPoint, tensor.floatingPoint(at: element).isInfinite {
                tensor.floatingPoint(at: element) < 0 ? append("-Infinity") : append("Infinity")
            } else if !list(tensor, element..<element + 1) {
                return false
            }
        }
        return true
    }

    private func blankElement(_ dtype: DType) {
        switch dtype {
        case .float16, .float32, .float64: append("null")
        case .bool: append("false")
        case .bytes: append(#""""#)
        case .uint8, .uint16, .uint32, .uint64, .int8, .int16, .int32, .int64: append("0")
        }
    }
}

extension TensorBuffer {
    fileprivate func hasInfinity(in elements: Range<Int>) -> Bool {
        dtype.isFloatingPoint && elements.contains { floatingPoint(at: $0).isInfinite }
    }
}
