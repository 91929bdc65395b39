import PluginTesting
import RoostPlugin
import Testing

/// Everything that a model can do, in one: the first input value says what.
private struct Versatile: Model {
    static var formats: String? { "anything" }

    let signature = Signature(
        inputs: [TensorSpec(name: "features", dtype: .float32, shape: [-1, 2])],
        outputs: [
            TensorSpec(name: "predictions", dtype: .float32, shape: [-1]),
            TensorSpec(name: "label", dtype: .bytes, shape: [-1]),
            TensorSpec(name: "open", dtype: .int64, shape: [-1, -1]),
        ],
        columns: [
            Column(name: "age", missingAllowed: false), Column(name: "kind", kind: .category, categories: ["a", "b"]),
        ])
    private let table: ModelArray<Float>
    private let word: ModelText

    init(loading artifact: borrowing Artifact) throws {
        if artifact.bytes.count == 1 { throw ModelError.notMyFormat("one byte is no model") }
        if artifact.bytes.count == 2 { throw ModelError.failed("two bytes are a broken model") }
        artifact.log(.info, "loading")
        table = try artifact.memory.allocate(1000) { span in
            for index in span.indices { span[index] = Float(index) }
        }
        word = try artifact.memory.text("größer")
    }

    func predict(_ batch: borrowing Batch, _ outputs: inout Outputs) throws {
        let features = try batch.values(0, of: Float.self)
        switch features[0] {
        case -1: throw ModelError.invalidInput("negative")
        case -2: _ = try batch.values(0, of: Double.self)
        case -3: _ = try outputs.values(0, of: Int64.self)
        case -4: _ = try outputs.values(2, of: Int64.self)
        case -5: _ = try outputs.values(0, of: Float.self, shape: [batch.rows, 1])
        case -6:
            _ = try outputs.values(0, of: Float.self)
            _ = try outputs.values(0, of: Float.self)
        case -7: _ = try batch.values(1, of: Float.self)
        case -8: try outputs.setStrings(1, ["too few"])
        default: try answer(features, batch.rows, &outputs)
        }
    }

    private func answer(_ features: Span<Float>, _ rows: Int, _ outputs: inout Outputs) throws {
        var predictions = try outputs.values(0, of: Float.self)
        var labels = try outputs.values(1, of: ModelText.self)
        var open = try outputs.values(2, of: Int64.self, shape: [rows, 3])
        for row in 0..<rows {
            predictions[row] = table[Int(features[2 * row])] + features[2 * row + 1]
            labels[row] = word
            for place in 0..<3 { open[3 * row + place] = Int64(place) }
        }
        outputs.failRow(1, "the second row fails")
    }

    func warmUp() throws { throw ModelError.failed("too cold") }
}

/// Takes and gives text.
private struct Shouting: Model {
    let signature = Signature(
        inputs: [TensorSpec(name: "text", dtype: .bytes, shape: [-1])],
        outputs: [TensorSpec(name: "loud", dtype: .bytes, shape: [-1])])

    init(loading artifact: borrowing Artifact) throws {
        guard artifact.bytes.isEmpty, artifact.path == nil else { throw ModelError.failed("no file was expected") }
    }

    func predict(_ batch: borrowing Batch, _ outputs: inout Outputs) throws {
        try outputs.setStrings(0, try batch.strings(0).map { $0.uppercased() })
    }
}

/// Reads its elements in the mapped file.
private struct InPlace: Model {
    let signature = Signature(inputs: [], outputs: [])

    init(loading artifact: borrowing Artifact) throws {
        let numbers = try artifact.elements(at: 8, count: 2, of: UInt32.self)
        artifact.log(.warning, "\(numbers[0]) \(numbers.span[1])")
        #expect(throws: ModelError.self) { try artifact.elements(at: 8, count: 3, of: UInt32.self) }
        #expect(throws: ModelError.self) { try artifact.elements(at: 9, count: 1, of: UInt32.self) }
        #expect(throws: ModelError.self) { try artifact.elements(at: 17, count: 0, of: UInt32.self) }
        #expect(throws: ModelError.self) { try artifact.elements(at: 0, count: .max, of: UInt32.self) }
    }

