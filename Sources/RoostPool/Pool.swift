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
        didSet {
            rescale()
            if demand == .draining { dropShadows() }
        }
    }
    var autoscaler: Autoscaler
    var table = RequestTable()
    var queue = RequestList()
    /// Requests with which an instance died; each runs once more, alone.
    var suspects = RequestList()
    /// Copies: one runs when nothing else wants an instance.
    var shadows = RequestList()
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
    /// Nobody waits for an answer: what still runs are copies.
    public var hasNoCallers: Bool { table.count == table.shadowCount }

    // MARK: requests

    /// Accepts a request, or returns nil when the queue is full (ask `retryAfterSeconds` then) or the pool
    /// `isQuarantined`.
    /// - Parameters:
    ///   - errand: not `.shadow`, which `copied` is for.
    ///   - isSuspect: an instance died with it, here or elsewhere: it runs alone, and not again.
    ///   - deadline: the caller's own, when that comes before the function's timeout.
    public mutating func arrived(
        _ id: RequestID, _ errand: Errand = .own, isSuspect: Bool = false, deadline: Instant? = nil, at now: Instant
    ) -> Ticket? {
        guard queueDepth < settings.queueDepthMax, !isQuarantined else { return nil }
        let timesOut = now + settings.timeout
        var request = Request(id: id, errand: errand, arrived: now, deadline: min(deadline ?? timesOut, timesOut))
        request.isSuspect = isSuspect
        let index = table.insert(request)
        if isSuspect { table.append(index, to: &suspects) } else { table.append(index, to: &queue) }
        return table.ticket(index)
    }

    /// Accepts a copy of a request that another version has answered, or returns nil: this version has better things
    /// to do, or goes away.
    public mutating func copied(at now: Instant) -> Ticket? {
        guard queueDepth == 0, shadows.count < settings.shadowsMax, !isQuarantined, !isRefused, demand != .draining
        else { return nil }
        let nobody = RequestID(rawValue: .max)
        let request = Request(id: nobody, errand: .shadow, arrived: now, deadline: now + settings.timeout)
        let index = table.insert(request)
        table.append(index, to: &shadows)
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
        if table[ticket.index].instance == nil, !table[ticket.index].isLeaving {
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
        let isShadow = table[ticket.index].errand == .shadow
        let fate: ReplyFate =
            isShadow ? .compared : table[ticket.index].isAnswered ? .drop : .deliver(table[ticket.index].id)
        table.remove(ticket.index, from: &instances[at].outstanding)
        table.release(ticket.index)
        instances[at].noteReply(isShadow: isShadow, at: now, &autoscaler)
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

    /// A dispatched request could not be handed to its instance, for reasons that lie with neither. The host answers it,
    /// or drops it when it is a copy; the ticket's index is free again.
    public mutating func withdrawn(_ ticket: Ticket, from instance: InstanceID) -> Errand? {
        guard table.holds(ticket), table[ticket.index].instance == instance, let at = position(of: instance) else {
            return nil
        }
        let errand = table[ticket.index].errand
        table.remove(ticket.index, from: &instances[at].outstanding)
        table.release(ticket.index)
        instances[at].isReserved = false
        return errand
    }

    mutating func rescale() { autoscaler.settings = settings.scaling(isQuarantined ? .draining : demand) }

    func position(of instance: InstanceID) -> Int? { instances.firstIndex { $0.id == instance } }

    mutating func putBack(_ index: Int32) {
        table[index].instance = nil
        if isQuarantined {
            giveUp(index, .quarantined)
        } else if table[index].errand == .shadow {
            table.prepend(index, to: &shadows)
        } else if table[index].isSuspect {
            table.prepend(index, to: &suspects)
        } else {
            table.prepend(index, to: &queue)
        }
    }

    mutating func dropWaiting(_ index: Int32) {
        takeWaiting(index)
        table.release(index)
    }

    /// Takes a waiting request out of its list.
    mutating func takeWaiting(_ index: Int32) {
        if table[index].errand == .shadow {
            table.remove(index, from: &shadows)
        } else if table[index].isSuspect {
            table.remove(index, from: &suspects)
        } else {
            table.remove(index, from: &queue)
        }
    }

    /// This version does not answer a request that is in no list: another one does, or its caller hears why.
    mutating func giveUp(_ index: Int32, _ failure: Failure) {
        let ticket = table.ticket(index)
        switch table[index].errand {
        case .own:
            pending.append(.fail(table[index].id, failure))
            table.release(index)
        // Its place is kept until the host is told: what it holds there is still wanted.
        case .trial:
            table[index].isLeaving = true
            pending.append(.handOver(ticket, table[index].id, isSuspect: table[index].isSuspect))
        case .shadow:
            table[index].isLeaving = true
            pending.append(.dropShadow(ticket, failure))
        }
    }

    mutating func dropShadows() {
        for index in table.indices(of: shadows) {
            takeWaiting(index)
            giveUp(index, .quarantined)
        }
    }

    // MARK: actions

    /// What to do next; nil when there is nothing. Call until nil after any input.
    public mutating func next(at now: Instant) -> Action? {
        if let action = pending.popLast() {
            switch action {
            case .handOver(let ticket, _, _), .dropShadow(let ticket, _): table.release(ticket.index)
            case .dispatch, .start, .stop, .kill, .fail, .quarantine: break
            }
            return action
        }
        // Starts come first: what has gone into a channel cannot go to the new instance any more. Copies are content
        // with one instance, whatever waits for it.
        let callers = table.count - table.shadowCount
        let wanted = autoscaler.instancesWanted(inFlight: max(callers, min(table.shadowCount, 1)), at: now)
        if instances.count - closing + starting < wanted, mayStart, deaths.startNotBefore <= now {
            starting += 1
            return .start
        }
        if !suspects.isEmpty, let action = dispatchSuspect(at: now) { return action }
        if !queue.isEmpty, let at = leastLoaded() { return dispatch(queue.first, to: at, at: now) }
        if !shadows.isEmpty, queueDepth == 0, let at = instances.lastIndex(where: \.isAtRest) {
            return dispatch(shadows.first, to: at, at: now)
        }
        return stopOne(wanted)
    }

    private mutating func dispatch(_ index: Int32, to at: Int, at now: Instant) -> Action {
        takeWaiting(index)
        if table[index].isSuspect { instances[at].isReserved = true }
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
    /// Nothing runs on it, and it could take something.
    fileprivate var isAtRest: Bool { isOpen && outstanding.isEmpty && !isFull }

    fileprivate mutating func noteReply(isShadow: Bool, at now: Instant, _ autoscaler: inout Autoscaler) {
        // Before the process ran, time was not work; and a comparison is not the work that callers bring.
        if isReady, !isShadow { autoscaler.replied(after: now - progressed) }
        answered += 1
        progressed = now
        isReady = true
        isFull = false
        isReserved = false
    }
}
