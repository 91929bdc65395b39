import Foundation
import LinearModels
import PluginTesting
import RoostBasics
import RoostPlugin
import Testing

private func load(_ json: String) throws -> TestHost { try TestHost(LinearModel.self, Array(json.utf8)) }

private func document(_ rest: String) -> String { "{\"format\": \"roost-linear\", \"version\": 1, \(rest)}" }

private let linear = #""model": "linear", "coefficients": [[2, -1]], "intercepts": [0.5]"#
private let logistic = #""model": "logistic", "coefficients": [[2, -1]], "intercepts": [0.5]"#
private let softmax = #""model": "softmax", "coefficients": [[1, 0], [0, 1], [-1, -1]], "intercepts": [0, 0.5, 0]"#

@Test func aLinearModelAnswersItsFormula() throws {
    let host = try load(document(linear))
    let outputs = try host.predict([1, 2, -3, 0.25], shape: [2, 2])
    #expect(outputs[0]?.floats == [0.5, -5.75])
    #expect(outputs.count == 1)
    #expect(host.columns.map(\.name) == ["f0", "f1"])
    #expect(host.outputs.map(\.shape) == [[-1]])
}

@Test func standardisationComesAfterImputation() throws {
    let host = try load(document(linear + #", "mean": [1, 10], "scale": [2, 5], "impute": [3, 20]"#))
    let outputs = try host.predict([5, 0, .nan, .nan], shape: [2, 2])
    // 2·(5-1)/2 - (0-10)/5 + 0.5, then 2·(3-1)/2 - (20-10)/5 + 0.5.
    #expect(outputs[0]?.floats == [6.5, 0.5])
    #expect(host.failedRows.isEmpty)
    #expect(host.columns.allSatisfy { $0.missingAllowed })
}

@Test func aMissingValueWithoutImputationFailsItsRowAlone() throws {
    let host = try load(document(linear + #", "features": ["age", "income"]"#))
    let outputs = try host.predict([1, 2, 1, .nan, 1, 2], shape: [3, 2])
    #expect(host.failedRows == [1: "income is missing, and the model has no \"impute\" to stand in for it"])
    #expect(outputs[0]?.floats[0] == 0.5)
    #expect(outputs[0]?.floats[2] == 0.5)
    #expect(host.columns.allSatisfy { !$0.missingAllowed })
}

@Test func aLogisticModelAnswersProbabilityAndLabel() throws {
    let outputs = try load(document(logistic)).predict([1, 2, 0, 3], shape: [2, 2])
    #expect(outputs[0]?.floats == [Float(1 / (1 + exp(-0.5))), Float(1 / (1 + exp(2.5)))])
    #expect(outputs[1]?.integers == [1, 0])
    let named = try load(document(logistic + #", "classes": ["nein", "ja"]"#))
    #expect(named.outputs[1].dtype == .bytes)
    #expect(try named.predict([1, 2, 0, 3], shape: [2, 2])[1]?.texts == ["ja", "nein"])
}

@Test func aSoftmaxModelAnswersProbabilitiesAndLabel() throws {
    let host = try load(document(softmax))
    #expect(host.outputs.map(\.shape) == [[-1, 3], [-1]])
    let outputs = try host.predict([1, 2, 800, 0], shape: [2, 2])
    let powers = [exp(1.0), exp(2.5), exp(-3.0)]
    let expected = powers.map { Float($0 / powers.reduce(0, +)) }
    for (found, wanted) in zip(outputs[0]?.floats ?? [], expected) { #expect(abs(found - wanted) <= 1e-7) }
    // Scores in the hundreds do not overflow.
    #expect(outputs[0]?.floats[3...] == [1, 0, 0])
    #expect(outputs[1]?.integers == [1, 0])
    let named = try load(document(softmax + #", "classes": ["a", "b", "c"]"#))
    #expect(try named.predict([-9, -9], shape: [1, 2])[1]?.texts == ["c"])
}

@Test(
    arguments: [
        (#"{"format": "roost-linear", "model": "linear"}"#, "the key \"version\" is missing"),
        (#"{"format": "roost-linear", "version": 2}"#, "version: this runtime reads version 1, not 2"),
        (document(linear + #", "mena": [1, 2]"#), "mena: unknown key; docs/LINEAR.md lists the keys"),
        (document(linear + #", "model": "linear""#), "the key \"model\" comes twice"),
        (document(#""model": "ridge""#), "model: \"ridge\" is none of linear, logistic, softmax"),
        (document(#""model": "linear", "coefficients": [], "intercepts": []"#), "coefficients: one row per output"),
        (
            document(#""model": "linear", "coefficients": [[1], [2]], "intercepts": [0, 0]"#),
            "one row of coefficients, not 2"
        ),
        (
            document(#""model": "softmax", "coefficients": [[1]], "intercepts": [0]"#),
            "a row of coefficients for each class"
        ),
        (
            document(#""model": "softmax", "coefficients": [[1], [2, 3]], "intercepts": [0, 0]"#),
            "coefficients[1] has 2 numbers"
        ),
        (
            document(#""model": "linear", "coefficients": [[1]], "intercepts": [0, 0]"#),
            "intercepts has 2 numbers for 1"
        ),
        (
            document(#""model": "linear", "coefficients": [[1, NaN]], "intercepts": [0]"#),
            "coefficients[0][1]: nan is not a finite"
        ),
        (
            document(#""model": "linear", "coefficients": [[1, "2"]], "intercepts": [0]"#),
            "coefficients[0][1]: expected number"
        ),
        (document(linear + #", "features": ["a"]"#), "features has 1 entries for 2 columns"),
        (document(linear + #", "features": []"#), "features has 0 entries for 2 columns"),
        (document(linear + #", "features": ["a", "a"]"#), "features: a name comes twice"),
        (document(linear + #", "mean": [1, 2]"#), "mean and scale go together"),
        (document(linear + #", "mean": [1, 2], "scale": [1, 0]"#), "scale: nothing can be divided by 0"),
        (document(linear + #", "impute": [1]"#), "impute has 1 entries for 2 columns"),
        (document(linear + #", "classes": ["a", "b"]"#), "classes: a linear model has none"),
        (document(logistic + #", "classes": ["a"]"#), "classes has 1 names for 2 classes"),
        (document(softmax + #", "classes": ["a", "b", "a"]"#), "classes: a name comes twice"),
        (document(linear) + "x", "1 bytes follow the document's end"),
    ] as [(String, String)])
func mistakesInAFileSayWhatAndWhere(json: String, message: String) {
    do {
        _ = try load(json)
        Issue.record("loaded: \(json)")
    } catch TestHost.Refusal.error(let text) {
        #expect(text.contains(message), "\(text)")
    } catch { Issue.record("\(error)") }
}

@Test(arguments: ["{}", "{\"format\": \"other\"}", "{\"learner\": {}}", "[1]", "", "{\"format\": 1}", "{\"a\": tru"])
func otherJSONIsLeftToOtherRuntimes(json: String) {
    do {
        _ = try load(json)
        Issue.record("loaded")
    } catch TestHost.Refusal.notMyFormat { return } catch { Issue.record("\(error)") }
}

@Test func everyTruncationIsRefused() {
    let json = document(softmax + #", "classes": ["a", "b", "c"], "mean": [1, 2], "scale": [3, 4], "impute": [0, 0]"#)
    for count in 0..<json.utf8.count {
        #expect(throws: TestHost.Refusal.self) { try load(String(json.prefix(count))) }
    }
}

@Test(arguments: [1, 2, 3] as [UInt64])
func mutatedFilesAreRefusedOrAnswer(seed: UInt64) throws {
    var generator = SplitMix(state: seed)
    let bytes = Array(document(softmax + #", "classes": ["a", "b", "c"], "impute": [0, 0]"#).utf8)
    for _ in 0..<1000 {
        guard let host = try? TestHost(LinearModel.self, generator.mutated(bytes)) else { continue }
        let columns = host.inputs[0].shape[1]
        _ = try host.predict([Float](repeating: .nan, count: columns), shape: [1, columns])
    }
}

@Test(arguments: ["linear", "logistic", "softmax"], [false, true])
func aRowAnswersTheSameAloneAndInAnyCompany(model: String, imputes: Bool) throws {
    var generator = SplitMix(state: 1)
    for columns in [1, 3, 4, 7, 8, 30] {
        func numbers(_ count: Int) -> [Double] { (0..<count).map { _ in Double.random(in: -2...2, using: &generator) } }
        let outputs = model == "softmax" ? 3 : 1
        let rows = (0..<outputs).map { _ in numbers(columns) }
        let host = try load(
            document(
                "\"model\": \"\(model)\", \"coefficients\": \(rows), \"intercepts\": \(numbers(outputs))"
                    + (imputes ? ", \"impute\": \(numbers(columns))" : "")))
        let features = (0..<40 * columns).map { place in
            imputes && place % 3 == 0 ? Float.nan : Float.random(in: -9...9, using: &generator)
        }
        let alone = try (0..<40).flatMap { row in
            let features = Array(features[row * columns..<(row + 1) * columns])
            return try host.predict(features, shape: [1, columns])[0]?.floats ?? []
        }
        #expect(alone.count == 40 * outputs && !alone.contains { $0.isNaN })
        for count in 0...40 {
            let together = try host.predict(Array(features[..<(count * columns)]), shape: [count, columns])[0]?.floats
            #expect(together?.map(\.bitPattern) == alone[..<(count * outputs)].map(\.bitPattern), "\(count) rows")
        }
    }
}

@Test func scoresAddColumnByColumn() throws {
    var generator = SplitMix(state: 2)
    let (weights, values) = (
        (0..<30).map { _ in Double.random(in: -1e9...1e9, using: &generator) },
        (0..<30).map { _ in Float.random(in: -1e9...1e9, using: &generator) }
    )
    var sum = 0.125
    for column in 0..<30 { sum += weights[column] * Double(values[column]) }
    // Scaled so that the last bits of the sum are those of a float32, where another order would show.
    let unit = sum.ulp * 0x1p20
    let host = try load(
        document(#""model": "linear", "coefficients": [\#(weights)], "intercepts": [\#(0.125 - sum + unit)]"#))
    let wanted = weights.indices.reduce(0.125 - sum + unit) { $0 + weights[$1] * Double(values[$1]) }
    for count in [1, 8] {
        let batch = [[Float]](repeating: values, count: count).flatMap { $0 }
        let answers = try host.predict(batch, shape: [count, 30])[0]?.floats
        #expect(answers == [Float](repeating: Float(wanted), count: count))
    }
}
