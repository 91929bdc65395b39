public import RoostBasics
public import RoostTraffic

/// The policy for one function, `functions/NAME.json`, with defaults for what the file leaves out.
///
/// `Manifest()` is the policy of a function without a manifest. All defaults stand here; what a file may say
/// is checked in `ManifestReading.swift` and described for editors in `docs/manifest.schema.json`.
public struct Manifest: Hashable, Sendable {
    public var description = ""
    public var owner = ""
    public var labels: [String: String] = [:]
    /// The latest moment of an answer after a request's arrival, and the longest time of one predict.
    public var timeout = Instant.Span.seconds(30)
    /// Whether a request whose instance died may run once more.
    public var retry = true
    public var limits = Limits()
    public var batch = Batch()
    public var scale = Scale()
    /// How long a superseded version stays warm, and is returned to when its successor dies or errs.
    public var rollbackWindow = Instant.Span.seconds(600)
    /// Whether the template of a version with traffic stays in memory, whatever that means for others.
    public var warm = false
    /// The function's part of the host's instances, in relation to others.
    public var weight = 1
    /// Shares by manifest; nil leaves traffic to the highest ready version.
    public var traffic: TrafficShares?
    /// Words for versions, beside those that traffic defines.
    public var tags: [VersionTag: VersionNumber] = [:]
    /// What binds a caller to a version while shares change; nil: nothing does.
    public var sticky: StickyKey?
    /// Who is given copies of answered requests, to compare; nil: nobody.
    public var shadow: ShadowPlan?

    /// How new versions come to traffic; nil: at once.
    public var rollout: RolloutPlan?
    /// How long a promotion stays reversible.
    public var bake = Instant.Span.zero
    /// Which predictions are kept for late labels; nil: none.
    public var feedback: Feedback? = Feedback()
    /// Which requests are kept to be answered anew; nil: none.
    public var replay: Replay?
    /// Columns or inputs that no record of a request shows.
    public var privateFields: [String] = []
    /// What a new version must reach before it may serve; nil: nothing.
    public var gate: GatePolicy?
    /// From which score on a binary model's label is the positive one; nil: as the model decides.
    public var threshold: Double?
    /// What makes it score without being called.
    public var triggers: [TriggerSpec] = []
    /// Percent of the host's cores that instances of one of its jobs may take; one instance in any case.
    public var jobsShare = 100

    public init() {}

    public struct Limits: Hashable, Sendable {
        /// Private memory of one instance; nil: three times what loading took, at least 256 MiB.
        public var memory: ByteCount?
        /// Memory that `load` may take to be shared by all instances; nil: what the host allows.
        public var model: ByteCount?
        public var openFiles = 64
        public var network = false
        public init() {}
    }

    public struct Batch: Hashable, Sendable {
        /// Rows that share one predict at most.
        public var maxSize = 64
        /// How long a request may be kept waiting for others to share its predict.
        public var maxDelay = Instant.Span.zero
        public init() {}
    }

    public struct Scale: Hashable, Sendable {
        public var min = 0
        /// Nil: as many as the host has cores.
        public var max: Int?
        /// Requests that may be in flight in one instance before another is wanted.
        public var concurrency = 1
        /// An instance goes when it was not needed for this long.
        public var idle = Instant.Span.seconds(60)
        /// Requests of one version that may wait.
        public var queue = 1024
        public init() {}
    }
}
