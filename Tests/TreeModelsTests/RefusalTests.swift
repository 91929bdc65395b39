import PluginTesting
import RoostBasics
import RoostPlugin
import Testing
import TreeModels

private func refusal(_ bytes: [UInt8]) -> TestHost.Refusal? {
    do {
        _ = try TestHost(TreesModel.self, bytes)
        return nil
    } catch { return error as? TestHost.Refusal }
}

private func expectRefusal(
    _ text: String, of name: String = "classes-3.2.0", _ edit: (inout Tree) -> Void,
    location: SourceLocation = #_sourceLocation
) throws {
    switch refusal(try Fixture(name).edited(edit)) {
    case .error(let message): #expect(message.contains(text), "\(message)", sourceLocation: location)
    case let other: Issue.record("expected an error, got \(String(describing: other))", sourceLocation: location)
    }
}

@Test func anEditWithoutChangeStillLoads() throws {
    #expect(refusal(try Fixture("classes-3.2.0").edited { _ in }) == nil)
}

@Test func whatIsNotSupportedIsAClearError() throws {
    try expectRefusal("objective \"rank:ndcg\" is not supported") { $0["learner", "objective", "name"] = "rank:ndcg" }
    try expectRefusal("objective \"binary:hinge\"") { $0["learner", "objective", "name"] = "binary:hinge" }
    try expectRefusal("booster \"dart\" is not supported") { $0["learner", "gradient_booster", "name"] = "dart" }
    try expectRefusal("booster \"gblinear\" is not supported") {
        $0["learner", "gradient_booster"] = ["name": "gblinear", "model": ["weights": [1.5], "boosted_rounds": 1]]
    }
    try expectRefusal("several targets") { $0["learner", "learner_model_param", "num_target"] = "2" }
    try expectRefusal("vector leaves") {
        $0["learner", "gradient_booster", "model", "trees", "0", "tree_param", "size_leaf_vector"] = "3"
    }
    try expectRefusal("categorical") { $0["learner", "gradient_booster", "model", "trees", "1", "split_type", "0"] = 1 }
    try expectRefusal("categorical") { $0["learner", "feature_types"] = ["float", "c", "float", "int"] }
    try expectRefusal("categorical") { $0["learner", "gradient_booster", "model", "cats", "enc"] = [1] }
    try expectRefusal("XGBoost 4") { $0["version"] = [4, 0, 0] }
    try expectRefusal("no \"version\"") { $0["version"] = nil }
    try expectRefusal("\"surprise\" is unknown") { $0["learner", "surprise"] = 1 }
    try expectRefusal("\"surprise\" is unknown") { $0["learner", "gradient_booster", "model", "surprise"] = 1 }
    try expectRefusal("\"surprise\" is unknown") {
        $0["learner", "gradient_booster", "model", "trees", "2", "surprise"] = 1
    }
}

@Test func contradictionsAreErrors() throws {
    func tree(_ key: String, _ node: String, _ value: Any) -> (inout Tree) -> Void {
        { $0["learner", "gradient_booster", "model", "trees", "4", key, node] = value }
    }
    try expectRefusal("tree", tree("left_children", "0", 999))
    try expectRefusal("tree", tree("left_children", "0", -1))
    try expectRefusal("has two parents", tree("left_children", "0", 0))
    try expectRefusal("has two parents", tree("left_children", "0", 2))
    try expectRefusal("no whole number", tree("left_children", "0", -2))
    try expectRefusal("splits on feature 4 of 4", tree("split_indices", "0", 4))
    try expectRefusal("no whole number", tree("split_indices", "0", 1e30))
    try expectRefusal("no whole number", tree("default_left", "0", 2))
    try expectRefusal("expected number", tree("split_conditions", "0", "x"))
    try expectRefusal("different lengths") {
        $0["learner", "gradient_booster", "model", "trees", "4", "split_indices"] = [0]
    }
    try expectRefusal("different lengths") {
        $0["learner", "gradient_booster", "model", "trees", "4"] = [String: Any]()
    }
    try expectRefusal("output 3 of 3") { $0["learner", "gradient_booster", "model", "tree_info", "0"] = 3 }
    try expectRefusal("tree_info has") { $0["learner", "gradient_booster", "model", "tree_info"] = [0] }
    try expectRefusal("num_trees") {
        $0["learner", "gradient_booster", "model", "gbtree_model_param", "num_trees"] = "8"
    }
    try expectRefusal("num_class 1") { $0["learner", "learner_model_param", "num_class"] = "1" }
    try expectRefusal("num_class is \"x\"") { $0["learner", "learner_model_param", "num_class"] = "x" }
    try expectRefusal("num_class 3", of: "logistic-3.2.0") { $0["learner", "learner_model_param", "num_class"] = "3" }
    try expectRefusal("num_feature 0") { $0["learner", "learner_model_param", "num_feature"] = "0" }
    try expectRefusal("2 feature_names") { $0["learner", "feature_names"] = ["a", "b"] }
    try expectRefusal("not unique") { $0["learner", "feature_names"] = ["a", "b", "c", "a"] }
    try expectRefusal("base_score \"[x]\"") { $0["learner", "learner_model_param", "base_score"] = "[x]" }
    try expectRefusal("2 base scores for 3") { $0["learner", "learner_model_param", "base_score"] = "[1,2]" }
    try expectRefusal("no base_score") { $0["learner", "learner_model_param", "base_score"] = nil }
    try expectRefusal("no probability", of: "logistic-3.2.0") {
        $0["learner", "learner_model_param", "base_score"] = "[1E0]"
    }
    try expectRefusal("has the value inf", of: "logistic-3.2.0") { document in
        let conditions = document["learner", "gradient_booster", "model", "trees", "0", "split_conditions"] as? [Any]
        let last = (conditions?.count ?? 1) - 1
        document["learner", "gradient_booster", "model", "trees", "0", "split_conditions", "\(last)"] = 1e300
    }
}

@Test func otherFilesAreLeftToOtherRuntimes() {
    for text in [
        "", "{}", "{\"format\": \"roost-linear\"}", "\u{80}\u{4}\u{95}pickle", "tree\nversion=v4", "[1, 2]", "{\"a\":",
    ] {
        guard case .notMyFormat = refusal(Array(text.utf8)) else {
            Issue.record("\(text) was not left alone")
            continue
        }
    }
}

@Test func theOldBinaryFormatIsNamed() {
    let error = refusal(Array("binf".utf8) + [0, 0, 0, 0x3F])
    guard case .error(let message) = error else { return #expect(Bool(false), "\(String(describing: error))") }
    #expect(message.contains("old binary format"))
}

@Test(arguments: ["logistic-3.2.0", "regression-1.7.4"])
func everyTruncationIsRefused(name: String) throws {
    let bytes = try Fixture(name).bytes()
    for count in 0..<bytes.count { #expect(refusal(Array(bytes[..<count])) != nil, "at byte \(count)") }
}

@Test(arguments: ["logistic-3.2.0", "regression-1.7.4"], [1, 2] as [UInt64])
func mutatedFilesAreRefusedOrAnswer(name: String, seed: UInt64) throws {
    let fixture = try Fixture(name)
    let bytes = try fixture.bytes()
    var generator = SplitMix(state: seed)
    for _ in 0..<500 {
        let mutated = generator.mutated(bytes)
        guard let host = try? TestHost(TreesModel.self, mutated) else { continue }
        let columns = host.inputs[0].shape[1]
        // Never a trap; what it answers is the file's affair.
        _ = try host.predict([Float](repeating: .nan, count: 2 * columns), shape: [2, columns])
    }
}
