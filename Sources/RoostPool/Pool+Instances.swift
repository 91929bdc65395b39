public import RoostBasics

extension Pool {
    /// A started instance can take requests.
    public mutating func instanceAdded(_ id: InstanceID, at now: Instant) {
        starting -= 1
        instances.append(Instance(id: id, progressed: now))
    }

    /// No instance came of a `.start`.
    public mutating func startFailed(at now: Instant) {
        starting -= 1
        delayNextStart(at: now)
    }

    /// An instance has ended, for whatever reason.
    ///
    /// Frames that it never took go back to the head of the queue, without blame. Those that it took run once more,
    /// each alone; one that was alone already has failed for good.
    /// - Parameter taken: whether it had begun to work on the request.
    public mutating func instanceExited(_ id: InstanceID, taken: (Ticket) -> Bool, at now: Instant) {
        guard let at = position(of: id) else { return }
        let dead = instances.remove(at: at)
        if dead.answered == 0 && !(dead.isEnding && dead.outstanding.isEmpty) { delayNextStart(at: now) }
        for index in table.indices(of: dead.outstanding).reversed() {
            if table[index].isAnswered {
                table.release(index)
            } else if !taken(table.ticket(index)) {
                putBack(index)
            } else if table[index].isSuspect || !settings.retry {
                pending.append(.fail(table[index].id, .death))
                table.release(index)
            } else {
                table[index].isSuspect = true
                putBack(index)
            }
        }
    }

    /// Looks at the clock: answers what is too late, ends instances that no longer come back.
    ///
    /// Call at least every `resolution` while the pool is not idle; callers get their 504 that much early at most.
    public mutating func tick(at now: Instant, resolution: Instant.Span) {
        let limit = now + resolution
        for index in table.indices(of: queue) + table.indices(of: suspects) where table[index].deadline <= limit {
            pending.append(.fail(table[index].id, .timeout))
            dropWaiting(index)
        }
        for at in instances.indices {
            for index in table.indices(of: instances[at].outstanding)
            where table[index].deadline <= limit && !table[index].isAnswered {
                pending.append(.fail(table[index].id, .timeout))
                table[index].isAnswered = true
            }
            if !instances[at].isEnding, !instances[at].outstanding.isEmpty,
                instances[at].progressed + settings.timeout <= limit
            {
                instances[at].isEnding = true
                pending.append(.kill(instances[at].id))
            }
        }
    }

    /// When `next` may have something to say again though nothing happens; nil when only inputs matter.
    public var wakeUp: Instant? {
        if demand == .onDemand, !instances.isEmpty, isIdle { return lastUsed + settings.idle }
        return instances.count + starting < instancesWanted ? startNotBefore : nil
    }

    /// Requests that an instance holds.
    public func outstanding(of instance: InstanceID) -> Int {
        position(of: instance).map { instances[$0].outstanding.count } ?? 0
    }

    private mutating func delayNextStart(at now: Instant) {
        fruitlessDeaths += 1
        guard fruitlessDeaths > 1 else { return }
        startNotBefore = now + .milliseconds(min(30_000, 100 << UInt64(min(fruitlessDeaths - 2, 10))))
    }
}
