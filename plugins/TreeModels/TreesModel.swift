import ModelFiles
public import RoostPlugin

/// Gradient-boosted trees as XGBoost 1.7 to 3.x saves them, JSON or UBJSON.
public struct TreesModel: Model {
    public static var formats: String? { "XGBoost 1.7 to 3.x: .json, .ubj" }

    public let signature: Signature
    private let objective: Objective
    private let forest: Forest

    public init(loading artifact: borrowing Artifact) throws {
        let file = try XGBoostFile(artifact.bytes)
        objective = try file.checkedObjective()
        let outputs = try file.outputs(for: objective)
        let columns = try file.columns()
        signature = Self.signature(of: objective, columns: columns, outputs: outputs)
        forest = try Forest(
            try file.treesInUse(outputs: outputs), columns: columns.count,
            base: try file.baseMargins(for: objective, outputs: outputs), in: artifact.memory)
    }

    public func predict(_ batch: borrowing Batch, _ outputs: inout Outputs) throws {
        let features = try batch.values(0, of: Float.self)
        var predictions = try outputs.values(0, of: Float.self)
        if batch.rows < forest.blockMinimum {
            forest.walk(features, rows: batch.rows, into: &predictions)
        } else {
            forest.answerBlocks(features, rows: batch.rows, into: &predictions)
        }
        switch objective {
        case .squaredError: return
        case .logistic:
            for row in 0..<batch.rows { predictions[row] = Objective.sigmoid(predictions[row]) }
        case .softprob:
            let classes = forest.outputs
            for row in 0..<batch.rows { Objective.softmax(&predictions, row * classes..<(row + 1) * classes) }
        }
        var label = try outputs.values(1, of: Int64.self)
        for row in 0..<batch.rows { label[row] = Self.label(predictions.span, row: row, width: forest.outputs) }
    }

    /// What `XGBClassifier.predict` returns: the likeliest class, the first of equals; of two, class 1 above one half.
    private static func label(_ predictions: Span<Float>, row: Int, width: Int) -> Int64 {
        let first = row * width
        if width == 1 { return predictions[first] > 0.5 ? 1 : 0 }
        var best = 0
        for place in 1..<width where predictions[first + place] > predictions[first + best] { best = place }
        return Int64(best)
    }

    private static func signature(of objective: Objective, columns: [Column], outputs: Int) -> Signature {
        let predictions = objective == .softprob ? [-1, outputs] : [-1]
        return Signature(
            inputs: [TensorSpec(name: "features", dtype: .float32, shape: [-1, columns.count])],
            outputs: [TensorSpec(name: "predictions", dtype: .float32, shape: predictions)]
                + (objective.isClassifier ? [TensorSpec(name: "label", dtype: .int64, shape: [-1])] : []),
            columns: columns)
    }
}
