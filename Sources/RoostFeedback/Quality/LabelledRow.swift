/// One recorded prediction whose label has come.
public struct LabelledRow: Hashable, Sendable {
    /// When it was predicted and when its label came, microseconds since 1970.
    public let predictedAt: Int64
    public let labelledAt: Int64
    /// Of the first output: all, or the first ones of `elements`.
    public let values: [Double]
    public let elements: Int
    /// The class that the model decided for; nil when it decides nothing.
    public let decision: Label?
    public let label: Label

    public init(
        predictedAt: Int64, labelledAt: Int64, values: [Double], elements: Int, decision: Label?, label: Label
    ) {
        self.predictedAt = predictedAt
        self.labelledAt = labelledAt
        self.values = values
        self.elements = elements
        self.decision = decision
        self.label = label
    }

    /// From the prediction to its label, seconds; never negative.
    var delaySeconds: Double { max(0, Double(labelledAt - predictedAt) / 1e6) }
}
