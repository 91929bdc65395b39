internal import RoostBasics

/// How long things took, in buckets of four per doubling: any quantile is known within 19 %, and adding costs nothing.
struct LatencyHistogram {
    /// From one microsecond to 134 seconds; the last bucket takes everything above.
    static let octaves = 27
    private var buckets = InlineArray<109, UInt64>(repeating: 0)
    private(set) var count: UInt64 = 0
    private(set) var totalNanoseconds: UInt64 = 0

    mutating func add(_ span: Instant.Span) {
        buckets[Self.bucket(of: span)] += 1
        count += 1
        totalNanoseconds &+= span.nanoseconds
    }

    /// The upper bound of the bucket in which the quantile lies; nil when nothing was added.
    func quantile(_ fraction: Double) -> Instant.Span? {
        guard count > 0 else { return nil }
        let rank = max(1, UInt64((fraction * Double(count)).rounded(.up)))
        var seen: UInt64 = 0
        for index in buckets.indices {
            seen += buckets[index]
            if seen >= rank { return Self.upperBound(of: index) }
        }
        return Self.upperBound(of: buckets.count - 1)
    }

    /// How many took at most 2^octave microseconds.
    func countAtMost(octave: Int) -> UInt64 {
        var sum: UInt64 = 0
        for index in 0..<min(buckets.count, octave * 4) { sum += buckets[index] }
        return sum
    }

    private static func bucket(of span: Instant.Span) -> Int {
        let microseconds = span.nanoseconds / 1000
        guard microseconds > 0 else { return 0 }
        let octave = 63 - microseconds.leadingZeroBitCount
        guard octave < octaves else { return octaves * 4 }
        let quarter = octave >= 2 ? microseconds >> UInt64(octave - 2) : microseconds << UInt64(2 - octave)
        return octave * 4 + Int(quarter & 3)
    }

    private static func upperBound(of bucket: Int) -> Instant.Span {
        let (octave, quarter) = (bucket / 4, bucket % 4)
        return Instant.Span(nanoseconds: ((1000 << UInt64(octave)) * UInt64(5 + quarter)) / 4)
    }
}
