internal import RoostBasics
internal import RoostDelivery
internal import RoostJSON

/// The items of one owner as the host has them: the pure queue, and what belongs to it in memory.
///
/// Belongs to the loop; `Deliveries` acts on it.
final class DeliveryLane {
    let owner: DeliveryOwner
    var settings: DeliverySettings
    /// Carries one item out.
    var onRun: (RunningDelivery) -> Void
    /// Adds what only its kind knows to its status.
    var onStatus: (inout JSONObject) -> Void = { _ in }
    var queue: DeliveryQueue
    /// The manifest has it no more: what runs comes to its end, nothing else begins.
    var isStopped = false
    var tally = DeliveryTally()

    /// Read for a run that is about to begin.
    var payloads: [DeliveryID: [UInt8]] = [:]
    var runs: [DeliveryID: RunningDelivery] = [:]
    /// Who waits for the end of an item.
    var watchers: [DeliveryID: [(DeliveryOutcome, DeliveryOutput) -> Void]] = [:]
    /// Who waits to hear that a command is on the disk, which is when the item is written in that phase.
    var askers: [DeliveryID: [Asker]] = [:]

    struct Asker {
        let phase: DeliveryRecord.Phase
        let then: (RoostError?) -> Void
    }

    init(_ owner: DeliveryOwner, _ settings: DeliverySettings, onRun: @escaping (RunningDelivery) -> Void) {
        self.owner = owner
        self.settings = settings
        self.onRun = onRun
        queue = DeliveryQueue(policy: settings.policy, limits: settings.limits)
    }

    /// - Parameter isHeld: nothing may begin yet.
    func applyLimits(isHeld: Bool) {
        queue.policy = settings.policy
        queue.limits = settings.limits
        if isHeld || isStopped { queue.limits.concurrency = 0 }
    }

    /// A command is on the disk, or will not be.
    func answer(_ id: DeliveryID, phase: DeliveryRecord.Phase?, _ error: RoostError?) {
        guard let waiting = askers[id] else { return }
        let rest = waiting.filter { phase != nil && $0.phase != phase }
        askers[id] = rest.isEmpty ? nil : rest
        for asker in waiting where phase == nil || asker.phase == phase { asker.then(error) }
    }
}

/// What an owner's items may take, and how long they are remembered.
struct DeliverySettings: Hashable, Sendable {
    var policy: RetryPolicy
    var limits = DeliveryQueue.Limits()
    /// How long what is done is remembered, and with it which keys were there.
    var keep = Instant.Span.seconds(86_400)

    /// Dead letters wait for a person, so they are kept for at least a month.
    var keepDead: Instant.Span { max(keep, .seconds(30 * 86_400)) }
}

/// What has become of an owner's items since the host started, and what is kept of them.
struct DeliveryTally {
    enum Outcome: String, Hashable, Sendable, CaseIterable {
        case done
        /// An attempt that will be followed by another.
        case retried
        case dead
        case cancelled
        /// A submission whose key was known.
        case duplicate
        /// A submission that found no room.
        case refused
    }

    private(set) var counts: [Outcome: Int] = [:]
    /// Kept on the disk.
    var done = 0
    var dead = 0
    /// The last end or failure of an item, in words, and when.
    private(set) var last: (outcome: Outcome, id: DeliveryID, reason: String, unixSeconds: Int)?

    subscript(outcome: Outcome) -> Int { counts[outcome] ?? 0 }

    mutating func count(_ outcome: Outcome) { counts[outcome, default: 0] += 1 }

    mutating func note(_ outcome: Outcome, _ id: DeliveryID, _ reason: String, at unixSeconds: Int) {
        count(outcome)
        last = (outcome, id, reason, unixSeconds)
    }
}

extension DeliveryLane {
    /// For `status`.
    func status(at clock: ClockReading) -> JSONValue {
        var object = JSONObject([
            ("name", .string(owner.label)), ("type", .string(owner.kind.rawValue)),
            ("waiting", .integer(queue.waitingCount)), ("running", .integer(queue.runningCount)),
            ("done", .integer(tally.done)), ("dead", .integer(tally.dead)),
            (
                "outcomes",
                .object(JSONObject(DeliveryTally.Outcome.allCases.map { ($0.rawValue, .integer(tally[$0])) }))
            ),
        ])
        if let last = tally.last {
            var said = JSONObject([
                ("outcome", .string(last.outcome.rawValue)), ("id", .string(last.id.description)),
                ("at", .integer(last.unixSeconds)),
            ])
            if !last.reason.isEmpty { said["reason"] = .string(last.reason) }
            object["last"] = .object(said)
        }
        if let due = queue.nextDue {
            let left = Int64((due - clock.monotonic).nanoseconds / 1_000_000)
            object["next_due"] = .integer(Int((clock.wallMS + left) / 1000))
        }
        onStatus(&object)
        return .object(object)
    }
}
