internal import RoostBasics

/// What a policy cost on one trace.
struct Outcome {
    var coldStarts = 0
    /// Load time that calls paid, in seconds.
    var waiting = 0.0
    /// Memory × time of templates that were there, in byte seconds.
    var byteSeconds = 0.0
    /// Most memory at one time.
    var bytesMax = 0.0

    /// On average over the trace.
    var bytesMean: Double { byteSeconds / Trace.seconds }
}

/// Memory in use, as it changes with time.
struct MemoryMeter {
    private(set) var bytes = 0.0
    private(set) var bytesMax = 0.0
    private(set) var byteSeconds = 0.0
    private var since = 0.0

    mutating func add(_ change: Double, at seconds: Double) {
        byteSeconds += bytes * (seconds - since)
        since = seconds
        bytes += change
        bytesMax = max(bytesMax, bytes)
    }
}

/// A way to decide which templates stay.
///
/// A load takes no time in the simulation, it only costs: the next call of the same function finds it done.
protocol Policy {
    var memory: MemoryMeter { get set }
    /// A function is called. Returns whether its template was there; afterwards it is.
    mutating func call(_ function: Int, at arrival: Arrival) -> Bool
    /// The trace is over.
    mutating func end(at seconds: Double)
}

extension Policy {
    mutating func end(at seconds: Double) { memory.add(0, at: seconds) }

    /// Runs a trace through the policy.
    consuming func replay(_ trace: Trace, functions: [SimulatedFunction]) -> Outcome {
        var outcome = Outcome()
        for arrival in trace.arrivals where !call(arrival.function, at: arrival) {
            outcome.coldStarts += 1
            outcome.waiting += functions[arrival.function].loadTime.seconds
        }
        end(at: Trace.seconds)
        outcome.byteSeconds = memory.byteSeconds
        outcome.bytesMax = memory.bytesMax
        return outcome
    }
}
