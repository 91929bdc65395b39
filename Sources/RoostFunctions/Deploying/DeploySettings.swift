public import RoostBasics

/// The deploy machine's constants, with their defaults.
public struct DeploySettings: Hashable, Sendable {
    /// Identifies this build: verifications by another are done again.
    public var hostBuild: String
    /// A file is complete when its stamp has not changed for so long.
    public var settle = Instant.Span.milliseconds(300)
    /// A whole file of at most `copyAheadBytesMax` is copied when it has not changed for so long, and the copy is used
    /// if it still has not when it has settled. Longer than a tick of any file system's clock: a write in the tick of
    /// the last one would leave the stamp as it is. Larger files spend their time elsewhere, and one that keeps
    /// changing would keep the disk busy.
    public var copyAhead = Instant.Span.milliseconds(50)
    public var copyAheadBytesMax = 64 << 20
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
