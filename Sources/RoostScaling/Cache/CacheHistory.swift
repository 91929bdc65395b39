public import RoostBasics

/// What a `ColdStartCache` knows of a version: how it was called, what it weighs, how long it loads.
///
/// It may be stored, so that a host that starts again can judge its versions by it.
public struct CacheHistory: Hashable, Sendable {
    /// Memory that the template took when last measured.
    public var size: ByteCount
    /// From the start of the template until it could be forked, the last time.
    public var loadTime: Instant.Span
    /// Since the last call that was told; nil for a version that was never called.
    public var idle: Instant.Span?
    /// How often it was left alone for about how long, in quarters: 18 bins, below 1 s, then doubling.
    public var idleTimes: [UInt16]

    public init(size: ByteCount, loadTime: Instant.Span, idle: Instant.Span?, idleTimes: [UInt16]) {
        self.size = size
        self.loadTime = loadTime
        self.idle = idle
        self.idleTimes = idleTimes
    }
}
