internal import RoostBasics

/// How long an instance is busy for one reply, in nanoseconds.
///
/// The quotient of two sums in which older samples fade, rather than an average of times: the replies of one batch come
/// together, the first after the whole time of the batch and the others after none, and only both sums together say
/// what one of them cost.
struct ServiceTime: Sendable {
    private var busy = Double(Instant.Span.milliseconds(1).nanoseconds)
    private var replies = 1.0
    private var isMeasured = false
    /// What runs and has not answered yet: time and requests.
    private var runningBusy = 0.0
    private var runningCount = 0.0
    /// The share of the sums that a new batch leaves: about the last sixteen batches count.
    private static let kept = 15.0 / 16

    mutating func replied(after gap: Instant.Span) {
        if !isMeasured { (busy, replies, isMeasured) = (0, 0, true) }
        if gap > .zero {
            busy = busy * Self.kept + Double(gap.nanoseconds)
            replies *= Self.kept
        }
        replies += 1
        (runningBusy, runningCount) = (0, 0)
    }

    mutating func running(_ requests: Int, for busy: Instant.Span) {
        (runningBusy, runningCount) = (Double(busy.nanoseconds), Double(requests))
    }

    /// Work that runs on without an answer counts as soon as it makes the estimate larger: a model that has become slow
    /// would otherwise be noticed only by its answers.
    var nanoseconds: Double {
        let known = busy / replies
        guard runningCount > 0 else { return known }
        let running = isMeasured ? (busy + runningBusy) / (replies + runningCount) : runningBusy / runningCount
        return max(known, running)
    }
}

/// How long it takes until one more instance is of use, in nanoseconds: a moving average.
struct StartCost: Sendable {
    private(set) var nanoseconds = Double(Instant.Span.milliseconds(1).nanoseconds)
    private var isMeasured = false

    mutating func started(after cost: Instant.Span) {
        // Below a microsecond nothing starts; and the quotient with the service time stays a number.
        let sample = max(1000, Double(cost.nanoseconds))
        nanoseconds = isMeasured ? nanoseconds + 0.25 * (sample - nanoseconds) : sample
        isMeasured = true
    }
}
