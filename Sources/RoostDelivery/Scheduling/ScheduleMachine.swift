/// When a schedule runs: each due time once at most, never two runs at a time, and what becomes of those that were missed.
///
/// A value without I/O; all it asks for is the wall clock, since that is what schedules are about. Whoever runs it keeps
/// `accounted` on the disk, in the transaction that submits the run, and looks again at `due`, when the run has ended,
/// and when the wall clock was set.
public struct ScheduleMachine: Hashable, Sendable {
    /// What to do about due times that nobody was there for, or that came while the last run was still going on.
    public enum Missed: String, Hashable, Sendable, CaseIterable {
        /// Nothing: the next one comes.
        case skip
        /// Run once, however many were missed.
        case once
    }

    /// What to do now.
    public enum Decision: Hashable, Sendable {
        /// Run, for this due time. Keep `accounted` with it, and tell `started`.
        case run(due: Int64)
        /// Nothing before this time, or before the run that is going on has ended.
        case wait(until: Int64)
        /// Nothing ever.
        case never
    }

    public let schedule: CronSchedule
    public let rules: TimeZoneRules
    public let missed: Missed
    /// Up to this time, in seconds since 1970 UTC, everything has run or was let go. Durable.
    public private(set) var accounted: Int64
    /// Whether a run is going on.
    public private(set) var isRunning: Bool

    /// A due time so many seconds ago is not missed: timers are late, and hosts restart.
    public static let grace: Int64 = 60
    /// A clock that goes back by more than this was wrong before, and the schedule goes by the new time; after less it
    /// waits until the clock is where it was, so that nothing runs twice. (Three hours, as in Debian's cron.)
    public static let correction: Int64 = 3 * 3600

    /// - Parameter accounted: as it was kept; for a schedule that is new, the present time.
    public init(
        _ schedule: CronSchedule, in rules: TimeZoneRules, missed: Missed, accounted: Int64, isRunning: Bool = false
    ) {
        (self.schedule, self.rules, self.missed) = (schedule, rules, missed)
        (self.accounted, self.isRunning) = (accounted, isRunning)
    }

    /// What to do at `wall`, in seconds since 1970 UTC. What was missed and is not to run counts as accounted for.
    public mutating func look(at wall: Int64) -> Decision {
        if accounted - Self.correction > wall { accounted = wall }
        guard let next = nextDue else { return .never }
        guard next <= wall, !isRunning else { return .wait(until: next) }
        guard let last = schedule.last(after: accounted, through: wall, in: rules) else { return .wait(until: next) }
        if missed == .once || wall - last <= Self.grace { return .run(due: last) }
        accounted = wall
        return nextDue.map { .wait(until: $0) } ?? .never
    }

    /// The run for `due` is on its way.
    public mutating func started(due: Int64) {
        accounted = max(accounted, due)
        isRunning = true
    }

    /// The run has ended, one way or the other.
    public mutating func ended() { isRunning = false }

    /// The next due time, as people are shown it; in the past while a run holds it up.
    public var nextDue: Int64? { schedule.next(after: accounted, in: rules) }
}
