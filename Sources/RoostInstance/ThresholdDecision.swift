internal import RoostTensors

/// Labels of two classes by a threshold of the host's, in place of the model's own: a policy, which people change
/// without a new version.
struct ThresholdDecision {
    private let scores: Int
    private let labels: Int

    /// Nil unless the first output is one score for each row, and `label` a number beside it.
    init?(_ signature: Signature) {
        guard signature.hasThreshold, let labels = signature.outputs.firstIndex(where: { $0.name == "label" }) else {
            return nil
        }
        (scores, self.labels) = (0, labels)
    }

    /// Writes the labels of some rows of a batch that was predicted. A score that is no number decides for 0.
    func decide(_ rows: Range<Int>, of batch: TensorBatch, from threshold: Double) {
        batch.outputs[labels].withMutableElements(Int64.self) { labels in
            let output = batch.outputs[scores]
            if output.dtype == .float32 {
                output.withElements(Float.self) { scores in
                    for row in rows { labels[row] = Double(scores[row]) >= threshold ? 1 : 0 }
                }
            } else {
                output.withElements(Double.self) { scores in
                    for row in rows { labels[row] = scores[row] >= threshold ? 1 : 0 }
                }
            }
        }
    }
}
