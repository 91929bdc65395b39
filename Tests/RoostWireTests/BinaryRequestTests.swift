import RoostBasics
import RoostTensors
import RoostWire
import Testing

@Suite struct BinaryRequestTests {
    private static let fixedSize = DType.allCases.filter { $0 != .bytes }

    /// All bits of a row of three, with NaNs that have a payload and numbers of every sign.
    private func bits(_ dtype: DType, rows: Int, _ random: inout SplitMix) -> [UInt8] {
        (0..<rows * 3 * dtype.byteSize).map { _ in
            dtype == .bool ? UInt8.random(in: 0...1, using: &random) : UInt8.random(in: 0...255, using: &random)
        }
    }

    @Test(arguments: fixedSize)
    func everyBitComesInAndGoesOut(_ dtype: DType) throws {
        var random = SplitMix(state: 8)
        let codec = try Codec(
            Signature(
                inputs: [TensorSpec(name: "x", dtype: dtype, shape: [-1, 3])],
                outputs: [TensorSpec(name: "y", dtype: dtype, shape: [-1, 3])]))
        let data = (0..<2).map { _ in bits(dtype, rows: 2, &random) }
        for part in data {
            let request = BinaryRequest(
                [("x", [2, 3], dtype, part)], more: #","parameters":{"binary_data_output":true}"#)
            #expect(try codec.decode(request) == .appended)
        }
        #expect(codec.inputBytes() == data[0] + data[1])
        #expect(codec.request.parameters.isEmpty, "the form of the reply is nothing that a model could know")
        let output = try codec.batch.prepareOutput(0, shape: ([4, 3] as [Int64]).span)
        output.assign(binary: codec.inputBytes().bytes, at: 0)
        let buffer = TextBuffer()
        let jsonBytes = try codec.encoder.tensors(2..<4, of: codec.batch, codec.request, into: buffer)
        let reply = buffer.bytes
        let json = String(decoding: reply.prefix(jsonBytes ?? 0), as: UTF8.self)
        #expect(
            json
                == #"{"model_name":"credit","model_version":"3","outputs":[{"name":"y","datatype":"\#(dtype.name)","shape":[2,3],"parameters":{"binary_data_size":\#(data[1].count)}}]}"#
        )
        #expect(Array(reply.dropFirst(jsonBytes ?? 0)) == data[1])
    }

    @Test func textsAreAnyBytes() throws {
        let codec = try Codec(
            Signature(
                inputs: [TensorSpec(name: "x", dtype: .bytes, shape: [-1, 2])],
                outputs: [TensorSpec(name: "y", dtype: .bytes, shape: [-1])]))
        let texts: [[UInt8]] = [[], [0, 255, 0], Array("grün".utf8), [UInt8](repeating: 7, count: 100_000)]
        try codec.decode(BinaryRequest([("x", [2, 2], .bytes, binaryTexts(texts))]))
        // What was sent is gone by the time the model reads it.
        let found = codec.batch.inputs[0].withElements(BytesElement.self) { all in
            all.indices.map { index in
                all[index].withBytes { span in
                    var bytes: [UInt8] = []
                    bytes.append(span)
                    return bytes
                }
            }
        }
        #expect(found == texts)
        let output = try codec.batch.prepareOutput(0, shape: ([2] as [Int64]).span)
        let arena = ByteArena()
        let (first, second) = (texts[1], texts[2])
        let kept = arena.store(first.bytes)
        let words = [kept, arena.store(second.bytes)]
        output.withMutableElements(BytesElement.self) { for index in $0.indices { $0[index] = words[index] } }
        var request = RequestInfo()
        let buffer = TextBuffer()
        #expect(throws: RoostError.self, "no JSON can hold that") {
            try codec.encoder.tensors(0..<2, of: codec.batch, request, into: buffer)
        }
        try codec.decode(
            BinaryRequest(
                [("x", [1, 2], .bytes, binaryTexts([[], []]))],
                more: #","outputs":[{"name":"y","parameters":{"binary_data":true}}]"#))
        request = codec.request
        let jsonBytes = try #require(
            try codec.encoder.tensors(0..<2, of: codec.batch, request, into: buffer))
        #expect(Array(buffer.bytes.dropFirst(jsonBytes)) == binaryTexts([texts[1], texts[2]]))
    }

    private func mixed() throws -> Codec {
        try Codec(
            Signature(
                inputs: [
                    TensorSpec(name: "a", dtype: .float32, shape: [-1, 2]),
                    TensorSpec(name: "b", dtype: .int16, shape: [-1]),
                    TensorSpec(name: "c", dtype: .bytes, shape: [-1]),
                ],
                outputs: [
                    TensorSpec(name: "p", dtype: .float32, shape: [-1]),
                    TensorSpec(name: "q", dtype: .int64, shape: [-1]),
                ]))
    }

