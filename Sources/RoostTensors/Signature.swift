/// One named input or output of a model.
public struct TensorSpec: Hashable, Sendable {
    public let name: String
    public let dtype: DType
    /// Extent per dimension; -1 where any extent goes. Dimension 0 is the batch and is always -1.
    public let shape: [Int]

    public init(name: String, dtype: DType, shape: [Int]) {
        self.name = name
        self.dtype = dtype
        self.shape = shape
    }
}

/// One column of a model's `features` input, as people know it.
public struct Column: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable { case number, category, text }

    public let name: String
    public let kind: Kind
    /// Whether an empty cell, `null` or NaN is accepted.
    public let missingAllowed: Bool
    /// For `.category`: the accepted words; the model sees their index.
    public let categories: [String]

    public init(name: String, kind: Kind = .number, missingAllowed: Bool = true, categories: [String] = []) {
        self.name = name
        self.kind = kind
        self.missingAllowed = missingAllowed
        self.categories = categories
    }
}

/// What a model takes and gives: what clients may rely on, and what probation compares.
public struct Signature: Hashable, Sendable {
    public let inputs: [TensorSpec]
    public let outputs: [TensorSpec]
    /// Names for the columns of the one input `features`; empty when the model has none.
    public let columns: [Column]

    public init(inputs: [TensorSpec], outputs: [TensorSpec], columns: [Column] = []) {
        self.inputs = inputs
        self.outputs = outputs
        self.columns = columns
    }

    /// Whether the model's labels are those of two classes, 0 and 1, that follow from one score for each row: then a
    /// threshold can decide instead of the model.
    public var hasThreshold: Bool {
        guard let first = outputs.first, first.shape.count == 1, first.dtype == .float32 || first.dtype == .float64
        else {
            return false
        }
        return outputs.contains { $0.name == "label" && $0.dtype == .int64 && $0.shape.count == 1 }
    }
}
