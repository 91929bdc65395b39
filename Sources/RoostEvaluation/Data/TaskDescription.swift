public import RoostBasics
public import RoostTensors

/// What a model is for, as its card says it or its outputs show it.
public struct TaskDescription: Hashable, Sendable {
    public var task: ModelTask
    /// The classes' names. Of several classes in the order of the model's probabilities; of two, the one whose score
    /// the model gives is the second. Empty: as the model's labels call them.
    public var classes: [String]
    /// Which of two classes precision, recall and average precision are about; nil: the second.
    public var positive: String?

    public init(_ task: ModelTask, classes: [String] = [], positive: String? = nil) {
        self.task = task
        self.classes = classes
        self.positive = positive
    }

    /// From the outputs of a model without a card, by the names that bundled runtimes give them: a score with a label
    /// is binary, several with a label are classes, a number alone is regression.
    /// - Throws: when they fit none of these.
    public init(of signature: Signature) throws(RoostError) {
        let hasLabel = signature.outputs.dropFirst().contains { $0.name == "label" }
        guard let first = signature.outputs.first else {
            throw RoostError(.unsupported, "the model names no outputs, which leaves open what it is for")
        }
        let isWide = first.shape.dropFirst().contains { $0 != 1 }
        switch (isWide, hasLabel) {
        case (false, true): self.init(.binary)
        case (true, true): self.init(.multiclass)
        case (false, false): self.init(.regression)
        case (true, false):
            throw RoostError(
                .unsupported,
                "output \"\(first.name)\" has shape \(first.shape) and no label stands beside it, which leaves open what "
                    + "the model is for")
        }
    }
}
