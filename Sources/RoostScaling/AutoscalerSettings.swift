public import RoostBasics

/// What bounds an `Autoscaler`; from the manifest and from why the version wants instances.
public struct AutoscalerSettings: Hashable, Sendable {
    /// Instances to have without any load.
    public var instancesMin: Int
    /// Instances to have at most, whatever the load; at least one.
    public var instancesMax: Int
    /// Requests that may be in flight in one instance before another is wanted; at least one. More than one suits
    /// models that wait for something rather than compute.
    public var concurrency: Int
    /// An instance goes when it was not needed for this long.
    public var idle: Instant.Span

    public init(
        instancesMin: Int = 0, instancesMax: Int = 1, concurrency: Int = 1, idle: Instant.Span = .seconds(60)
    ) {
        self.instancesMin = instancesMin
        self.instancesMax = instancesMax
        self.concurrency = concurrency
        self.idle = idle
    }
}
