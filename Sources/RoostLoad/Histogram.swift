public import RoostBasics

/// Counts lengths of time in fixed memory (58 KiB), of any length, with a relative error of at most 1/128.
///
/// A log-linear histogram as HdrHistogram's (Tene 2012): each power of two is divided into 128 equal buckets, so that
/// small and large times are equally exact. Below 256 ns every value has a bucket of its own.
public struct Histogram: Hashable, Sendable {
    private static let bits = 7
    /// Of the largest 64-bit value, plus one.
    private static let size = bucket(of: .max) + 1

    private var counts = [UInt64](repeating: 0, count: size)
    /// How many have been recorded.
    public private(set) var count: UInt64 = 0
    /// The longest, exactly; zero when there is none.
    public private(set) var max = Instant.Span.zero
    private var sum = 0.0

    public init() {}

    public mutating func record(_ span: Instant.Span) {
        counts[Self.bucket(of: span.nanoseconds)] += 1
        count += 1
        if span > max { max = span }
        sum += Double(span.nanoseconds)
    }

    /// The exact arithmetic mean; nil when nothing was recorded.
    public var mean: Instant.Span? {
        count == 0 ? nil : Instant.Span(nanoseconds: UInt64(sum / Double(count) + 0.5))
    }

    /// The shortest time that `percent` of the recorded ones do not exceed (nearest rank); nil when nothing was
    /// recorded. The answer is the upper end of a bucket: never below the true one, and at most 1/128 above it.
    public func percentile(_ percent: Double) -> Instant.Span? {
        guard count > 0 else { return nil }
        let rank = Swift.max(1, (Double(count) * Swift.min(percent, 100) / 100).rounded(.up))
        var seen: UInt64 = 0
        for (bucket, here) in counts.enumerated() where here > 0 {
            seen += here
            if Double(seen) >= rank { return Swift.min(max, Instant.Span(nanoseconds: Self.upperEnd(of: bucket))) }
        }
        return max
    }

    /// The eight leading bits say the bucket within a power of two, the number of bits behind them which power.
    private static func bucket(of value: UInt64) -> Int {
        let length = UInt64.bitWidth - value.leadingZeroBitCount
        let shift = Swift.max(0, length - bits - 1)
        return shift << bits + Int(value >> UInt64(shift))
    }

    private static func upperEnd(of bucket: Int) -> UInt64 {
        let shift = UInt64(Swift.max(0, bucket >> bits - 1))
        let leading = UInt64(bucket) - shift << UInt64(bits)
        return leading << shift + (1 << shift - 1)
    }
}
