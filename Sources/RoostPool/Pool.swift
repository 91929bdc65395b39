public import RoostBasics

/// The instances of one version and the requests that wait for them.
///
/// A value: inputs are calls, what follows from them is pulled with `next` until that is nil. Time comes as an
/// argument. Every accepted request is answered exactly once: by a reply that `replied` lets through, by `.fail`, or
/// it is `cancelled`. Rules: DESIGN "Deadlines" and "Deaths".
public struct Pool {
    /// May change at any time; requests that were accepted keep their deadlines.
    public var settings: PoolSettings
    public var demand: Demand
    var table = RequestTable()
    var queue = RequestList()
    /// Requests with which an instance died; each runs once more, alone.
    var suspects = RequestList()
    /// In order of age.
    var instances: [Instance] = []
    var starting = 0
    /// Answers and ends that follow from the last inputs and were not pulled yet.
    var pending: [Action] = []
    /// Deaths in a row without an answer in between; each doubles the wait before the next start.
    var fruitlessDeaths = 0
    var startNotBefore = Instant(nanoseconds: 0)
    var lastUsed = Instant(nanoseconds: 0)
    private var drain = DrainRate()

    struct Instance {
        let id: InstanceID
        var outstanding = RequestList()
        var answered: UInt64 = 0
        /// When it last went from idle to busy or published a reply.
        var progressed: Instant
        /// Its ring is full; until its next reply it gets nothing.
        var isFull = false
        /// It runs a suspect and nothing beside it.
        var isReserved = false
        /// Told to end; only its exit is awaited.
        var isEnding = false
    }

    public init(settings: PoolSettings, demand: Demand = .onDemand) {
        self.settings = settings
        self.demand = demand
    }

    public var queueDepth: Int { queue.count + suspects.count }
    public var instanceCount: Int { instances.count }
    /// Nothing waits and nothing runs.
    public var isIdle: Bool { queueDepth == 0 && instances.allSatisfy(\.outstanding.isEmpty) }

    /// How many instances the version should have. The autoscaler's seam: a decision on observations alone.
    var instancesWanted: Int {
        let needed =
            switch demand {
            case .kept: max(1, settings.instancesMin)
            case .onDemand, .draining: isIdle ? 0 : 1
            }
        return min(needed, settings.instancesMax)
    }

    // MARK: requests

    /// Accepts a request, or returns nil when the queue is full; ask `retryAfterSeconds` then.
    /// - Parameter deadline: the caller's own, when that comes before the function's timeout.
    public mutating func arrived(_ id: RequestID, deadline: Instant? = nil, at now: Instant) -> Ticket? {
        guard queueDepth < settings.queueDepthMax else { return nil }
        let timesOut = now + settings.timeout
        let request = Request(id: id, arrived: now, deadline: min(deadline ?? timesOut, timesOut))
        let index = table.insert(request)
        table.append(index, to: &queue)
        lastUsed = now
        return table.ticket(index)
    }

    /// When a refused caller may come again: the time in which the present queue drains at the measured rate.
    public func retryAfterSeconds(at now: Instant) -> Int {
        min(60, max(1, Int((Double(queueDepth) * drain.secondsPerReply + 0.999))))
    }

    /// The caller has gone. Waiting requests are never executed; the reply of a running one will be dropped.
    public mutating func cancelled(_ ticket: Ticket) {
        guard table.holds(ticket) else { return }
        if table[ticket.index].instance == nil {
            dropWaiting(ticket.index)
        } else {
            table[ticket.index].isAnswered = true
        }
    }

    /// An instance answered; the ticket comes from its channel and may be anything.
    public mutating func replied(_ ticket: Ticket, by instance: InstanceID, at now: Instant) -> ReplyFate {
        guard table.holds(ticket), table[ticket.index].instance == instance, let at = position(of: instance) else {
            return .unknown
        }
        let fate: ReplyFate = table[ticket.index].isAnswered ? .drop : .deliver(table[ticket.index].id)
        table.remove(ticket.index, from: &instances[at].outstanding)
        table.release(ticket.index)
        instances[at].answered += 1
        instances[at].progressed = now
        instances[at].isFull = false
        instances[at].isReserved = false
        fruitlessDeaths = 0
        lastUsed = now
        drain.replied(at: now)
        return fate
    }

