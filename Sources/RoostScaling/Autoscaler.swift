public import RoostBasics

/// How many instances a version should have: one decision on what was observed.
///
/// A value; time comes as an argument, and nothing is allocated once the largest number was reached.
///
/// **Up at once.** Forking is cheap, so there is no window to wait for and no rate to keep: one more instance is wanted
/// when the newest request would wait longer for its turn than a start costs. With n instances and r requests in
/// flight, c of them allowed in each instance, that wait is (r − c·n) · service ÷ n; it does not exceed the cost of a
/// start when n ≥ r ÷ (start ÷ service + c). Service time and cost of a start are measured.
///
/// **Down after `idle`.** For each number of instances the moment is kept at which more were last needed; those that
/// were not needed for `idle` go, down to the minimum, unless the others would have been busy for nearly all of that
/// time. So the number follows the load's peaks and does not swing with its noise: in `idle` each number of instances
/// is reached once at most.
public struct Autoscaler: Sendable {
    public var settings: AutoscalerSettings {
        didSet { isStale = true }
    }
    private var service = ServiceTime()
    private var start = StartCost()
    /// Requests in flight that one instance takes before another is worth its start; of the last estimates.
    private var share = 1.0
    private var isStale = true
    /// What the load needed when it was last looked at.
    private var needed = 0
    /// How many are wanted for what was needed within `idle`; never less than `needed`.
    private var held = 0
    /// When anything was last in flight, unless something is.
    private var lastBusy = Instant(nanoseconds: 0)
    /// At k - 1: when more than k instances were last needed, for k from `needed` up to `held`; falls with k.
    private var higher: [Moment] = []
    /// What all instances together have worked, in nanoseconds.
    private var worked: UInt64 = 0
    /// How much of the time an instance may be busy for a load that fewer are to carry.
    private static let utilisationMax = 0.7

    private struct Moment {
        var at: Instant
        /// What had been worked by then.
        var worked: UInt64
    }

    public init(settings: AutoscalerSettings) { self.settings = settings }

    // MARK: observations

    /// A reply came from an instance that has been busy for `gap` since its last one, or since it had nothing to do.
    public mutating func replied(after gap: Instant.Span) {
        service.replied(after: gap)
        worked &+= gap.nanoseconds
        isStale = true
    }

    /// So many requests are in instances that have been busy together for `busy` without any reply. Until the next one.
    public mutating func running(_ requests: Int, for busy: Instant.Span) {
        service.running(requests, for: busy)
        isStale = true
    }

    /// An instance was of use so long after it was asked for; without what loading took, if the next one need not load.
    public mutating func started(after cost: Instant.Span) {
        start.started(after: cost)
        isStale = true
    }

    /// The measured time that an instance is busy for one reply; 1 ms before there was one.
    public var serviceTime: Instant.Span { Instant.Span(nanoseconds: UInt64(service.nanoseconds)) }

    /// The measured time until one more instance is of use; 1 ms before there was one.
    public var startCost: Instant.Span { Instant.Span(nanoseconds: UInt64(start.nanoseconds)) }

    // MARK: the decision

    /// How many instances there should be, with `inFlight` requests waiting or running.
    ///
    /// Between two looks the load is taken to have stayed what it was at the first: look after each change.
    public mutating func instancesWanted(inFlight: Int, at now: Instant) -> Int {
        let need = instancesNeeded(inFlight)
        if need != needed {
            // Nearly always: nothing was in flight, or nothing is any more.
            if need + needed == 1 {
                lastBusy = now
                held = max(held, 1)
            } else {
                change(to: need, at: now)
            }
            needed = need
        }
        while held > needed, lastNeeded(held - 1) + settings.idle <= now, lapses(held - 1, at: now) { held -= 1 }
        return lastWanted
    }

    /// What `instancesWanted` said when it was last asked, with the present settings.
    public var lastWanted: Int { min(max(held, settings.instancesMin), settings.instancesMax) }

    /// When fewer than `count` instances will be wanted though nothing changes; nil when that will not be.
    public func lapse(of count: Int) -> Instant? {
        guard count > needed, count > settings.instancesMin, count <= min(held, settings.instancesMax) else {
            return nil
        }
        let lapse = lastNeeded(count - 1) + settings.idle
        return isBusy(count - 1, at: lapse) ? lapse + settings.idle : lapse
    }

    /// Others need the room more: of what was needed before, not more than `count` instances are held from now on.
    public mutating func release(to count: Int) { held = max(needed, min(held, count)) }

    private mutating func instancesNeeded(_ inFlight: Int) -> Int {
        // One instance is there for at least one request.
        guard inFlight > 1 else { return inFlight }
        if isStale {
            share = start.nanoseconds / max(1, service.nanoseconds) + Double(max(1, settings.concurrency))
            isStale = false
        }
        let requests = Double(inFlight)
        guard requests > share else { return 1 }
        return min(settings.instancesMax, Int((requests / share).rounded(.up)))
    }

    private mutating func change(to need: Int, at now: Instant) {
        let moment = Moment(at: now, worked: worked)
        while higher.count < max(need, needed) - 1 { higher.append(moment) }
        if need == 0 { lastBusy = now }
        for level in max(1, min(need, needed))..<max(1, needed) { higher[level - 1] = moment }
        held = max(held, need)
    }

    /// Whether `level` instances are enough from now on; more were not needed for `idle`.
    private mutating func lapses(_ level: Int, at now: Instant) -> Bool {
        guard isBusy(level, at: now) else { return true }
        for lower in max(1, needed)...level { higher[lower - 1] = Moment(at: now, worked: worked) }
        return false
    }

    /// Whether `level` instances would have been too busy with what was done since more were last needed: requests that
    /// are short against a start never wait for long enough to need another instance while there are too many.
    private func isBusy(_ level: Int, at now: Instant) -> Bool {
        guard level > 0, settings.idle > .zero else { return false }
        let since = higher[level - 1]
        return Double(worked &- since.worked)
            > Self.utilisationMax * Double(level) * Double((now - since.at).nanoseconds)
    }

    /// When more than `level` instances were last needed, if that is less than `held` and not less than `needed`.
    private func lastNeeded(_ level: Int) -> Instant { level == 0 ? lastBusy : higher[level - 1].at }
}
