import PluginTesting
import RoostPlugin
import Testing
import TreeModels

private let versions = ["1.7.4", "2.1.4", "3.0.5", "3.2.0"]
private let names = ["logistic", "logistic-base", "regression", "classes", "classes-ubj"]

@Test(arguments: versions, names)
func predictionsEqualThoseOfTheReleaseThatSavedTheModel(version: String, name: String) throws {
    let fixture = try Fixture("\(name)-\(version)")
    let outputs = try fixture.predict(with: try fixture.load())
    let predictions = try #require(outputs[0]?.floats)
    #expect(predictions.count == fixture.predictions.count)
    for (index, expected) in fixture.predictions.enumerated() {
        // The exponential function may differ in its last bit from one C library to the next.
        #expect(abs(predictions[index] - expected) <= 1e-6 * abs(expected), "row value \(index)")
    }
}

@Test(arguments: versions)
func marginsEqualBitForBit(version: String) throws {
    let fixture = try Fixture("logistic-\(version)")
    // Read as a regression whose base score is the logistic margin of 0.5, the same trees answer with their margins.
    let isVector = try fixture.baseScore().hasPrefix("[")
    let base = try fixture.baseScoreMargin()
    let bytes = try fixture.edited {
        $0["learner", "objective", "name"] = "reg:squarederror"
        $0["learner", "learner_model_param", "base_score"] = isVector ? "[\(base)]" : "\(base)"
    }
    let outputs = try fixture.predict(with: try TestHost(TreesModel.self, bytes))
    #expect(outputs[0]?.floats.map(\.bitPattern) == fixture.margins.map(\.bitPattern))
}

@Test(arguments: versions)
func regressionEqualsBitForBit(version: String) throws {
    let fixture = try Fixture("regression-\(version)")
    let outputs = try fixture.predict(with: try fixture.load())
    #expect(outputs[0]?.floats.map(\.bitPattern) == fixture.predictions.map(\.bitPattern))
    #expect(outputs.count == 1)
}

@Test func labelsAreTheLikeliestClasses() throws {
    let classes = try Fixture("classes-3.2.0")
    let outputs = try classes.predict(with: try classes.load())
    for row in 0..<classes.rowCount {
        let probabilities = classes.predictions[row * 3..<row * 3 + 3]
        let label = Int(try #require(outputs[1]?.integers[row]))
        #expect(probabilities[row * 3 + label] == probabilities.max())
    }
    let two = try Fixture("logistic-3.2.0")
    let labels = try two.predict(with: try two.load())[1]?.integers
    #expect(labels == two.predictions.map { $0 > 0.5 ? 1 : 0 })
}

@Test func theSignatureNamesColumnsAndOutputs() throws {
    let named = try Fixture("logistic-base-3.2.0").load()
    #expect(named.columns.map(\.name) == ["age", "income é", "c", "d"])
    let host = try Fixture("classes-3.2.0").load()
    #expect(host.columns.map(\.name) == ["f0", "f1", "f2", "f3"])
    #expect(host.inputs.map(\.name) == ["features"])
    #expect(host.inputs.map(\.shape) == [[-1, 4]])
    #expect(host.outputs.map(\.name) == ["predictions", "label"])
    #expect(host.outputs.map(\.shape) == [[-1, 3], [-1]])
    #expect(host.outputs.map(\.dtype) == [.float32, .int64])
}

@Test(arguments: names)
func aRowAnswersTheSameAloneAndInAnyCompany(name: String) throws {
    let fixture = try Fixture("\(name)-3.2.0")
    let host = try fixture.load()
    let together = try #require(try fixture.predict(with: host)[0]?.floats)
    let width = together.count / fixture.rowCount
    for row in 0..<fixture.rowCount {
        let alone = try host.predict(Array(fixture.features[row * 4..<row * 4 + 4]), shape: [1, 4])
        #expect(alone[0]?.floats.map(\.bitPattern) == together[row * width..<(row + 1) * width].map(\.bitPattern))
    }
    #expect(try host.predict([], shape: [0, 4])[0]?.floats == [])
}

@Test func infiniteValuesCompareLikeNumbers() throws {
    let fixture = try Fixture("regression-3.2.0")
    let host = try fixture.load()
    let huge = try host.predict([.greatestFiniteMagnitude, -.greatestFiniteMagnitude, 0, 0], shape: [1, 4])
    let infinite = try host.predict([.infinity, -.infinity, 0, 0], shape: [1, 4])
    #expect(huge[0]?.floats == infinite[0]?.floats)
}

@Test func estimatorsStopAtTheirBestIterationAndBoostersDoNot() throws {
    let fixture = try Fixture("logistic-3.2.0")
    func predictions(_ attributes: [String: String], indptr: Bool = true) throws -> [Float] {
        let bytes = try fixture.edited {
            $0["learner", "attributes"] = attributes
            if !indptr { $0["learner", "gradient_booster", "model", "iteration_indptr"] = nil }
        }
        return try fixture.predict(with: try TestHost(TreesModel.self, bytes))[0]?.floats ?? []
    }
    #expect(try predictions(["best_iteration": "0"]) == fixture.predictions)
    #expect(try predictions(["scikit_learn": "{}"]) == fixture.predictions)
    let first = try predictions(["best_iteration": "0", "scikit_learn": "{}"])
    #expect(first != fixture.predictions)
    #expect(try predictions(["best_iteration": "0", "scikit_learn": "{}"], indptr: false) == first)
    #expect(try predictions(["best_iteration": "2", "scikit_learn": "{}"]) == fixture.predictions)
    #expect(throws: TestHost.Refusal.self) { try predictions(["best_iteration": "3", "scikit_learn": "{}"]) }
}

@Test func theForestIsSharedMemory() throws {
    let host = try Fixture("logistic-3.2.0").load()
    #expect((200..<1200).contains(host.modelBytes))
    #expect(throws: TestHost.Refusal.self) {
        try TestHost(TreesModel.self, try Fixture("logistic-3.2.0").bytes(), modelBytesMax: 100)
    }
}
