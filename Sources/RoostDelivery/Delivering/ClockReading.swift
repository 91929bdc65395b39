public import RoostBasics

/// Both clocks, read at the same time.
///
/// Within one process only the monotonic clock decides. The wall clock is what another process can go on with, and
/// what people are shown; it may jump, forwards and back, and nothing here trusts it further than that.
public struct ClockReading: Hashable, Sendable {
    public var monotonic: Instant
    /// Milliseconds since 1970-01-01 00:00 UTC.
    public var wallMS: Int64

    public init(monotonic: Instant, wallMS: Int64) {
        self.monotonic = monotonic
        self.wallMS = wallMS
    }
}
