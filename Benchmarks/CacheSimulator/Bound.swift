internal import RoostBasics

/// A lower bound for the waiting of any policy, also one that knows the future.
///
/// A call is served without waiting only if the template was kept since the call before, which takes its size × that
/// time. A policy within a budget can spend budget × length of the trace altogether. The bound spends it where a byte
/// second saves most, the last purchase in part, and does not ask how much memory that takes at one moment: it is the
/// optimum of a relaxed problem. No policy with this budget waits less, and none that uses this much on average; the
/// true optimum lies somewhere above. (PFOO-L of Berger, Beckmann and Harchol-Balter, "Practical Bounds on Optimal
/// Caching with Variable Object Sizes", 2018, with load times in place of misses.)
struct Bound {
    private let waitingWithoutMemory: Double
    /// What may be bought, the best first.
    private let intervals: [(saves: Double, byteSeconds: Double)]

    init(_ trace: Trace, functions: [SimulatedFunction]) {
        var lastCall = functions.map { _ in -1.0 }
        var all = 0.0
        var intervals: [(saves: Double, byteSeconds: Double)] = []
        for arrival in trace.arrivals {
            let function = functions[arrival.function]
            all += function.loadTime.seconds
            let idle = arrival.seconds - lastCall[arrival.function]
            if lastCall[arrival.function] >= 0 {
                intervals.append((function.loadTime.seconds, Double(function.size.bytes) * idle))
            }
            lastCall[arrival.function] = arrival.seconds
        }
        waitingWithoutMemory = all
        self.intervals = intervals.sorted { $0.saves * $1.byteSeconds > $1.saves * $0.byteSeconds }
    }

    /// Seconds of waiting that no policy can avoid which uses this much memory at most, or on average.
    func waiting(bytes: Double) -> Double {
        var left = bytes * Trace.seconds
        var waiting = waitingWithoutMemory
        for (saves, byteSeconds) in intervals {
            guard byteSeconds <= left else { return waiting - saves * left / byteSeconds }
            left -= byteSeconds
            waiting -= saves
        }
        return waiting
    }
}
