public import RoostBasics
internal import RoostScaling

extension Pool {
    // MARK: coming

    /// A started instance can take requests, though its process may not run yet.
    public mutating func instanceAdded(_ id: InstanceID, at now: Instant) {
        starting -= 1
        instances.append(Instance(id: id, added: now, progressed: now))
    }

    /// The instance's process runs.
    /// - Parameter cost: what that took, and will take for another one: of a version that can be forked without what
    ///   loading took. Nil when it ran before it was asked for.
    public mutating func instanceReady(_ id: InstanceID, after cost: Instant.Span?, at now: Instant) {
        if let cost { autoscaler.started(after: cost) }
        guard let at = position(of: id), !instances[at].isReady else { return }
        instances[at].isReady = true
        instances[at].progressed = now
    }

    /// No instance came of a `.start`.
    /// - Parameter isBlameless: the version has no part in it: the host has no descriptors left, or its processes were
    ///   lost. It is tried again soon, however often that was in vain.
    public mutating func startFailed(isBlameless: Bool = false, at now: Instant) {
        starting -= 1
        deaths.startFailed(isBlameless: isBlameless, at: now)
        guard instances.isEmpty else { return }
        // Others need not wait for the next try.
        for index in (table.indices(of: queue) + table.indices(of: suspects)).reversed()
        where table[index].errand == .trial {
            takeWaiting(index)
            giveUp(index, .death)
        }
        dropShadows()
    }

    /// The host has no room for the instance of a `.start`. None is asked for again until `mayStart` is called, which
    /// every pool that was refused has to hear some time.
    public mutating func startRefused(at now: Instant) {
        starting -= 1
        isRefused = true
        guard !shadows.isEmpty else { return }
        dropShadows()
        // Otherwise an instance would be asked for that they wanted and nobody else does.
        guard hasNoCallers else { return }
        _ = autoscaler.instancesWanted(inFlight: 0, at: now)
        autoscaler.release(to: instances.count - closing + starting)
    }

    /// The host may have room for another instance.
    public mutating func mayStart(at now: Instant) { isRefused = false }

    /// Requests, or the minimum, need an instance for which the host had no room; as of the last `next`.
    public var isWaitingForStart: Bool {
        isRefused && !isQuarantined && instances.count - closing + starting < autoscaler.lastWanted
    }

    /// Whether nothing but time keeps one more instance from being started.
    var mayStart: Bool { !isRefused && !isQuarantined && instances.count + starting < settings.instancesMax }

    // MARK: going

    /// Others need the room of an instance more. One without work is stopped at once; if all have work, the one with
    /// the least gets no more of it and is stopped when it has answered what it holds.
    /// - Returns: the one that goes; nil when all there are go already.
    public mutating func giveUpOne(at now: Instant) -> InstanceID? {
        // The youngest of those with the least: `min` would find the oldest.
        let open = instances.indices.filter { instances[$0].isOpen }.reversed()
        guard let at = open.min(by: { instances[$0].outstanding.count < instances[$1].outstanding.count }) else {
            return nil
        }
        close(at, .leaving)
        autoscaler.release(to: instances.count - closing)
        return instances[at].id
    }

    /// Instances without work that could be given up.
    public var idleInstanceCount: Int { instances.count { $0.isOpen && $0.outstanding.isEmpty } }

    /// Stops an instance that nobody needs: never one with work, and the youngest first.
    mutating func stopOne(_ wanted: Int) -> Action? {
        guard closing > 0 || instances.count - closing > wanted else { return nil }
        let isTooMany = instances.count - closing > wanted
        let found = instances.lastIndex { instance in
            guard instance.outstanding.isEmpty else { return false }
            return instance.course == .leaving || (instance.isOpen && isTooMany)
        }
        guard let at = found else { return nil }
        close(at, .stopped)
        return .stop(instances[at].id)
    }

    mutating func kill(_ at: Int) {
        close(at, .killed)
        pending.append(.kill(instances[at].id))
    }

    private mutating func close(_ at: Int, _ course: Course) {
        if instances[at].isOpen { closing += 1 }
        instances[at].course = course
    }