    func predict(_ batch: borrowing Batch, _ outputs: inout Outputs) throws {}
}

@Test func aModelAnswersThroughTheABI() throws {
    let host = try TestHost(Versatile.self, [1, 2, 3])
    #expect(host.name == "tested")
    #expect(host.formats == "anything")
    #expect(host.logLines == ["1 loading"])
    #expect(host.modelBytes == 4000 + "größer".utf8.count)
    let outputs = try host.predict([1, 0.5, 2, 0.25, 999, 0], shape: [3, 2])
    #expect(outputs[0]?.floats == [1.5, 2.25, 999])
    #expect(outputs[1]?.texts == ["größer", "größer", "größer"])
    #expect(outputs[2]?.shape == [3, 3])
    #expect(outputs[2]?.integers == [0, 1, 2, 0, 1, 2, 0, 1, 2])
    #expect(host.failedRows == [1: "the second row fails"])
}

@Test func theSignatureArrivesWhole() throws {
    let host = try TestHost(Versatile.self, [1, 2, 3])
    #expect(host.inputs == [TensorSpec(name: "features", dtype: .float32, shape: [-1, 2])])
    #expect(host.outputs.map(\.name) == ["predictions", "label", "open"])
    #expect(host.outputs.map(\.shape) == [[-1], [-1], [-1, -1]])
    #expect(
        host.columns == [
            Column(name: "age", missingAllowed: false), Column(name: "kind", kind: .category, categories: ["a", "b"]),
        ])
}

@Test func loadErrorsSayWhoIsToBlame() {
    #expect(throws: TestHost.Refusal.notMyFormat("one byte is no model")) { try TestHost(Versatile.self, [0]) }
    #expect(throws: TestHost.Refusal.error("two bytes are a broken model")) { try TestHost(Versatile.self, [0, 0]) }
    #expect(throws: TestHost.Refusal.error("the model needs 4000 more bytes than limits.model allows: raise it")) {
        try TestHost(Versatile.self, [0, 0, 0], modelBytesMax: 3999)
    }
}

@Test(
    arguments: [
        (-1, TestHost.Refusal.invalidInput("negative")),
        (-2, .error("input 0 is FP32, not FP64")),
        (-3, .error("output predictions is FP32 in the signature, not INT64")),
        (-4, .error("output open: dimension 1 is open in the signature, give the shape")),
        (-5, .error("output predictions has rank 1 in the signature, not 2")),
        (-6, .error("output predictions was asked for before: ask once, and keep the span")),
        (-7, .error("no input 1: the batch has 1")),
        (-8, .error("output 1 has 2 elements, 1 were given")),
    ] as [(Float, TestHost.Refusal)])
func mistakesInPredictAreErrors(command: Float, refusal: TestHost.Refusal) throws {
    let host = try TestHost(Versatile.self, [1, 2, 3])
    #expect(throws: refusal) { try host.predict([command, 0, 0, 0], shape: [2, 2]) }
}

@Test func hooksRunAndMayFail() throws {
    let host = try TestHost(Versatile.self, [1, 2, 3])
    try host.afterFork()
    #expect(throws: TestHost.Refusal.error("too cold")) { try host.warmUp() }
}

@Test func textGoesInAndComesOut() throws {
    let host = try TestHost(Shouting.self)
    #expect(host.formats == nil)
    #expect(try host.predict(["ja", "", "no"])[0]?.texts == ["JA", "", "NO"])
    #expect(try host.predict([])[0]?.texts == [])
}

@Test func elementsOfTheFileAreReadInPlace() throws {
    let host = try TestHost(InPlace.self, [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0])
    #expect(host.logLines == ["2 1 2"])
    #expect(host.modelBytes == 0)
}
