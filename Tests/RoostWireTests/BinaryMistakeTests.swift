import RoostBasics
import RoostTensors
import RoostWire
import Testing

/// What can be wrong with binary tensors is said, and nothing of it traps.
@Suite struct BinaryMistakeTests {
    private static let twelve = [UInt8](repeating: 0, count: 12)

    private func tensor(_ parameters: String, _ more: String = "", shape: String = "[1,3]") -> String {
        #"{"inputs":[{"name":"features","shape":\#(shape),"datatype":"FP32","parameters":\#(parameters)\#(more)}]}"#
    }

    @Test(arguments: [
        (
            #"{"binary_data_size":12}"#, "", 11,
            #"input "features": "binary_data_size" is 12, but the body has 11 bytes left"#
        ),
        (
            #"{"binary_data_size":12}"#, "", 13,
            "1 bytes are left behind those that \"binary_data_size\" of the inputs add up to"
        ),
        (#"{"binary_data_size":8}"#, "", 8, #"shape [1, 3] of FP32 takes 12 bytes, "binary_data_size" is 8"#),
        (
            #"{"binary_data_size":12}"#, #","data":[1,2,3]"#, 12,
            #"has both "data" and the parameter "binary_data_size""#
        ),
        (#"{"binary_data_size":-1}"#, "", 12, #"expected a whole number as "binary_data_size", got -1"#),
        (#"{"binary_data_size":"12"}"#, "", 12, #"expected a whole number as "binary_data_size", got "12""#),
        (#"{"binary_data_size":12.5}"#, "", 12, #"expected a whole number as "binary_data_size", got 12.5"#),
        (#"{"binary_data_size":99999999999999999999}"#, "", 12, #"expected a whole number as "binary_data_size""#),
        (#"{"binary_data_size":18446744073709551615}"#, "", 12, #"but the body has 12 bytes left"#),
        (#"{"binary_data_size":12,"binary_data_size":12}"#, "", 12, #""binary_data_size" appears twice"#),
        ("{}", #","data":[1,2,3]"#, 12, #"12 bytes follow the JSON, but no input has a "binary_data_size""#),
        ("{}", "", 12, #"input "features" has no "data""#),
        (#"{"shared_memory_region":"r"}"#, "", 0, "shared memory is not supported"),
    ])
    func sizesThatDoNotAddUp(_ parameters: String, _ more: String, _ bytes: Int, _ complaint: String) throws {
        let codec = try Codec()
        let data = [UInt8](repeating: 0, count: bytes)
        let message = codec.complaint(BinaryRequest(json: tensor(parameters, more), data: data))
        #expect(message?.contains(complaint) == true, "\(message ?? "taken")")
        #expect(codec.batch.rows == 0 && codec.batch.inputs[0].count == 0)
    }

    @Test func theHeaderAndTheBodyMustFit() throws {
        let codec = try Codec()
        let request = BinaryRequest(json: tensor(#"{"binary_data_size":12}"#), data: Self.twelve)
        let length = request.jsonBytes
        #expect(try codec.decode(request) == .appended)
        for (jsonBytes, complaint) in [
            (
                length + 13,
                "Inference-Header-Content-Length: \(length + 13) bytes of JSON, but the body has \(length + 12)"
            ),
            (Int.max, "bytes of JSON, but the body has"), (0, "not JSON at byte 0"), (length - 1, "not JSON"),
            (length + 1, "the body has 11 bytes left"),
            (length + 12, "the body has 0 bytes left"),
        ] {
            let message = codec.complaint(request, jsonBytes: jsonBytes)
            #expect(message?.contains(complaint) == true, "\(message ?? "taken")")
        }
        let message = codec.complaint(request.json, .tensors)
        #expect(message?.contains("needs the header Inference-Header-Content-Length") == true)
        // All of it JSON, and said so.
        let plain = #"{"inputs":[{"name":"features","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}"#
        #expect(try codec.decode(Array(plain.utf8), jsonBytes: plain.utf8.count) == .appended)
        #expect(throws: RoostError.self, "rows are no tensors") {
            try codec.decoder.decode(
                Array("[[1,2,3]]".utf8).bytes, as: .rows, into: codec.batch, &codec.request, jsonBytes: 9)
        }
    }

    @Test(arguments: [
        ("[4000000000,3]", "takes 48000000000 bytes"), ("[4294967295,3]", "takes"),
        ("[1,2]", "expected shape [-1, 3], got [1, 2]"),
        ("[3]", "expected shape"), ("[0,3]", "takes 0 bytes"),
    ])
    func shapesAskForNoMemoryThatTheBodyDoesNotPayFor(_ shape: String, _ complaint: String) throws {
        let request = BinaryRequest(json: tensor(#"{"binary_data_size":12}"#, shape: shape), data: Self.twelve)
        let message = try Codec().complaint(request)
        #expect(message?.contains(complaint) == true, "\(message ?? "taken")")
    }

    @Test func textsAndTruthsAreChecked() throws {
        let text = TensorSpec(name: "x", dtype: .bytes, shape: [-1])
        for (data, count, complaint) in [
            ([4, 0, 0, 0, 1, 2, 3], 1, "data[0]: goes beyond the tensor's 7 bytes"),
            ([255, 255, 255, 255, 1, 2, 3, 4], 2, "data[0]: goes beyond"),
            ([0, 0, 0, 0, 1, 0, 0, 0], 2, "data[1]: goes"),
            ([0, 0, 0, 0, 9], 1, "1 bytes are left behind the last of its 1 elements"),
            ([0, 0, 0], 1, "at least four bytes an element"), ([0, 0, 0, 0], 2, "at least four bytes an element"),
        ] as [([UInt8], Int, String)] {
            let codec = try Codec(Signature(inputs: [text], outputs: []))
            let message = codec.complaint(BinaryRequest([("x", [count], .bytes, data)]))
            #expect(message?.contains(complaint) == true, "\(message ?? "taken")")
        }
        let codec = try Codec(
            Signature(inputs: [TensorSpec(name: "x", dtype: .bool, shape: [-1])], outputs: []))
        #expect(
            codec.complaint(BinaryRequest([("x", [3], .bool, [0, 1, 2])]))
                == #"input "x", data[2]: expected 0 or 1, got 2"#)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func mutatedRequestsAreTakenOrRefusedWithoutATrace(_ seed: UInt64) throws {
        print("seed \(seed)")
        var random = SplitMix(state: seed)
        let codec = try Codec(
            Signature(
                inputs: [
                    TensorSpec(name: "a", dtype: .float32, shape: [-1, -1]),
                    TensorSpec(name: "b", dtype: .bool, shape: [-1]),
                    TensorSpec(name: "c", dtype: .bytes, shape: [-1]),
                ], outputs: []))
        let columns = try Codec(columns: [
            Column(name: "age"), Column(name: "color", kind: .category, categories: ["red", "green"]),
        ])
        let seeds = [
            BinaryRequest(
                [
                    ("a", [2, 2], .float32, littleEndian([1, 2, 3, 4] as [Float])), ("b", [2], .bool, [0, 1]),
                    ("c", [2], .bytes, binaryTexts([[1, 2], []])),
                ], more: #","outputs":[],"parameters":{"binary_data_output":true}"#),
            BinaryRequest([
                ("age", [2], .int32, littleEndian([5, -6] as [Int32])),
                ("color", [2], .bytes, binaryTexts([Array("red".utf8), Array("green".utf8)])),
            ]),
        ]
        for round in 0..<6_000 {
            let request = seeds[round % seeds.count]
            var bytes = request.bytes
            for _ in 0...Int.random(in: 0..<3, using: &random) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: bytes.remove(at: at)
                case 3: bytes.removeSubrange(at...)
                default: bytes.insert(contentsOf: bytes[at...].prefix(Int.random(in: 1..<40, using: &random)), at: at)
                }
            }
            let jsonBytes =
                Bool.random(using: &random)
                ? request.jsonBytes : Int.random(in: 0...request.bytes.count + 8, using: &random)
            for codec in [codec, columns] {
                if codec.batch.rows > 50 { codec.batch.reset() }
                let (rows, counts) = (codec.batch.rows, codec.batch.inputs.map(\.count))
                do throws(RoostError) {
                    switch try codec.decode(bytes, jsonBytes: jsonBytes) {
                    case .appended: #expect(codec.batch.rows == rows + codec.request.rows)
                    case .separate: #expect(codec.batch.inputs.map(\.count) == counts)
                    }
                } catch {
                    #expect(
                        !error.message.isEmpty && codec.batch.rows == rows && codec.batch.inputs.map(\.count) == counts)
                    #expect(error.code == .invalidArgument, "round \(round): \(error.message)")
                }
            }
        }
    }
}