    /// The channel had no room for a dispatched request: it waits on, in front.
    public mutating func noRoom(_ ticket: Ticket, on instance: InstanceID) {
        guard let at = position(of: instance) else { return }
        table.remove(ticket.index, from: &instances[at].outstanding)
        putBack(ticket.index)
        instances[at].isReserved = false
        instances[at].isFull = true
        if instances[at].outstanding.isEmpty {
            // A ring with nothing in it has room, unless its instance writes nonsense.
            instances[at].isEnding = true
            pending.append(.kill(instance))
        }
    }

    func position(of instance: InstanceID) -> Int? { instances.firstIndex { $0.id == instance } }

    mutating func putBack(_ index: Int32) {
        table[index].instance = nil
        if table[index].isSuspect {
            table.prepend(index, to: &suspects)
        } else {
            table.prepend(index, to: &queue)
        }
    }

    mutating func dropWaiting(_ index: Int32) {
        if table[index].isSuspect {
            table.remove(index, from: &suspects)
        } else {
            table.remove(index, from: &queue)
        }
        table.release(index)
    }

    // MARK: actions

    /// What to do next; nil when there is nothing. Call until nil after any input.
    public mutating func next(at now: Instant) -> Action? {
        if let action = pending.popLast() { return action }
        if !suspects.isEmpty, let action = dispatchSuspect(at: now) { return action }
        if !queue.isEmpty, let at = leastLoaded() { return dispatch(queue.first, to: at, at: now) }
        return adjustInstances(at: now)
    }

    private mutating func dispatch(_ index: Int32, to at: Int, at now: Instant) -> Action {
        if table[index].isSuspect {
            table.remove(index, from: &suspects)
            instances[at].isReserved = true
        } else {
            table.remove(index, from: &queue)
        }
        if instances[at].outstanding.isEmpty { instances[at].progressed = now }
        table.append(index, to: &instances[at].outstanding)
        table[index].instance = instances[at].id
        return .dispatch(table.ticket(index), table[index].id, instances[at].id)
    }

    /// Suspects run on the youngest instance, which takes nothing else meanwhile.
    private mutating func dispatchSuspect(at now: Instant) -> Action? {
        guard let at = instances.lastIndex(where: { !$0.isEnding }), instances[at].outstanding.isEmpty else {
            return nil
        }
        return dispatch(suspects.first, to: at, at: now)
    }

    private func leastLoaded() -> Int? {
        let lane = suspects.isEmpty ? nil : instances.lastIndex { !$0.isEnding }
        var best: Int?
        for (at, instance) in instances.enumerated() {
            guard !instance.isEnding, !instance.isFull, !instance.isReserved, at != lane,
                instance.outstanding.count < settings.windowRequestsMax
            else { continue }
            if let found = best, instances[found].outstanding.count <= instance.outstanding.count { continue }
            best = at
        }
        return best
    }

    private mutating func adjustInstances(at now: Instant) -> Action? {
        let wanted = instancesWanted
        let present = instances.count + starting
        if present < wanted, now >= startNotBefore {
            starting += 1
            return .start
        }
        let live = instances.count { !$0.isEnding }
        guard live > wanted, demand == .draining || lastUsed + settings.idle <= now || wanted > 0,
            let at = instances.firstIndex(where: { !$0.isEnding && $0.outstanding.isEmpty })
        else { return nil }
        instances[at].isEnding = true
        return .stop(instances[at].id)
    }
}

/// How fast replies come while there is work, as a moving average.
struct DrainRate {
    private(set) var secondsPerReply = 0.01
    private var last: Instant?

    mutating func replied(at now: Instant) {
        // Pauses say nothing about speed: only gaps up to a second count.
        if let last, now - last < .seconds(1) {
            secondsPerReply += 0.05 * ((now - last).seconds - secondsPerReply)
        }
        last = now
    }
}
