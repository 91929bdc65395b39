public import RoostEvaluation

/// What late labels say of two versions since the rollout began.
public struct Labels: Hashable, Sendable {
    /// Of one version.
    public struct OfVersion: Hashable, Sendable {
        /// Predictions that were recorded and are old enough to have a label.
        public var recorded: Int
        /// Those among them that have one.
        public var labelled: Int
        /// The metric of the settings, over the labelled ones; nil while it cannot be computed.
        public var estimate: MetricEstimate?

        public init(recorded: Int = 0, labelled: Int = 0, estimate: MetricEstimate? = nil) {
            self.recorded = recorded
            self.labelled = labelled
            self.estimate = estimate
        }
    }

    public var stable: OfVersion
    public var canary: OfVersion

    public init(stable: OfVersion = OfVersion(), canary: OfVersion = OfVersion()) {
        self.stable = stable
        self.canary = canary
    }
}
