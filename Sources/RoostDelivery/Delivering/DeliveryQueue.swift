public import RoostBasics

/// The items of one trigger: how many run at a time, in which order, and how many may wait.
///
/// A value without I/O, as `Delivery` is. In memory are only ids and due times of what waits (about a hundred bytes
/// each), and whole items only while they run: an item that is due is first read back by `load`. Items run in the order
/// in which they become due; a new one is due when it is submitted, so nobody overtakes who waits longer.
///
/// **A restart**: the body tells `restored` for each row that is not final, in the order of ids, and goes on. A row that
/// says running is taken for interrupted when its turn comes.
///
/// **Submitting** takes three steps: `reserve` a place, insert the row with its payload, and when that is on the disk
/// tell `submitted`, or `unreserve` when the key was there already.
public struct DeliveryQueue: Hashable, Sendable {
    /// What one trigger may take of the host.
    public struct Limits: Hashable, Sendable {
        /// Items that run at the same time.
        public var concurrency: Int
        /// Items that are not yet done or dead; beyond it nothing is accepted.
        public var capacity: Int

        public init(concurrency: Int = 16, capacity: Int = 10_000) {
            self.concurrency = concurrency
            self.capacity = capacity
        }
    }

    /// May change at any time: counts of attempts stay, and are held against the new one.
    public var policy: RetryPolicy
    /// May change at any time; what runs or waits beyond a smaller limit is not touched.
    public var limits: Limits

    private(set) var waiting = DueHeap()
    /// Rows that are being read, and what for.
    private(set) var loading: [DeliveryID: Purpose] = [:]
    private(set) var running: [DeliveryID: Delivery] = [:]
    private var reserved = 0

    enum Purpose: Hashable, Sendable {
        case start
        case cancel(by: String)
        case replay
    }

    public init(policy: RetryPolicy, limits: Limits) {
        self.policy = policy
        self.limits = limits
    }

    /// Items that wait for their turn or their time.
    public var waitingCount: Int { waiting.count + loading.count }
    public var runningCount: Int { running.count }
    /// Nothing to do, now and later, until somebody submits.
    public var isIdle: Bool { waiting.count + loading.count + running.count + reserved == 0 }

    private var hasSlot: Bool {
        running.count + loading.values.count { $0 == .start } < limits.concurrency
    }

    /// When the first of those that wait is due, which may be past while all places are taken.
    public var nextDue: Instant? { waiting.first?.due }

    /// When to call `tick`: the next deadline, or the next item's time where there is a place to run it.
    public var wakeAt: Instant? {
        var earliest = hasSlot ? waiting.first?.due : nil
        for delivery in running.values {
            if case .running(let deadline?) = delivery.state { earliest = min(earliest ?? deadline, deadline) }
        }
        return earliest
    }

    // MARK: Submitting

    /// A place for one more.
    /// - Throws: `overloaded` when the backlog is full.
    public mutating func reserve() throws(RoostError) {
        let backlog = waiting.count + loading.count + running.count + reserved
        guard backlog < limits.capacity else {
            throw RoostError(
                .overloaded, "the backlog is full: \(backlog) items wait or run, the most is \(limits.capacity)")
        }
        reserved += 1
    }

    /// The place is not needed: the key was known, or the disk refused.
    public mutating func unreserve() { reserved = max(0, reserved - 1) }

    /// The row of a new item is on the disk; its place was reserved.
    public mutating func submitted(_ record: DeliveryRecord, at clock: ClockReading) -> [DeliveryAction] {
        unreserve()
        // A person was faster than the disk's acknowledgement, and wants replayed what has not even begun.
        let isAsked = loading.removeValue(forKey: record.id) != nil
        let refusal: [DeliveryAction] = isAsked ? [.refuse(record.id, Self.noDeadLetter(record.id))] : []
        let isFirst = waiting.first.map { $0.due > clock.monotonic } ?? true
        if isFirst, hasSlot { return refusal + start(Delivery(record, at: clock), at: clock) }
        waiting.insert(record.id, due: clock.monotonic)
        return refusal + proceed(at: clock)
    }

    /// A row of the process before, which is not final. Nothing runs before `tick`. One that is here already is left
    /// as it is.
    public mutating func restored(_ record: DeliveryRecord, at clock: ClockReading) {
        let id = record.id
        guard !record.phase.isFinal, running[id] == nil, loading[id] == nil, !waiting.contains(id) else { return }
        waiting.insert(record.id, due: record.due(at: clock))
    }

    // MARK: Running

    /// Something may be due.
    public mutating func tick(
        at clock: ClockReading, using generator: inout some RandomNumberGenerator
    ) -> [DeliveryAction] {
        var actions: [DeliveryAction] = []
        let policy = policy
        for id in running.keys.sorted() {
            actions += change(id, at: clock) { $0.tick(policy, at: clock, using: &generator) }
        }
        return actions + proceed(at: clock)
    }

