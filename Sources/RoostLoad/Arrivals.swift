internal import Glibc
public import RoostBasics

/// When requests are due: a fixed plan, which no answer and no delay changes. That is what makes a load open.
///
/// A value: a copy goes on alone and gives the same times again, so that a plan of any length needs no memory.
public struct Arrivals: Sendable {
    /// How the times lie.
    public enum Pattern: String, Hashable, Sendable, CaseIterable {
        /// All distances are equal.
        case constant
        /// Distances are exponentially distributed, as those of many independent callers are.
        case poisson
    }

    /// Requests per second.
    public let rate: Double
    /// From the first possible moment to the end of the plan, which is not in it.
    public let duration: Instant.Span
    public let pattern: Pattern
    private var random: SplitMix
    private var given = 0
    private var reached = 0.0

    /// - Parameters:
    ///   - rate: above zero.
    ///   - seed: of the random distances; a constant pattern has none.
    public init(rate: Double, duration: Instant.Span, pattern: Pattern = .constant, seed: UInt64 = 1) {
        precondition(rate > 0 && rate.isFinite, "a rate is above zero")
        (self.rate, self.duration, self.pattern) = (rate, duration, pattern)
        random = SplitMix(state: seed)
    }

    /// When the next request is due, counted from the start; nil when the plan is over.
    public mutating func next() -> Instant.Span? {
        let due: Double
        switch pattern {
        case .constant:
            // From the number, not from the one before: nothing adds up.
            due = Double(given) * 1e9 / rate
        case .poisson:
            reached -= log(1 - random.unit()) * 1e9 / rate
            due = reached
        }
        guard due < Double(duration.nanoseconds) else { return nil }
        given += 1
        return Instant.Span(nanoseconds: UInt64(due))
    }
}
