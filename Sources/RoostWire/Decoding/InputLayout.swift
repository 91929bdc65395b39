import RoostBasics
import RoostTensors

/// What bodies of one model look like, worked out once from its signature.
struct InputLayout {
    /// The one 2-D numeric input of most models, whose columns have names.
    final class Matrix {
        let columns: [Column]
        let names: NameIndex
        /// Per column: the places of its words; nil for numbers.
        let categories: [NameIndex?]
        /// Columns that must not be missing.
        let refused: [Int]
        let hasCategories: Bool
        /// The names are `f0`, `f1`, … in order: those of a model that was saved without any.
        let isUnnamed: Bool

        init(_ columns: [Column]) {
            self.columns = columns
            names = NameIndex(columns.map(\.name))
            categories = columns.map { $0.kind == .category ? NameIndex($0.categories) : nil }
            refused = columns.indices.filter { !columns[$0].missingAllowed }
            hasCategories = columns.contains { $0.kind == .category }
            isUnnamed = columns.indices.allSatisfy { columns[$0].name == "f\($0)" }
        }
    }

    let signature: Signature
    let inputNames: NameIndex
    /// Nil when the model takes something else than one 2-D numeric tensor with a fixed number of columns.
    let matrix: Matrix?
    /// The one input is 2-D and numeric, but rows may have any length.
    let isFreeMatrix: Bool

    init(_ signature: Signature) throws(RoostError) {
        self.signature = signature
        inputNames = NameIndex(signature.inputs.map(\.name))
        for spec in signature.inputs + signature.outputs {
            guard (1...TensorBuffer.rankMax).contains(spec.shape.count), spec.shape.dropFirst().allSatisfy({ $0 != 0 })
            else { throw RoostError(.pluginFailed, "tensor \"\(spec.name)\": shape \(spec.shape) is not supported") }
        }
        let input = signature.inputs.first
        let isMatrix =
            signature.inputs.count == 1 && input?.shape.count == 2
            && input?.dtype != .bytes && input?.dtype != .bool
        guard isMatrix, let extent = input?.shape[1] else {
            guard signature.columns.isEmpty else {
                throw RoostError(.pluginFailed, "columns are declared, but the input is not one 2-D numeric tensor")
            }
            (matrix, isFreeMatrix) = (nil, false)
            return
        }
        let columns =
            signature.columns.isEmpty ? (0..<max(extent, 0)).map { Column(name: "f\($0)") } : signature.columns
        isFreeMatrix = extent < 0 && columns.isEmpty
        guard extent < 0 || columns.count == extent else {
            throw RoostError(.pluginFailed, "\(columns.count) columns are declared, the input has \(extent)")
        }
        if let text = columns.first(where: { $0.kind == .text }) {
            throw RoostError(.pluginFailed, "column \"\(text.name)\": text does not fit into a numeric tensor")
        }
        matrix = isFreeMatrix ? nil : Matrix(columns)
    }
}
