public import RoostBasics

/// One item on its way through attempts: what triggers share, whether the item is a file, a due time, an event, a
/// request of the queue, or an outcome that a sink has to be told.
///
/// ```
/// pending → running → done
///    ↑         ↘ waiting → running …
///    └── dead ⟵ (permanent failure, last attempt, cancelled)
/// ```
///
/// A value without I/O: what happened goes in, with the time, and what is to be done comes out. Reports about a run
/// that is not the present one change nothing, so they may come late, twice, or in any order.
///
/// **What is promised**: an item runs at least once, and ends exactly once, done or as a dead letter; what is done never
/// runs again. It runs at most `attempts + freeInterruptions` times until it ends or a person replays it.
public struct Delivery: Hashable, Sendable {
    public enum State: Hashable, Sendable {
        /// May run. Goes to running, dead.
        case pending
        /// Goes to done, waiting, dead; back to pending when the host ended.
        case running(deadline: Instant?)
        /// Goes to running when it is due; to dead when cancelled.
        case waiting(until: Instant)
        /// The end.
        case done
        /// The end, unless a person replays it: then pending.
        case dead(DeadLetter)
    }

    public private(set) var state: State
    /// As it has to be on the disk when this state is true.
    public private(set) var record: DeliveryRecord

    public var id: DeliveryID { record.id }

    /// A new item.
    public init(id: DeliveryID, key: String, at clock: ClockReading) {
        record = DeliveryRecord(id: id, key: key, submittedWallMS: clock.wallMS)
        state = .pending
    }

    /// As it was left: by this process, or by one that ended. What that one had running is pending again, and has to be
    /// told `interrupted` by a process that runs it.
    public init(_ record: DeliveryRecord, at clock: ClockReading) {
        self.record = record
        state =
            switch record.phase {
            case .pending, .running: .pending
            case .waiting: .waiting(until: record.due(at: clock))
            case .done: .done
            case .dead: .dead(DeadLetter(cause: record.cause ?? .exhausted, reason: record.reason))
            }
    }

    /// The next attempt begins. Only for what is pending, or has waited.
    public mutating func start(_ policy: RetryPolicy, at clock: ClockReading) -> [DeliveryAction] {
        switch state {
        case .running, .done, .dead: return []
        case .pending, .waiting: break
        }
        record.phase = .running
        record.attempts += 1
        record.runs += 1
        let deadline = policy.timeout.map { clock.monotonic + $0 }
        state = .running(deadline: deadline)
        return [
            .store(record),
            .run(id, DeliveryRun(number: record.runs, attempt: record.attempts, deadline: deadline)),
        ]
    }

    /// Run number `run` has brought its result.
    public mutating func succeeded(run: Int, at clock: ClockReading) -> [DeliveryAction] {
        guard case .running = state, run == record.runs else { return [] }
        (state, record.phase, record.reason, record.endedWallMS) = (.done, .done, "", clock.wallMS)
        return [.store(record), .publish(id, .done)]
    }

    /// Run number `run` has failed.
    public mutating func failed(
        run: Int, _ failure: DeliveryFailure, _ policy: RetryPolicy, at clock: ClockReading,
        using generator: inout some RandomNumberGenerator
    ) -> [DeliveryAction] {
        guard case .running = state, run == record.runs else { return [] }
        switch failure {
        case .permanent(let reason): return die(.permanent, reason, at: clock)
        case .transient(let reason, _) where record.attempts >= policy.attempts:
            return die(.exhausted, reason, at: clock)
        case .transient(let reason, let retryAfter):
            let delay = policy.delay(after: record.attempts, retryAfter: retryAfter, using: &generator)
            wait(delay, Self.short(reason), at: clock)
            return [.store(record)]
        }
    }

    /// Ends the present run when its time is over; nothing before that.
    public mutating func tick(
        _ policy: RetryPolicy, at clock: ClockReading, using generator: inout some RandomNumberGenerator
    ) -> [DeliveryAction] {
        guard case .running(let deadline?) = state, deadline <= clock.monotonic else { return [] }
        let run = record.runs
        let length = policy.timeout.map { " within \($0)" } ?? ""
        let failure = DeliveryFailure.transient("no result\(length)")
        return [.stop(id, run: run)] + failed(run: run, failure, policy, at: clock, using: &generator)
    }

    /// The host ended while this ran, and another has it now: for a record that says running.
    ///
    /// The first times do not count as an attempt, since most that ran are not to blame. Nothing is stored while it
    /// only becomes pending: the start of the next run is, and until then there is nothing new to know.
    public mutating func interrupted(
        _ policy: RetryPolicy, at clock: ClockReading, using generator: inout some RandomNumberGenerator
    ) -> [DeliveryAction] {
        guard record.phase == .running else { return [] }
        record.interruptions += 1
        guard record.interruptions > policy.freeInterruptions else {
            record.attempts -= 1
            (state, record.phase) = (.pending, .pending)
            return []
        }
        state = .running(deadline: nil)
        let failure = DeliveryFailure.transient("the host ended while it ran, \(record.interruptions) times")
        return failed(run: record.runs, failure, policy, at: clock, using: &generator)
    }

    /// A person does not want it any more. What is running is stopped, and its result is not kept.
    public mutating func cancel(by who: String, at clock: ClockReading) -> [DeliveryAction] {
        switch state {
        case .done, .dead: return []
        case .pending, .waiting: return die(.cancelled, "cancelled by \(who)", at: clock)
        case .running:
            return [.stop(id, run: record.runs)] + die(.cancelled, "cancelled by \(who)", at: clock)
        }
    }

    /// A person wants a dead letter tried again, with all its attempts.
    public mutating func replay() -> [DeliveryAction] {
        guard case .dead = state else { return [] }
        (state, record.phase, record.cause) = (.pending, .pending, nil)
        (record.attempts, record.interruptions, record.endedWallMS) = (0, 0, 0)
        record.replays += 1
        return [.store(record)]
    }

    private mutating func wait(_ delay: Instant.Span, _ reason: String, at clock: ClockReading) {
        state = .waiting(until: clock.monotonic + delay)
        record.phase = .waiting
        record.delayMS = Int64(delay.nanoseconds / 1_000_000)
        record.dueWallMS = clock.wallMS &+ record.delayMS  // a clock that is at its end tells nothing either way
        record.reason = reason
    }

    private mutating func die(_ cause: DeadLetter.Cause, _ reason: String, at clock: ClockReading) -> [DeliveryAction] {
        let letter = DeadLetter(cause: cause, reason: Self.short(reason))
        state = .dead(letter)
        (record.phase, record.cause, record.reason) = (.dead, cause, letter.reason)
        record.endedWallMS = clock.wallMS
        return [.store(record), .publish(id, .dead(letter))]
    }

    /// What failed may say anything, at any length: of that so many characters are kept.
    private static func short(_ reason: String) -> String {
        reason.count > reasonCharactersMax ? reason.prefix(reasonCharactersMax) + "…" : reason
    }

    private static let reasonCharactersMax = 1000
}
