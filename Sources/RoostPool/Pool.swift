public import RoostBasics
internal import RoostScaling

/// The instances of one version and the requests that wait for them.
///
/// A value: inputs are calls, what follows from them is pulled with `next` until that is nil. Time comes as an
/// argument. Every accepted request is answered exactly once: by a reply that `replied` lets through, by `.fail`, or
/// it is `cancelled`. How many instances there should be is the `Autoscaler`'s decision; how they come, die and go is
/// in `Pool+Instances.swift`. Rules: DESIGN "Deadlines" and "Deaths".
public struct Pool {
    /// May change at any time; requests that were accepted keep their deadlines.
    public var settings: PoolSettings {
        didSet { rescale() }
    }
    public var demand: Demand {
        didSet { rescale() }
    }
    var autoscaler: Autoscaler
    var table = RequestTable()
    var queue = RequestList()
    /// Requests with which an instance died; each runs once more, alone.
    var suspects = RequestList()
    /// In order of age.
    var instances: [Instance] = []
    var starting = 0
    /// Those of `instances` that take no more requests.
    var closing = 0
    /// Answers and ends that follow from the last inputs and were not pulled yet.
    var pending: [Action] = []
    var deaths = DeathRecord()
    /// The host had no room for another instance and has not said yet that it has.
    var isRefused = false
    /// Its instances only die: nothing is started or accepted any more.
    public internal(set) var isQuarantined = false

    struct Instance {
        let id: InstanceID
        let added: Instant
        var outstanding = RequestList()
        var answered: UInt64 = 0
        /// When it last went from idle to busy or published a reply.
        var progressed: Instant
        /// Its process runs: time since `progressed` is work.
        var isReady = false
        /// Its ring is full; until its next reply it gets nothing.
        var isFull = false
        /// It runs a suspect and nothing beside it.
        var isReserved = false
        var course = Course.open
        var isOpen: Bool { course == .open }
    }

    /// Where an instance's life goes.
    enum Course: Hashable {
        /// Takes requests. Goes to leaving, stopped, killed.
        case open
        /// Answers what it holds, for others need its room. Goes to stopped, killed.
        case leaving
        /// Told to end without work; only its exit is awaited.
        case stopped
        /// Made to end; only its exit is awaited.
        case killed
    }

    public init(settings: PoolSettings, demand: Demand = .onDemand) {
        self.settings = settings
        self.demand = demand
        autoscaler = Autoscaler(settings: settings.scaling(demand))
    }

    public var queueDepth: Int { queue.count + suspects.count }
    /// Instances that were added and have not exited.
    public var instanceCount: Int { instances.count }
    /// Nothing waits and nothing runs.
    public var isIdle: Bool { table.count == 0 }

    // MARK: requests

    /// Accepts a request, or returns nil when the queue is full (ask `retryAfterSeconds` then) or the pool
    /// `isQuarantined`.
    /// - Parameter deadline: the caller's own, when that comes before the function's timeout.
    public mutating func arrived(_ id: RequestID, deadline: Instant? = nil, at now: Instant) -> Ticket? {
        guard queueDepth < settings.queueDepthMax, !isQuarantined else { return nil }
        let timesOut = now + settings.timeout
        let request = Request(id: id, arrived: now, deadline: min(deadline ?? timesOut, timesOut))
        let index = table.insert(request)
        table.append(index, to: &queue)
        return table.ticket(index)
    }

    /// When a refused caller may come again, in seconds, 1 to 60: the time in which the present queue is taken up by
    /// the instances at the measured rate.
    ///
    /// The rate is that of replies per time in which an instance is busy, so that pauses do not count, batches count
    /// with what one of their requests costs, and each instance counts once.
    /// - Parameter loading: how long the version still has to load before an instance can start; zero when it need not.
    public func retryAfterSeconds(at now: Instant, loading: Instant.Span = .zero) -> Int {
        let open = instances.count - closing
        let serving = max(1, open + starting)
        let rounds = (queueDepth + serving - 1) / serving
        let start = open > 0 ? .zero : max(loading, deaths.startNotBefore - now)
        return Int(min(60, max(1, start.seconds + Double(rounds) * autoscaler.serviceTime.seconds)).rounded(.up))
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
        instances[at].noteReply(at: now, &autoscaler)
        deaths.answered()
        return fate
    }

    /// The channel had no room for a dispatched request: it waits on, in front.
    public mutating func noRoom(_ ticket: Ticket, on instance: InstanceID) {
        guard let at = position(of: instance) else { return }
        table.remove(ticket.index, from: &instances[at].outstanding)
        putBack(ticket.index)
        instances[at].isReserved = false
        instances[at].isFull = true
        // A ring with nothing in it has room, unless its instance writes nonsense.
        if instances[at].outstanding.isEmpty { kill(at) }
    }

    mutating func rescale() { autoscaler.settings = settings.scaling(isQuarantined ? .draining : demand) }

    func position(of instance: InstanceID) -> Int? { instances.firstIndex { $0.id == instance } }

    mutating func putBack(_ index: Int32) {
        table[index].instance = nil
        if isQuarantined {
            pending.append(.fail(table[index].id, .quarantined))
            table.release(index)
        } else if table[index].isSuspect {
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
        // Starts come first: what has gone into a channel cannot go to the new instance any more.
        let wanted = autoscaler.instancesWanted(inFlight: table.count, at: now)
        if instances.count - closing + starting < wanted, mayStart, deaths.startNotBefore <= now {
            starting += 1
            return .start
        }
        if !suspects.isEmpty, let action = dispatchSuspect(at: now) { return action }
        if !queue.isEmpty, let at = leastLoaded() { return dispatch(queue.first, to: at, at: now) }
        return stopOne(wanted)
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
        guard let at = instances.lastIndex(where: \.isOpen), instances[at].outstanding.isEmpty else { return nil }
        return dispatch(suspects.first, to: at, at: now)
    }

    private func leastLoaded() -> Int? {
        let lane = suspects.isEmpty ? nil : instances.lastIndex(where: \.isOpen)
        var best: Int?
        var least = settings.windowRequestsMax
        for at in instances.indices where instances[at].outstanding.count < least {
            guard instances[at].isOpen, !instances[at].isFull, !instances[at].isReserved, at != lane else { continue }
            best = at
            least = instances[at].outstanding.count
        }
        return best
    }
}

extension Pool.Instance {
    fileprivate mutating func noteReply(at now: Instant, _ autoscaler: inout Autoscaler) {
        // Before the process ran, time was not work.
        if isReady { autoscaler.replied(after: now - progressed) }
        answered += 1
        progressed = now
        isReady = true
        isFull = false
        isReserved = false
    }
}
