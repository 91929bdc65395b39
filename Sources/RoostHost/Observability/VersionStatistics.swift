internal import RoostBasics
internal import RoostChannel

/// What has become of a version's requests since the host started.
struct VersionStatistics {
    // Inline, here and below: an array would be checked for other owners at each of the half dozen additions a request.
    private var outcomes = InlineArray<6, UInt64>(repeating: 0)
    private(set) var rows: UInt64 = 0
    /// From the complete request to its reply; of these, waiting for an instance; of these, in predict.
    private(set) var total = LatencyHistogram()
    private(set) var queue = LatencyHistogram()
    private(set) var infer = LatencyHistogram()
    private var lastMinute = MinuteRate()

    func count(_ outcome: Outcome) -> UInt64 { outcomes[Int(outcome.rawValue)] }
    var requests: UInt64 { Outcome.allCases.reduce(0) { $0 + count($1) } }

    /// Counts one answered request.
    mutating func add(_ outcome: Outcome, total: Instant.Span, at now: Instant) {
        outcomes[Int(outcome.rawValue)] += 1
        self.total.add(total)
        lastMinute.add(at: now)
    }

    /// Counts what an instance's reply told of its phases.
    mutating func add(queue waited: Instant.Span, infer predicted: Instant.Span, rows more: UInt32) {
        queue.add(waited)
        infer.add(predicted)
        rows += UInt64(more)
    }

    /// Requests per second over the last minute.
    func rate(at now: Instant) -> Double { lastMinute.perSecond(at: now) }
}

/// Events per second over the last sixty full seconds.
struct MinuteRate {
    private var counts = InlineArray<64, UInt32>(repeating: 0)
    private var second: UInt64 = 0
    private var first: UInt64?

    mutating func add(at now: Instant) {
        let current = now.nanoseconds / 1_000_000_000
        if first == nil { (first, second) = (current, current) }
        advance(to: current)
        counts[Int(current & 63)] += 1
    }

    func perSecond(at now: Instant) -> Double {
        let current = now.nanoseconds / 1_000_000_000
        guard let first, current > first else { return 0 }
        let window = min(60, current - first)
        var sum: UInt64 = 0
        for past in 1...window where current - past <= second && second - (current - past) < 64 {
            sum += UInt64(counts[Int((current - past) & 63)])
        }
        return Double(sum) / Double(window)
    }

    private mutating func advance(to current: UInt64) {
        guard current > second else { return }
        for past in (second + 1)...min(current, second + 64) { counts[Int(past & 63)] = 0 }
        second = current
    }
}