    /// An instance has ended, for whatever reason.
    ///
    /// Frames that it never took go back to the head of the queue, without blame. Those that it took run once more,
    /// each alone; one that was alone already has failed for good. Those with which traffic tried the version are
    /// answered by another one.
    /// - Parameter taken: whether it had begun to work on the request.
    public mutating func instanceExited(_ id: InstanceID, taken: (Ticket) -> Bool, at now: Instant) {
        guard let at = position(of: id) else { return }
        let dead = instances.remove(at: at)
        if !dead.isOpen { closing -= 1 }
        if dead.course != .stopped, dead.answered == 0 { deaths.died(added: dead.added, at: now) }
        for index in table.indices(of: dead.outstanding).reversed() {
            if table[index].isAnswered {
                table.release(index)
            } else if !taken(table.ticket(index)) {
                putBack(index)
            } else if table[index].errand == .shadow {
                giveUp(index, .death)
            } else if table[index].isSuspect || !settings.retry {
                pending.append(.fail(table[index].id, .death))
                table.release(index)
            } else if table[index].errand == .trial {
                table[index].isSuspect = true
                giveUp(index, .death)
            } else {
                table[index].isSuspect = true
                putBack(index)
            }
        }
        if deaths.inARow >= settings.quarantineAfter { quarantine() }
    }

    // MARK: giving up

    private mutating func quarantine() {
        guard !isQuarantined else { return }
        isQuarantined = true
        rescale()
        // Taken up from the end, so that the oldest is the first to be handed over.
        for index in (table.indices(of: queue) + table.indices(of: suspects)).reversed() {
            takeWaiting(index)
            giveUp(index, .quarantined)
        }
        dropShadows()
        pending.append(.quarantine)
    }

    /// Somebody wants the version tried again.
    public mutating func liftQuarantine() {
        isQuarantined = false
        deaths = DeathRecord()
        rescale()
    }

    // MARK: time

    /// Looks at the clock: answers what is too late, ends instances that no longer come back.
    ///
    /// Call at least every `resolution` while the pool is not idle; callers get their 504 that much early at most.
    public mutating func tick(at now: Instant, resolution: Instant.Span) {
        let limit = now + resolution
        for index in table.indices(of: queue) + table.indices(of: suspects) where table[index].deadline <= limit {
            pending.append(.fail(table[index].id, .timeout))
            dropWaiting(index)
        }
        for index in table.indices(of: shadows) where table[index].deadline <= limit {
            takeWaiting(index)
            giveUp(index, .timeout)
        }
        var running = (requests: 0, busy: Instant.Span.zero)
        for at in instances.indices where !instances[at].outstanding.isEmpty {
            for index in table.indices(of: instances[at].outstanding)
            where table[index].deadline <= limit && !table[index].isAnswered && table[index].errand != .shadow {
                pending.append(.fail(table[index].id, .timeout))
                table[index].isAnswered = true
            }
            if instances[at].course != .killed, instances[at].progressed + settings.timeout <= limit { kill(at) }
            guard instances[at].isReady else { continue }
            running.requests += instances[at].outstanding.count
            running.busy.nanoseconds += (now - instances[at].progressed).nanoseconds
        }
        autoscaler.running(running.requests, for: running.busy)
    }

    /// When `next` may have something to say again though nothing is said to the pool; nil when that will not be.
    ///
    /// Of an idle pool; one that is not needs `tick` anyway.
    public var wakeUp: Instant? {
        let open = instances.count - closing
        if mayStart, open + starting < autoscaler.lastWanted {
            // Unless it is not wanted any more by then.
            let lapse = autoscaler.lapse(of: open + starting + 1)
            if (lapse.map { $0 > deaths.startNotBefore }) ?? true { return deaths.startNotBefore }
        }
        guard instances.contains(where: { $0.isOpen && $0.outstanding.isEmpty }) else { return nil }
        return autoscaler.lapse(of: open)
    }

    /// Requests that an instance holds.
    public func outstanding(of instance: InstanceID) -> Int {
        position(of: instance).map { instances[$0].outstanding.count } ?? 0
    }
}
