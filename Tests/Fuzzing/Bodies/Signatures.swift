import RoostTensors

/// Models of every kind that bodies can be for; the first byte of an input chooses one.
enum Signatures {
    static let all: [Signature] = [
        // One matrix: named columns with words and one that must not be missing, bare, of any width.
        matrix(
            .float32,
            [
                Column(name: "age"), Column(name: "color", kind: .category, categories: ["red", "green", "7"]),
                Column(name: "size", missingAllowed: false),
            ]),
        matrix(.float32, ["f0", "f1", "f2"].map { Column(name: $0) }),
        of([TensorSpec(name: "features", dtype: .float32, shape: [-1, -1])]),
        matrix(.float64, [Column(name: "id"), Column(name: "é")]),
        matrix(.int64, [Column(name: "a"), Column(name: "b", kind: .category, categories: ["x", "y"])]),
        matrix(.float16, [Column(name: "a")]),
        // Several tensors, with open and fixed extents.
        of([
            TensorSpec(name: "image", dtype: .float32, shape: [-1, -1, -1]),
            TensorSpec(name: "n", dtype: .uint8, shape: [-1]),
        ]),
        of([
            TensorSpec(name: "words", dtype: .bytes, shape: [-1, -1]),
            TensorSpec(name: "flag", dtype: .bool, shape: [-1]),
            TensorSpec(name: "pair", dtype: .float16, shape: [-1, 2]),
        ]),
        of(
            [DType.int8, .int16, .int32, .int64, .uint8, .uint16, .uint32, .uint64].map {
                TensorSpec(name: $0.name.lowercased(), dtype: $0, shape: [-1, 1])
            }),
        of([TensorSpec(name: "text", dtype: .bytes, shape: [-1])]),
    ]

    private static let outputs = [
        TensorSpec(name: "predictions", dtype: .float32, shape: [-1]),
        TensorSpec(name: "label", dtype: .int64, shape: [-1]),
        TensorSpec(name: "words", dtype: .bytes, shape: [-1, 2]),
    ]

    private static func of(_ inputs: [TensorSpec], _ columns: [Column] = []) -> Signature {
        Signature(inputs: inputs, outputs: outputs, columns: columns)
    }

    private static func matrix(_ dtype: DType, _ columns: [Column]) -> Signature {
        of([TensorSpec(name: "features", dtype: dtype, shape: [-1, columns.count])], columns)
    }
}

extension TensorBatch {
    /// The committed rows of all inputs, element by element, in a form that can be compared; texts by their bytes.
    func elements(_ rows: Range<Int>) -> [[[UInt8]]] {
        inputs.map { input -> [[UInt8]] in
            let range = rows.lowerBound * input.rowElements..<rows.upperBound * input.rowElements
            if input.dtype == .bytes {
                return input.withElements(BytesElement.self) { all -> [[UInt8]] in
                    range.map { index -> [UInt8] in
                        var text: [UInt8] = []
                        all[index].withBytes { text.append($0) }
                        return text
                    }
                }
            }
            let size = input.dtype.byteSize
            return input.withBytes { all -> [[UInt8]] in
                var part: [UInt8] = []
                part.append(all.extracting(range.lowerBound * size..<range.upperBound * size))
                return [part]
            }
        }
    }
}
