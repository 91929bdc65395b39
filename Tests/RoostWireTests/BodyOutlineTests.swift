import RoostBasics
import RoostTensors
import RoostWire
import Testing

/// A decoder that has read other requests reads each as one that has read nothing.
@Suite struct BodyOutlineTests {
    private static let bodies = [
        #"{"inputs":[{"name":"features","shape":[1,3],"datatype":"FP32","data":[1,2.5,-3e2]}]}"#,
        #"{"inputs":[{"name":"features","shape":[2,3],"datatype":"FP32","data":[1,2,3,4,NaN,6]}]}"#,
        #"{"inputs":[{"data":[1,2,3],"name":"features","shape":[1,3],"datatype":"FP32"}]}"#,
        #"{"inputs":[{"name":"features","shape":[1,3],"datatype":"FP32","data":[[1,2,3]]}]}"#,
        #"{"inputs":[{"name":"features","shape":[1,3],"datatype":"FP32","data":[1,2,3]}],"id":"a"}"#,
        #"{"inputs":[{"name":"features","shape":[1,3],"datatype":"FP32","data":[1,2,3]}],"outputs":[{"name":"label"}]}"#,
        #"{"inputs":[{"name":"a","shape":[1],"datatype":"FP32","data":[1]},{"name":"b","shape":[1],"datatype":"FP32","data":[2]},{"name":"c","shape":[1],"datatype":"FP32","data":[3]}]}"#,
    ]

    private func compare(_ bytes: [UInt8], _ known: Codec, _ fresh: Codec) {
        known.batch.reset()
        let result = Result { () throws(RoostError) in try known.decode(bytes, .tensors) }
        let expected = Result { () throws(RoostError) in try fresh.decode(bytes, .tensors) }
        #expect(result == expected, "\(String(decoding: bytes, as: UTF8.self))")
        #expect(known.request == fresh.request && known.batch.rows == fresh.batch.rows)
        #expect(known.floats.map(\.bitPattern) == fresh.floats.map(\.bitPattern))
    }

    @Test func requestsThatAreAlikeAreReadAlike() throws {
        let columns = ["a", "b", "c"].map { Column(name: $0) }
        let known = try Codec(columns: columns)
        for body in Self.bodies {
            for numbers in [
                "1,2.5,-3e2", "7,8,9", "7,8", "7,8,9,10", "", "7,8,\"9\"", "[7,8,9]", "7, 8 ,\n9", "7,8,9]",
            ] {
                let text = body.replacing("1,2.5,-3e2", with: numbers).replacing("1,2,3", with: numbers)
                compare(Array(text.utf8), known, try Codec(columns: columns))
            }
        }
    }

    @Test(arguments: [1, 2] as [UInt64])
    func mutatedRequestsAreReadAsByOneThatKnowsNoOther(_ seed: UInt64) throws {
        print("seed \(seed)")
        var random = SplitMix(state: seed)
        let columns = ["a", "b", "c"].map { Column(name: $0) }
        let known = try Codec(columns: columns)
        for _ in 0..<1_500 {
            let body = Array(Self.bodies[Int.random(in: 0..<Self.bodies.count, using: &random)].utf8)
            compare(body, known, try Codec(columns: columns))
            var bytes = body
            switch Int.random(in: 0..<3, using: &random) {
            case 0: bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 32...126, using: &random)
            case 1: bytes.remove(at: Int.random(in: 0..<bytes.count, using: &random))
            default:
                bytes.insert(
                    UInt8.random(in: 32...126, using: &random), at: Int.random(in: 0...bytes.count, using: &random))
            }
            compare(bytes, known, try Codec(columns: columns))
        }
    }

    @Test func aShapeThatIsLeftOpenIsNotTakenForAnother() throws {
        let open = try Codec(
            Signature(inputs: [TensorSpec(name: "x", dtype: .float32, shape: [-1, -1, -1])], outputs: []))
        let body = { (shape: String) in
            #"{"inputs":[{"name":"x","shape":[\#(shape)],"datatype":"FP32","data":[1,2,3,4,5,6]}]}"#
        }
        #expect(try open.decode(body("1,2,3"), .tensors) == .appended)
        open.batch.reset()
        #expect(try open.decode(body("1,3,2"), .tensors) == .appended && open.batch.inputs[0].trailing == [3, 2])
        #expect(try open.decode(body("1,2,3"), .tensors) == .separate)
        #expect(try open.decode(body("1,3,2"), .tensors) == .appended && open.batch.rows == 2)
    }
}
