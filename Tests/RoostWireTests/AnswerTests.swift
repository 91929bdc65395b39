import RoostBasics
import RoostTensors
import RoostWire
import Testing

/// What one version has answered is read by another, to be compared.
@Suite struct AnswerTests {
    private let outputs = [
        TensorSpec(name: "scores", dtype: .float64, shape: [-1, 3]),
        TensorSpec(name: "label", dtype: .bytes, shape: [-1]),
        TensorSpec(name: "version", dtype: .int32, shape: [-1]),
    ]

    private func codec(_ outputs: [TensorSpec]) throws -> Codec {
        try Codec(
            Signature(inputs: [TensorSpec(name: "features", dtype: .float32, shape: [-1, 3])], outputs: outputs))
    }

    /// A codec whose batch has been predicted, with numbers of all sizes and texts that need escapes.
    private func predicted(rows: Int, seed: UInt64) throws -> Codec {
        let codec = try codec(outputs)
        var random = SplitMix(state: seed)
        try codec.decode("[" + (0..<rows).map { _ in "[1,2,3]" }.joined(separator: ",") + "]")
        let scores = try codec.batch.prepareOutput(0, shape: [Int64(rows), 3].span)
        scores.withMutableElements(Double.self) { elements in
            for index in elements.indices {
                elements[index] =
                    Double.random(in: -1...1, using: &random) * (index % 3 == 0 ? 1 : index % 3 == 1 ? 1e-300 : 1e300)
            }
            elements[0] = .nan
        }
        let label = try codec.batch.prepareOutput(1, shape: [Int64(rows)].span)
        let texts = (0..<rows).map { codec.batch.text.store(Array(["", "a\"b\\\n", "ü"][$0 % 3].utf8).bytes) }
        label.withMutableElements(BytesElement.self) { for index in $0.indices { $0[index] = texts[index] } }
        let version = try codec.batch.prepareOutput(2, shape: [Int64(rows)].span)
        version.withMutableElements(Int32.self) { for index in $0.indices { $0[index] = Int32(index) - 3 } }
        return codec
    }

    private func reply(_ codec: Codec, _ format: RequestFormat) throws -> [UInt8] {
        let buffer = TextBuffer()
        if format == .tensors {
            try codec.encoder.tensors(0..<codec.batch.rows, of: codec.batch, codec.request, into: buffer)
        } else {
            try codec.encoder.rows(0..<codec.batch.rows, of: codec.batch, into: buffer)
        }
        return buffer.withBytes { bytes in
            var copy: [UInt8] = []
            copy.append(bytes)
            return copy
        }
    }

    @Test(arguments: [RequestFormat.tensors, .rows], [1, 2, 17])
    func whatWasWrittenIsReadAgainExactly(_ format: RequestFormat, _ rows: Int) throws {
        let codec = try predicted(rows: rows, seed: UInt64(rows))
        let text = try reply(codec, format)
        let answers = try codec.decoder.answer(text.bytes, as: format, codec.batch)
        #expect(answers.map(\.output) == [0, 1, 2])
        for answer in answers {
            let output = codec.batch.outputs[answer.output]
            #expect((output.dtype == .bytes ? answer.texts.count : answer.numbers.count) == output.count)
            for index in 0..<output.count where answer.output != 0 || index != 0 {
                #expect(answer.isEqual(to: output, at: index), "\(answer.output), \(index)")
            }
        }
        #expect(answers[0].numbers[0].isNaN)
    }

    @Test(arguments: [1, 2, 17])
    func whatWasWrittenInBinaryIsReadAgainExactly(_ rows: Int) throws {
        let codec = try predicted(rows: rows, seed: UInt64(rows))
        let wanting = try self.codec(outputs)
        let row = #"{"inputs":[{"name":"features","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]"#
        for form in [
            #","parameters":{"binary_data_output":true}}"#,
            #","outputs":[{"name":"version","parameters":{"binary_data":true}},{"name":"scores"},{"name":"label","parameters":{"binary_data":true}}]}"#,
        ] {
            try wanting.decode(row + form, .tensors)
            let buffer = TextBuffer()
            let jsonBytes = try codec.encoder.tensors(0..<rows, of: codec.batch, wanting.request, into: buffer)
            let reply = buffer.bytes
            #expect(jsonBytes != nil)
            let answers = try codec.decoder.answer(reply.bytes, as: .tensors, codec.batch, jsonBytes: jsonBytes)
            #expect(answers.map(\.output).sorted() == [0, 1, 2])
            for answer in answers {
                let output = codec.batch.outputs[answer.output]
                for index in 0..<output.count where answer.output != 0 || index != 0 {
                    #expect(answer.isEqual(to: output, at: index), "\(answer.output), \(index)")
                }
            }
            for cut in 0..<40 where cut < reply.count {
                // Whatever is missing: an error, or fewer values, and nothing worse.
                let short = Array(reply.dropLast(cut))
                _ = try? codec.decoder.answer(short.bytes, as: .tensors, codec.batch, jsonBytes: jsonBytes)
            }
        }
    }

    @Test(arguments: [RequestFormat.tensors, .rows])
    func outputsOfTheOtherVersionOnlyArePassedOver(_ format: RequestFormat) throws {
        let text = try reply(try predicted(rows: 2, seed: 1), format)
        let other = try codec([
            TensorSpec(name: "scores", dtype: .float32, shape: [-1, 3]),
            TensorSpec(name: "confidence", dtype: .float32, shape: [-1]),
        ])
        #expect(try other.decoder.answer(text.bytes, as: format, other.batch).map(\.output) == [0])
    }

    @Test(arguments: [
        "", "[]", "{", "{\"outputs\":[{\"name\":\"scores\",\"data\":[1,\"x\"]}]}", "nix", "{\"outputs\":[[]]}",
    ])
    func whatIsNoReplyIsRefused(_ text: String) throws {
        let codec = try codec(outputs)
        #expect(throws: RoostError.self) {
            try codec.decoder.answer(Array(text.utf8).bytes, as: .tensors, codec.batch)
        }
    }
}
