public import RoostBasics

/// Names one item of one trigger: the row that keeps it.
public struct DeliveryID: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let rawValue: Int64
    public init(rawValue: Int64) { self.rawValue = rawValue }
    public var description: String { "\(rawValue)" }
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// What stays on the disk of an item: one row, all that another process needs to go on.
///
/// The payload stands beside it and is nobody's matter here. `key` is unique within a trigger: the body inserts with
/// "or ignore", and who submits the same key again is given what is known of the first.
public struct DeliveryRecord: Hashable, Sendable {
    public enum Phase: String, Hashable, Sendable, CaseIterable {
        case pending, running, waiting, done, dead

        /// Nothing happens any more, unless a person replays a dead letter.
        public var isFinal: Bool { self == .done || self == .dead }
    }

    public let id: DeliveryID
    /// The idempotency key: for an event its source and id, for a file its name and digest, for a schedule the due time.
    public let key: String
    public let submittedWallMS: Int64
    public var phase = Phase.pending
    /// Of a waiting item: when it is due, by the wall clock, and how long it was to wait in all. Whatever the clock says
    /// later, nobody waits longer than that.
    public var dueWallMS: Int64 = 0
    public var delayMS: Int64 = 0
    /// Attempts that count, since it was submitted or replayed last; the running one among them.
    public var attempts = 0
    /// Runs of all its life: the number of the last one.
    public var runs = 0
    /// How often the host ended while it ran, since it was submitted or replayed last.
    public var interruptions = 0
    /// How often a person has brought it back from the dead letters.
    public var replays = 0
    /// Of a dead letter: why it is one.
    public var cause: DeadLetter.Cause?
    /// What the last failure said; of a dead letter, what its end said.
    public var reason = ""
    /// When it came to its end.
    public var endedWallMS: Int64 = 0

    public init(id: DeliveryID, key: String, submittedWallMS: Int64) {
        self.id = id
        self.key = key
        self.submittedWallMS = submittedWallMS
    }

    /// When a process that finds this record may run it. Wall clocks jump: a due time that has passed is now, and one
    /// that is further away than the whole delay was is the delay away.
    public func due(at clock: ClockReading) -> Instant {
        guard phase == .waiting else { return clock.monotonic }
        let (left, overflow) = dueWallMS.subtractingReportingOverflow(clock.wallMS)
        let longest = max(0, min(delayMS, Self.delayMSMax))
        let wait = overflow ? longest : min(max(0, left), longest)
        return clock.monotonic + .milliseconds(UInt64(wait))
    }

    /// No delay is longer than what a sink may ask for, whatever the row says.
    static let delayMSMax = Int64(RetryPolicy.retryAfterMax.nanoseconds / 1_000_000)
}

/// Why an item was given up.
public struct DeadLetter: Hashable, Sendable {
    public enum Cause: String, Hashable, Sendable, CaseIterable {
        /// No attempt can succeed: the input is wrong.
        case permanent
        /// The last attempt failed.
        case exhausted
        /// A person did not want it any more.
        case cancelled
    }

    public let cause: Cause
    /// In words: the last failure, or who cancelled it.
    public let reason: String

    public init(cause: Cause, reason: String) {
        self.cause = cause
        self.reason = reason
    }
}
