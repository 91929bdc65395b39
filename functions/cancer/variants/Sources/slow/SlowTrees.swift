import Glibc
import RoostPlugin
import TreeModels

/// Boosted trees that take 20 ms longer, as if they asked somebody else for a feature.
struct SlowTrees: Model {
    static var formats: String? { TreesModel.formats }

    private let trees: TreesModel
    var signature: Signature { trees.signature }

    init(loading artifact: borrowing Artifact) throws { trees = try TreesModel(loading: artifact) }

    func predict(_ batch: borrowing Batch, _ outputs: inout Outputs) throws {
        usleep(20_000)
        try trees.predict(batch, &outputs)
    }
}

@c(roost_plugin_entry) public func entry() -> UnsafeRawPointer { export(SlowTrees.self, name: "slow", version: "1.0") }
