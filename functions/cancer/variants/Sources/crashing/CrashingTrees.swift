import RoostPlugin
import TreeModels

/// Boosted trees with the kind of fault that passes every test: a check of the input, written by somebody who never
/// saw a row without `worst area`. A missing value is NaN, which is no `Int`, and the process ends.
struct CrashingTrees: Model {
    static var formats: String? { TreesModel.formats }

    private let trees: TreesModel
    var signature: Signature { trees.signature }

    init(loading artifact: borrowing Artifact) throws { trees = try TreesModel(loading: artifact) }

    func predict(_ batch: borrowing Batch, _ outputs: inout Outputs) throws {
        let features = try batch.values(0, of: Float.self)
        let columns = signature.columns.count
        for row in 0..<batch.rows {
            // Whole pixels. `features[…] >= 0` would have done, and is false for NaN.
            guard Int(features[row * columns + Self.worstArea]) >= 0 else {
                throw ModelError.invalidInput("row \(row): worst area must not be negative")
            }
        }
        try trees.predict(batch, &outputs)
    }

    private static let worstArea = 23
}

@c(roost_plugin_entry) public func entry() -> UnsafeRawPointer {
    export(CrashingTrees.self, name: "crashing", version: "1.0")
}
