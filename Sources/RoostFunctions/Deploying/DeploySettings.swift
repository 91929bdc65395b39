public import RoostBasics

/// The deploy machine's constants, with their defaults.
public struct DeploySettings: Hashable, Sendable {
    /// Identifies this build: verifications by another are done again.
    public var hostBuild: String
    /// A file is complete when its stamp has not changed for so long.
    public var settle = Instant.Span.milliseconds(300)
    /// So long may a file stand still although something is missing.
    public var growingPatience = Instant.Span.seconds(3)
    /// When a copy that failed is tried again.
    public var copyRetry = Instant.Span.seconds(5)
    /// The guard gives traffic back when a successor's error rate exceeds stable's by this …
    public var guardErrorMargin = 0.01
    /// … over at least so many requests.
    public var guardRequestsMin = 200
    /// Superseded versions of one overwritten file that stay; also how many retired ones are remembered.
    public var keep = 10

    public init(hostBuild: String) { self.hostBuild = hostBuild }
}
