internal import RoostBasics
internal import RoostPlugins
internal import RoostTensors
internal import RoostWire

/// Scores chunks of files with the instance's model.
final class BulkScorer {
    private let model: LoadedModel
    private let codec: BulkCodec
    /// Nil for all but binary classifiers.
    private let decision: ThresholdDecision?

    init(_ model: LoadedModel, _ decoder: RequestDecoder) {
        self.model = model
        codec = BulkCodec(decoder)
        decision = ThresholdDecision(decoder.signature)
    }

    /// Appends the `BulkReply` to a `BulkRequest`.
    /// - Returns: rows that were scored.
    /// - Throws: `.invalidArgument` when the plan or the model is none that rows of files can be scored with.
    func score(_ body: RawSpan, into reply: TextBuffer, deadline: Instant) throws(RoostError) -> Int {
        guard model.canPredict else {
            throw RoostError(.invalidArgument, "this model takes whole bodies, no rows: it cannot score files")
        }
        return try codec.score(body, into: reply) { (batch, threshold) throws(RoostError) in
            try model.predict(batch, deadline: deadline)
            if let decision, !threshold.isNaN { decision.decide(0..<batch.rows, of: batch, from: threshold) }
            return model.hasFailedRows ? model.failedRows : [:]
        }
    }
}
