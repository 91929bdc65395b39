import Foundation
import PluginTesting
import RoostBasics
import Testing
import TreeModels

/// Trees of one shape, made at random.
enum Shape: String, CaseIterable {
    case leaves, stumps, small, bushy, full, chains, longChains, mixed

    /// The nodes of a tree as the file has them; each name is one of its arrays.
    func tree(_ id: Int, using generator: inout SplitMix) -> [String: Any] {
        var shape = self
        if self == .mixed { shape = [.leaves, .stumps, .small, .bushy, .full, .chains, .longChains][id / 11 % 7] }
        var nodes = Nodes()
        nodes.grow(shape, from: nodes.add(parent: 2_147_483_647, &generator), at: 0, &generator)
        return nodes.document(id)
    }

    /// Whether a node at this depth splits.
    fileprivate func splits(at depth: Int, isLeft: Bool, _ generator: inout SplitMix) -> Bool {
        switch self {
        case .leaves: false
        case .stumps: depth < 1
        case .small: depth < 3 && Int.random(in: 0..<4, using: &generator) > 0
        case .bushy: depth < 6 && Int.random(in: 0..<5, using: &generator) > 0
        case .full, .mixed: depth < 7
        // One child of each is a leaf, now the left and now the right one.
        case .chains: depth < 25 && (depth == 0 || isLeft == (depth % 3 == 0))
        case .longChains: depth < 40 && (depth == 0 || isLeft == (depth % 2 == 0))
        }
    }
}

private struct Nodes {
    static let columns = 4
    /// What features and thresholds are made of, so that many are equal; the first is no threshold.
    static let values: [Float] = [
        -.infinity, .infinity, 0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, 0.5, -0.5, 1, 3, -7.25,
        .greatestFiniteMagnitude,
    ]
    private var left: [Int] = []
    private var right: [Int] = []
    private var parents: [Int] = []
    private var features: [Int] = []
    private var conditions: [Double] = []
    private var defaults: [Int] = []

    /// A leaf.
    mutating func add(parent: Int, _ generator: inout SplitMix) -> Int {
        left.append(-1)
        right.append(-1)
        parents.append(parent)
        features.append(0)
        let value = Float.random(in: -1...1, using: &generator)
        conditions.append(Double(value < -0.9 ? -0.0 : value))
        defaults.append(0)
        return left.count - 1
    }

    mutating func grow(_ shape: Shape, from node: Int, at depth: Int, isLeft: Bool = true, _ generator: inout SplitMix)
    {
        guard shape.splits(at: depth, isLeft: isLeft, &generator) else { return }
        let threshold = Self.values[Int.random(in: 1..<Self.values.count, using: &generator)]
        // JSON has no infinity, but what a float32 cannot hold is read as one.
        conditions[node] = threshold.isFinite ? Double(threshold) : 1e300
        features[node] = Int.random(in: 0..<Self.columns, using: &generator)
        defaults[node] = Int.random(in: 0...1, using: &generator)
        left[node] = add(parent: node, &generator)
        right[node] = add(parent: node, &generator)
        grow(shape, from: left[node], at: depth + 1, isLeft: true, &generator)
        grow(shape, from: right[node], at: depth + 1, isLeft: false, &generator)
    }

    func document(_ id: Int) -> [String: Any] {
        let zeros = [Double](repeating: 0, count: left.count)
        return [
            "id": id, "left_children": left, "right_children": right, "parents": parents, "split_indices": features,
            "split_conditions": conditions, "default_left": defaults, "split_type": left.map { _ in 0 },
            "base_weights": zeros, "loss_changes": zeros, "sum_hessian": zeros, "categories": [Int](),
            "categories_nodes": [Int](), "categories_segments": [Int](), "categories_sizes": [Int](),
            "tree_param": [
                "num_deleted": "0", "num_feature": "\(Self.columns)", "num_nodes": "\(left.count)",
                "size_leaf_vector": "1",
            ],
        ]
    }

    static func rows(_ count: Int, using generator: inout SplitMix) -> [Float] {
        (0..<count * columns).map { _ in
            let choice = Int.random(in: 0...values.count + 3, using: &generator)
            if choice < values.count { return values[choice] }
            return choice == values.count ? .nan : Float.random(in: -8...8, using: &generator)
        }
    }
}

/// A model of `count` trees on 4 columns; with 3 outputs, tree after tree.
private func model(_ shape: Shape, trees count: Int, outputs: Int, seed: UInt64) throws -> TestHost {
    var generator = SplitMix(state: seed)
    let trees = (0..<count).map { shape.tree($0, using: &generator) }
    let bytes = try Fixture(outputs == 1 ? "logistic-3.2.0" : "classes-3.2.0").edited {
        if outputs == 1 { $0["learner", "objective", "name"] = "reg:squarederror" }
        $0["learner", "gradient_booster", "model", "trees"] = trees
        $0["learner", "gradient_booster", "model", "tree_info"] = (0..<count).map { $0 % outputs }
        $0["learner", "gradient_booster", "model", "gbtree_model_param", "num_trees"] = "\(count)"
        $0["learner", "gradient_booster", "model", "iteration_indptr"] = Array(
            stride(from: 0, through: count, by: outputs))
    }
    return try TestHost(TreesModel.self, bytes)
}

private func expectSameAnswers(_ host: TestHost, _ counts: some Sequence<Int>, outputs: Int, seed: UInt64) throws {
    var generator = SplitMix(state: seed)
    let most = 300
    let features = Nodes.rows(most, using: &generator)
    var alone: [UInt32] = []
    for row in 0..<most {
        let answers = try host.predict(Array(features[row * 4..<row * 4 + 4]), shape: [1, 4])
        alone += try #require(answers[0]?.floats).map(\.bitPattern)
    }
    #expect(Set(alone).count > 1)
    for count in counts {
        let answers = try host.predict(Array(features[..<(count * 4)]), shape: [count, 4])
        #expect(answers[0]?.floats.map(\.bitPattern) == Array(alone[..<(count * outputs)]), "\(count) rows")
    }
}

@Test func anyNumberOfRowsAnswerAsEachAlone() throws {
    let host = try model(.small, trees: 21, outputs: 1, seed: 1)
    try expectSameAnswers(host, 1...300, outputs: 1, seed: 2)
}

@Test(arguments: Shape.allCases.filter { $0 != .leaves }, [1, 3])
func treesOfAnyShapeAnswerManyRowsAsEachAlone(shape: Shape, outputs: Int) throws {
    let host = try model(shape, trees: shape == .mixed ? 78 : 27, outputs: outputs, seed: 3)
    try expectSameAnswers(host, [2, 5, 8, 16, 29, 31, 32, 33, 64, 71, 300], outputs: outputs, seed: 4)
}

@Test func treesWithoutSplitsAnswerManyRowsAlike() throws {
    let host = try model(.leaves, trees: 10, outputs: 1, seed: 5)
    let one = try #require(try host.predict([0, 0, 0, 0], shape: [1, 4])[0]?.floats[0])
    let many = try host.predict([Float](repeating: .nan, count: 40 * 4), shape: [40, 4])
    #expect(many[0]?.floats.map(\.bitPattern) == [UInt32](repeating: one.bitPattern, count: 40))
}
