import RoostBasics
import RoostTensors
import RoostWire
import Testing

/// No bytes make a decoder trap, and whatever is refused leaves the batch as it was.
@Suite struct MutationTests {
    private static let seeds: [(RequestFormat, String)] = [
        (
            .tensors,
            #"{"id":"a","parameters":{"timeout":5},"inputs":[{"name":"features","shape":[2,3],"datatype":"FP32","data":[1,2.5,-3e2,null,NaN,-Infinity]}],"outputs":[{"name":"label"}]}"#
        ),
        (.tensors, #"{"inputs":[{"data":[[1,2,3]],"name":"features","shape":[1,3],"datatype":"FP32"}]}"#),
        (
            .tensors,
            #"{"inputs":[{"name":"age","shape":[1],"datatype":"INT8","data":[1]},{"name":"color","shape":[1,1],"datatype":"BYTES","data":[["gr\u0065en"]]},{"name":"size","shape":[1],"datatype":"FP64","data":[1e-3]}]}"#
        ),
        (.rows, #"[[1,"red",3.25],{"age":-0.5,"size":1e5,"color":"green"}]"#),
        (.rows, #"{"age":1,"color":null,"size":2}"#),
        (.csv, "id,age,color,size\r\n1,2.5,\"red\",3\r\n2,,green,NaN\n"), (.csv, "1,\"gr\"\"een\",3\n4,red,6\n"),
    ]

    @Test(arguments: [1, 2, 3] as [UInt64])
    func mutatedBodiesAreTakenOrRefusedWithoutATrace(_ seed: UInt64) throws {
        print("seed \(seed)")
        var random = SplitMix(state: seed)
        let codec = try Codec(columns: [
            Column(name: "age"), Column(name: "color", kind: .category, categories: ["red", "green"]),
            Column(name: "size"),
        ])
        let free = try Codec(
            Signature(
                inputs: [
                    TensorSpec(name: "features", dtype: .bytes, shape: [-1, -1]),
                    TensorSpec(name: "n", dtype: .uint8, shape: [-1]),
                ],
                outputs: []))
        let pieces = [
            "[", "]", "{", "}", ",", ":", "\"", "\\", "\\u", "null", "-", "0", "e", ".", "1e999", "\"\"", "\n",
            "999999999999",
        ]
        for round in 0..<6_000 {
            let (format, text) = Self.seeds[Int.random(in: 0..<Self.seeds.count, using: &random)]
            var bytes = Array(text.utf8)
            for _ in 0...Int.random(in: 0..<3, using: &random) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<6, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: at)
                case 2: bytes.removeSubrange(at...)
                case 3: bytes.insert(contentsOf: bytes[at...].prefix(Int.random(in: 1..<40, using: &random)), at: at)
                default: bytes.insert(contentsOf: pieces[Int.random(in: 0..<pieces.count, using: &random)].utf8, at: at)
                }
            }
            for codec in [codec, free] {
                if codec.batch.rows > 50 { codec.batch.reset() }
                let (rows, counts) = (codec.batch.rows, codec.batch.inputs.map(\.count))
                do throws(RoostError) {
                    switch try codec.decode(bytes, format) {
                    case .appended: #expect(codec.batch.rows == rows + codec.request.rows)
                    case .separate: #expect(codec.batch.inputs.map(\.count) == counts)
                    }
                } catch {
                    #expect(
                        !error.message.isEmpty && codec.batch.rows == rows && codec.batch.inputs.map(\.count) == counts)
                    #expect(
                        error.code == .invalidArgument || error.code == .unsupported, "round \(round): \(error.message)"
                    )
                }
            }
        }
    }
}
