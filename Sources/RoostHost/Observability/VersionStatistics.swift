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
    /// Of requests that found no instance: waiting for a fork; and for a template before that.
    private(set) var fork = LatencyHistogram()
    private(set) var load = LatencyHistogram()
    private(set) var batches = BatchSizes()
    /// Of requests that were answered well: how long they took in all, and what their batches cost.
    private(set) var okNanoseconds: UInt64 = 0
    private(set) var executions = ExecutionTotals()
    /// When a request was answered last.
    private(set) var lastAnswer: Instant?
    private var lastMinute = MinuteRate()

    func count(_ outcome: Outcome) -> UInt64 { outcomes[Int(outcome.rawValue)] }
    var requests: UInt64 { Outcome.allCases.reduce(0) { $0 + count($1) } }

    /// Counts one answered request.
    mutating func add(_ outcome: Outcome, total: Instant.Span, at now: Instant) {
        outcomes[Int(outcome.rawValue)] += 1
        self.total.add(total)
        if outcome == .ok { okNanoseconds &+= total.nanoseconds }
        lastAnswer = now
        lastMinute.add(at: now)
    }

    /// Counts what an instance's reply told of its phases.
    mutating func add(_ waited: PhaseTiming, _ reply: ReplyHeader) {
        queue.add(waited.queue)
        if let forked = waited.fork { fork.add(forked) }
        if let loaded = waited.load { load.add(loaded) }
        infer.add(reply.infer)
        rows += UInt64(reply.rows)
        batches.add(rows: reply.rows, of: reply.batchRows)
        if reply.outcome == .ok { executions.add(waited, reply) }
    }

    /// Requests per second over the last minute.
    func rate(at now: Instant) -> Double { lastMinute.perSecond(at: now) }
}

/// How many rows shared a predict, in buckets of one per doubling.
struct BatchSizes {
    /// Up to 65,536 rows, the most that a manifest allows; the last takes everything above.
    static let octaves = 17
    private var buckets = InlineArray<18, UInt64>(repeating: 0)
    /// Requests, and rows of the batches that they ran in.
    private(set) var count: UInt64 = 0
    private(set) var total: UInt64 = 0
    private var rows: UInt64 = 0
    /// Batches, each counted in parts by the rows that it shares among its requests.
    private var batches = 0.0

    mutating func add(rows own: UInt32, of batch: UInt32) {
        // An answer without a predict ran in none; what an instance tells may be anything.
        guard own > 0, batch >= own else { return }
        let octave = 32 - (batch - 1).leadingZeroBitCount
        buckets[min(octave, Self.octaves)] += 1
        count += 1
        total &+= UInt64(batch)
        rows &+= UInt64(own)
        batches += Double(own) / Double(batch)
    }

    /// Rows per predict; nil when nothing was predicted.
    var mean: Double? { batches > 0 ? Double(rows) / batches : nil }

    /// Requests that ran in a batch of at most 2^octave rows.
    func countAtMost(octave: Int) -> UInt64 {
        var sum: UInt64 = 0
        for index in 0...min(octave, Self.octaves) { sum += buckets[index] }
        return sum
    }
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