    /// Run number `run` has brought its result.
    public mutating func succeeded(_ id: DeliveryID, run: Int, at clock: ClockReading) -> [DeliveryAction] {
        change(id, at: clock) { $0.succeeded(run: run, at: clock) } + proceed(at: clock)
    }

    /// Run number `run` has failed.
    public mutating func failed(
        _ id: DeliveryID, run: Int, _ failure: DeliveryFailure, at clock: ClockReading,
        using generator: inout some RandomNumberGenerator
    ) -> [DeliveryAction] {
        let policy = policy
        return change(id, at: clock) { $0.failed(run: run, failure, policy, at: clock, using: &generator) }
            + proceed(at: clock)
    }

    /// The row that was asked for; nil when there is none any more.
    public mutating func loaded(
        _ id: DeliveryID, _ record: DeliveryRecord?, at clock: ClockReading,
        using generator: inout some RandomNumberGenerator
    ) -> [DeliveryAction] {
        guard let purpose = loading.removeValue(forKey: id) else { return [] }
        var actions: [DeliveryAction] = []
        if let record {
            var delivery = Delivery(record, at: clock)
            switch purpose {
            case .start:
                actions = delivery.interrupted(policy, at: clock, using: &generator)
                actions += actions.isEmpty ? start(delivery, at: clock) : keep(delivery, at: clock)
            case .cancel(let who):
                actions = delivery.cancel(by: who, at: clock)
            case .replay:
                actions = delivery.replay()
                actions += actions.isEmpty ? [.refuse(id, Self.noDeadLetter(id))] : keep(delivery, at: clock)
            }
        } else if purpose != .start {
            actions = [.refuse(id, RoostError(.notFound, "there is no item \(id)"))]
        }
        return actions + proceed(at: clock)
    }

    // MARK: People

    /// A person does not want it any more.
    /// - Throws: `conflict` when it is neither waiting nor running here.
    public mutating func cancel(
        _ id: DeliveryID, by who: String, at clock: ClockReading
    ) throws(RoostError) -> [DeliveryAction] {
        if running[id] != nil { return change(id, at: clock) { $0.cancel(by: who, at: clock) } + proceed(at: clock) }
        if waiting.remove(id) {
            loading[id] = .cancel(by: who)
            return [.load(id)]
        }
        guard let purpose = loading[id], purpose != .replay else {
            throw RoostError(.conflict, "item \(id) neither waits nor runs: there is nothing to cancel")
        }
        loading[id] = .cancel(by: who)
        return []
    }

    /// A person wants a dead letter tried again. Whether it is one turns out when its row is read.
    /// - Throws: `overloaded` when the backlog is full, `conflict` when it waits or runs already.
    public mutating func replay(_ id: DeliveryID) throws(RoostError) -> [DeliveryAction] {
        guard running[id] == nil, loading[id] == nil, !waiting.contains(id) else { throw Self.noDeadLetter(id) }
        try reserve()
        unreserve()
        loading[id] = .replay
        return [.load(id)]
    }

    private static func noDeadLetter(_ id: DeliveryID) -> RoostError {
        RoostError(.conflict, "item \(id) is no dead letter: there is nothing to replay")
    }

    // MARK: Inside

    private mutating func start(_ delivery: Delivery, at clock: ClockReading) -> [DeliveryAction] {
        var delivery = delivery
        let actions = delivery.start(policy, at: clock)
        if !actions.isEmpty { running[delivery.id] = delivery }
        return actions
    }

    /// Puts it where its state belongs.
    private mutating func keep(_ delivery: Delivery, at clock: ClockReading) -> [DeliveryAction] {
        switch delivery.state {
        case .waiting(let due): waiting.insert(delivery.id, due: due)
        case .pending: waiting.insert(delivery.id, due: clock.monotonic)
        case .running, .done, .dead: break
        }
        return []
    }

    private mutating func change(
        _ id: DeliveryID, at clock: ClockReading, _ body: (inout Delivery) -> [DeliveryAction]
    ) -> [DeliveryAction] {
        guard var delivery = running[id] else { return [] }
        let actions = body(&delivery)
        if case .running = delivery.state { return actions }
        running[id] = nil
        return actions + keep(delivery, at: clock)
    }

    /// Reads what is due, as far as there are places to run it.
    private mutating func proceed(at clock: ClockReading) -> [DeliveryAction] {
        var actions: [DeliveryAction] = []
        while hasSlot, let first = waiting.first, first.due <= clock.monotonic, let id = waiting.popFirst() {
            loading[id] = .start
            actions.append(.load(id))
        }
        return actions
    }
}
