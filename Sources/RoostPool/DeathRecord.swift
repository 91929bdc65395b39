internal import RoostBasics

/// How a version's starts went since its last answer, and how long the next one has to wait.
struct DeathRecord {
    /// No instance is started before.
    private(set) var startNotBefore = Instant(nanoseconds: 0)
    /// Deaths in a row without an answer in between, each of an instance that came after the death before: those that
    /// go down together, whatever took them, are one.
    private(set) var inARow = 0
    /// Deaths and failed starts; each doubles the wait.
    private var fruitless = 0
    /// Starts that failed through no fault of the version.
    private var hindered = 0
    private var last: Instant?

    mutating func answered() {
        inARow = 0
        fruitless = 0
        hindered = 0
    }

    /// An instance that never answered has ended, and nobody had told it to.
    mutating func died(added: Instant, at now: Instant) {
        if let last, inARow > 0, added < last { return }
        last = now
        inARow += 1
        delayNextStart(at: now)
    }

    /// - Parameter isBlameless: for reasons that lie outside of the version. Trying costs little then, and the reason may
    ///   be gone any moment: the wait never grows.
    mutating func startFailed(isBlameless: Bool, at now: Instant) {
        guard isBlameless else { return delayNextStart(at: now) }
        hindered += 1
        if hindered > 1 { startNotBefore = max(startNotBefore, now + Self.hinderedDelay) }
    }

    private static let hinderedDelay = Instant.Span.milliseconds(250)

    /// The first failure costs nothing; then 100 ms, doubling, at most 30 s.
    private mutating func delayNextStart(at now: Instant) {
        fruitless += 1
        guard fruitless > 1 else { return }
        startNotBefore = now + .milliseconds(min(30_000, 100 << UInt64(min(fruitless - 2, 10))))
    }
}