    /// The data follows in the order of the tensors, however their members are ordered.
    @Test func binaryAndJSONTensorsMixInAnyOrder() throws {
        let codec = try mixed()
        let a = #"{"parameters":{"x":1,"binary_data_size":8},"shape":[1,2],"datatype":"FP32","name":"a"}"#
        let b = #"{"name":"b","data":[-7],"datatype":"INT16","shape":[1]}"#
        let c = #"{"name":"c","parameters":{"binary_data_size":6},"datatype":"BYTES","shape":[1]}"#
        let (floats, word) = (littleEndian([1.5, -2] as [Float]), binaryTexts([[104, 105]]))
        for (order, data) in [([a, b, c], floats + word), ([c, a, b], word + floats), ([b, c, a], word + floats)] {
            codec.batch.reset()
            try codec.decode(
                BinaryRequest(json: #" {"inputs":[\#(order.joined(separator: " , "))]} "#, data: data))
            #expect(codec.floats == [1.5, -2] && codec.input(1, as: Int16.self) == [-7] && codec.texts(2) == ["hi"])
        }
    }

    @Test func eachOutputSaysHowItIsWanted() throws {
        let codec = try mixed()
        let inputs =
            #""inputs":[{"name":"a","shape":[1,2],"datatype":"FP32","data":[1,2]},{"name":"b","shape":[1],"datatype":"INT16","data":[3]},{"name":"c","shape":[1],"datatype":"BYTES","data":["x"]}]"#
        let binary = #"{"name":"q","parameters":{"binary_data":true}}"#
        let text = #"{"name":"p","parameters":{"binary_data":false}}"#
        for (more, forms) in [
            ("", [false, false]), (#","parameters":{"binary_data_output":true}"#, [true, true]),
            (#","outputs":[\#(text),\#(binary)]"#, [false, true]),
            (#","outputs":[\#(binary),{"name":"p"}]"#, [true, false]),
            (#","outputs":[\#(text),{"name":"q"}],"parameters":{"binary_data_output":true}"#, [false, true]),
            (#","outputs":[{"name":"p"},{"name":"q"}],"parameters":{"binary_data_output":true,"k":1}"#, [true, true]),
        ] {
            try codec.decode("{" + inputs + more + "}", .tensors)
            #expect((0..<2).map { codec.request.isBinary(at: $0) } == forms, "\(more)")
            #expect(codec.request.parameters.isEmpty == !more.contains("\"k\""))
        }
        for wrong in [
            #","parameters":{"binary_data_output":1}"#,
            #","outputs":[{"name":"p","parameters":{"binary_data":"yes"}}]"#,
        ] {
            let message = codec.complaint("{" + inputs + wrong + "}", .tensors)
            #expect(message?.contains("expected true or false") == true, "\(message ?? "taken")")
        }
        let unknown = #","outputs":[{"name":"p","parameters":{"classification":2}}]"#
        #expect(codec.complaint("{" + inputs + unknown + "}", .tensors)?.contains("classification") == true)
    }

    @Test func columnsComeInTheTypesThatTheyHaveElsewhere() throws {
        let codec = try Codec(columns: [
            Column(name: "age"), Column(name: "color", kind: .category, categories: ["red", "green"]),
            Column(name: "size", missingAllowed: false),
        ])
        func columns(_ age: [Double], _ colors: [String], _ size: [Int16]) -> BinaryRequest {
            BinaryRequest([
                ("size", [2, 1], .int16, littleEndian(size)),
                ("color", [2], .bytes, binaryTexts(colors.map { Array($0.utf8) })),
                ("age", [2], .float64, littleEndian(age)),
            ])
        }
        try codec.decode(columns([41.5, .nan], ["green", "red"], [-7, 8]))
        #expect(
            Array(codec.floats[..<3]) == [41.5, 1, -7] && codec.floats[3].isNaN && Array(codec.floats[4...]) == [0, 8])
        for (request, complaint) in [
            (columns([1, 1e300], ["red", "red"], [1, 2]), #"row 2, column "age": 1e+300 does not fit FP32"#),
            (columns([1, 2], ["red", "blue"], [1, 2]), #"row 2, column "color": unknown category "blue""#),
            (columns([1, 2], ["green"], [1, 2]), #"column "color", data[1]: goes beyond the tensor's 9 bytes"#),
            (columns([1], ["red", "red"], [1, 2]), "takes 16 bytes, \"binary_data_size\" is 8"),
            (
                BinaryRequest([("size", [1], .float32, littleEndian([Float.nan]))]), "column \"age\" is absent"
            ),
            (
                BinaryRequest([("size", [4_000_000], .uint8, [UInt8](repeating: 1, count: 4_000_000))]),
                "the body is too short for 4000000 rows of 3 columns"
            ),
        ] {
            let message = codec.complaint(request)
            #expect(message?.contains(complaint) == true, "\(message ?? "taken")")
            #expect(codec.batch.rows == 2)
        }
    }

    @Test func wholeNumbersFitOrAreRefused() throws {
        let codec = try Codec(columns: [Column(name: "n")], dtype: .int64)
        for (value, complaint) in [
            (2.0, "taken"), (-0x1p53, "taken"), (1.5, "1.5 does not fit INT64"), (0x1p63, "not fit"),
        ] {
            let message = codec.complaint(BinaryRequest([("n", [1], .float64, littleEndian([value]))])) ?? "taken"
            #expect(message.contains(complaint), "\(message)")
        }
        try codec.decode(BinaryRequest([("n", [1], .uint64, littleEndian([UInt64(Int64.max)]))]))
        #expect(codec.input(as: Int64.self) == [2, -0x20_0000_0000_0000, .max])
        #expect(codec.complaint(BinaryRequest([("n", [1], .uint64, littleEndian([UInt64.max]))])) != nil)
    }
}
