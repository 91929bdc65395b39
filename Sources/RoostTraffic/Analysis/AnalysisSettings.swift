public import RoostEvaluation

/// How much worse a new version may be, and how sure the analysis has to be.
public struct AnalysisSettings: Hashable, Sendable {
    /// The part of all the function's requests that may fail more often than before.
    public var errorsMargin = 0.002
    /// By how much the 99th percentile of latency may be longer, as a part of the stable version's.
    public var latencyMargin = 0.2
    /// Beyond this part of pairs with different decisions a person should look.
    public var flips = 0.05
    /// Beyond this one the rollout ends.
    public var collapse = 0.25
    public var quality = Quality()
    /// The probability with which a rollout is aborted although its version is within all margins, over its whole
    /// life and all metrics; also the one with which a version beyond some margin is promoted.
    public var alpha = 0.05
    /// Requests of the new version before anything is proven.
    public var samplesMin = 200

    public init() {}

    public struct Quality: Hashable, Sendable {
        /// Which of the metrics that labels give; what cannot be computed from them proves nothing.
        public var metric = QualityMetric.auc
        /// In the metric's own unit.
        public var margin = 0.01
        /// Whether a version must be proven by labels; otherwise their absence is only noted.
        public var isRequired = false

        public init() {}
    }
}
