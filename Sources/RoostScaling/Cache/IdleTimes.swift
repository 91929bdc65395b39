internal import RoostBasics

/// How long a function was left alone between its calls: a histogram over doublings of a second, from which follows
/// how soon it will be called again.
///
/// Each function has its own (Shahrad et al., "Serverless in the Wild", ATC '20), because functions differ more in
/// the shape of their calls than in their number: bursts, timers and steady trickles of one average rate deserve
/// different treatment, and different treatment at different ages.
struct IdleTimes: Sendable {
    /// Below 1 s, then 1 to 2 s, 2 to 4 s, and so on; the last one begins at 18 hours.
    static let binCount = 18

    /// Four for each time observed: two in its bin and one in each neighbour's. So a few times already draw a curve
    /// about as wide as that of exponentially distributed ones.
    private(set) var counts: InlineArray<18, UInt16>
    private var total: Int

    /// Above this sum all counts are halved: the last few hundred times matter, and counts stay small.
    static let totalMax = 1200
    /// What is assumed of a function before anything is known, in the unit of `counts`: one time observed, equally
    /// likely in each bin (that is, the longer it has been idle, the longer it will be), and a tenth of a time for
    /// never being called again.
    private static let priorPerBin = 4.0 / Double(binCount)
    private static let never = 0.4

    init() {
        counts = InlineArray(repeating: 0)
        total = 0
    }

    /// Nil unless there is a count for each bin.
    init?(counts given: [UInt16]) {
        guard given.count == Self.binCount else { return nil }
        self.init()
        for bin in 0..<Self.binCount { counts[bin] = min(given[bin], UInt16(Self.totalMax)) }
        total = sum
        while total > Self.totalMax { halve() }
    }

    static func bin(of idle: Instant.Span) -> Int {
        let seconds = idle.nanoseconds / 1_000_000_000
        return min(binCount - 1, UInt64.bitWidth - seconds.leadingZeroBitCount)
    }

    /// Where the bin ends; the last one, which has no end, is taken to be as wide as all before it.
    static func end(of bin: Int) -> Instant.Span { .seconds(1 << UInt64(bin)) }

    /// The function has been called after this time.
    mutating func record(_ idle: Instant.Span) {
        let bin = Self.bin(of: idle)
        counts[max(0, bin - 1)] += 1
        counts[bin] += 2
        counts[min(Self.binCount - 1, bin + 1)] += 1
        total += 4
        if total > Self.totalMax { halve() }
    }

    /// Calls per second to be expected of a function that has been idle for as long as `bin` says.
    ///
    /// If it is kept for some more time and then given up, it will have been called with a probability, and kept for
    /// an expected time; this is the largest quotient of the two, over all ends of bins. Beckmann, Chen and Cidon
    /// rank by it as hit density ("LHD: Improving Cache Hit Rate by Maximizing Hit Density", NSDI '18); taking the best
    /// end makes it the index by which Gittins ranks what competes for a resource ("Bandit Processes and Dynamic
    /// Allocation Indices", 1979).
    func callsPerSecond(from bin: Int) -> Double {
        var left = Self.never
        for bin in bin..<Self.binCount { left += Double(counts[bin]) + Self.priorPerBin }
        var called = 0.0
        var kept = 0.0
        var best = 0.0
        for bin in bin..<Self.binCount {
            let here = Double(counts[bin]) + Self.priorPerBin
            let width = bin == 0 ? 1 : Double(1 << (bin - 1))
            called += here
            // Those that are called within the bin are so halfway through it, on average.
            kept += width * (left - here / 2)
            left -= here
            best = max(best, called / kept)
        }
        return best
    }

    private var sum: Int {
        var sum = 0
        for bin in counts.indices { sum += Int(counts[bin]) }
        return sum
    }

    private mutating func halve() {
        for bin in counts.indices { counts[bin] /= 2 }
        total = sum
    }

}
