import RoostBasics
import RoostPool
import Testing

/// A world around one pool: obeys its actions, throws events at it, and checks its promises after each step.
private struct World {
    var pool: Pool
    var random: SplitMix
    var now = Instant(nanoseconds: 1_000_000_000)
    var nextID: UInt32 = 0
    var nextInstance: UInt32 = 0
    var open: [UInt32: Ticket] = [:]
    var cancelled: Set<UInt32> = []
    var answered: Set<UInt32> = []
    var executions: [UInt32: Int] = [:]
    /// Those with which traffic tries the version; and copies that were accepted.
    var trials: Set<UInt32> = []
    var shadows: Set<Ticket> = []
    var deadlines: [UInt32: Instant] = [:]
    /// What each instance holds, oldest first, and how many of those it has begun.
    var held: [InstanceID: [(Ticket, UInt32)]] = [:]
    var begun: [InstanceID: Int] = [:]
    /// Stopped, killed or given up: nothing may be given to them. Those of the first two are about to exit.
    var closed: Set<InstanceID> = []
    var exiting: Set<InstanceID> = []
    var startsAsked = 0
    var isRefused = false
    var quarantines = 0
    /// What has happened in this world, so that a test can tell that it tested something.
    var seen: [String: Int] = [:]
    let resolution = Instant.Span.milliseconds(10)

    init(seed: UInt64) {
        random = SplitMix(state: seed)
        let settings = PoolSettings(
            instancesMin: Int.random(in: 0...2, using: &random), instancesMax: Int.random(in: 2...4, using: &random),
            concurrency: Int.random(in: 1...3, using: &random), queueDepthMax: 20, windowRequestsMax: 6,
            timeout: .milliseconds(500), retry: seed % 5 != 0,
            idle: .milliseconds(UInt64.random(in: 0...300, using: &random)),
            quarantineAfter: Int.random(in: 3...8, using: &random))
        pool = Pool(settings: settings, demand: seed % 3 == 0 ? .onDemand : .kept)
    }

    mutating func step() throws {
        now = now + Instant.Span(nanoseconds: UInt64.random(in: 0...20_000_000, using: &random))
        if Int.random(in: 0..<8, using: &random) == 0 { copy() }
        switch Int.random(in: 0..<25, using: &random) {
        case 0..<7: arrive()
        case 7..<9: startOne()
        case 9..<12: begin()
        case 12..<16: try reply()
        case 16: die()
        case 17: cancel()
        case 18..<20: if let id = anyInstance(exiting) { end(id) }
        case 20:
            isRefused = false
            pool.mayStart(at: now)
        case 21: giveUpOne()
        case 22: if pool.isQuarantined, Bool.random(using: &random) { lift() }
        default: pool.tick(at: now, resolution: resolution)
        }
        try obey()
        checkWakeUp()
    }

    private mutating func note(_ what: String) { seen[what, default: 0] += 1 }

    private mutating func anyInstance(_ set: some Collection<InstanceID>) -> InstanceID? {
        set.sorted { $0.rawValue < $1.rawValue }.randomElement(using: &random)
    }

    private mutating func arrive() {
        let id = nextID
        nextID += 1
        let own = Bool.random(using: &random) ? now + .milliseconds(200) : nil
        let isTrial = Int.random(in: 0..<3, using: &random) == 0
        if isTrial { trials.insert(id) }
        guard
            let ticket = pool.arrived(
                RequestID(slot: id, generation: 0), isTrial ? .trial : .own, deadline: own, at: now)
        else {
            #expect(pool.queueDepth >= 20 || pool.isQuarantined, "reruns may exceed the bound, arrivals never")
            #expect((1...60).contains(pool.retryAfterSeconds(at: now)))
            return
        }
        #expect(!pool.isQuarantined)
        open[id] = ticket
        deadlines[id] = own ?? now + .milliseconds(500)
    }

    private mutating func copy() {
        let isBusy = pool.queueDepth > 0
        guard let ticket = pool.copied(at: now) else { return }
        #expect(!isBusy && !pool.isQuarantined, "a copy is taken in though callers wait")
        #expect(shadows.insert(ticket).inserted)
        note("copied")
    }

    private mutating func startOne() {
        guard startsAsked > 0 else { return }
        startsAsked -= 1
        switch Int.random(in: 0..<16, using: &random) {
        case 0..<2: pool.startFailed(at: now)
        case 2..<4:
            pool.startRefused(at: now)
            isRefused = true
            note("refused")
        default:
            let id = InstanceID(rawValue: nextInstance)
            nextInstance += 1
            held[id] = []
            begun[id] = 0
            pool.instanceAdded(id, at: now)
            if Bool.random(using: &random) { pool.instanceReady(id, after: .milliseconds(1), at: now) }
        }
    }

    private mutating func giveUpOne() {
        let idle = pool.idleInstanceCount
        let given = pool.giveUpOne(at: now)
        #expect((given == nil) == held.keys.allSatisfy { closed.contains($0) })
        guard let given else { return }
        #expect(idle == 0 || held[given]?.isEmpty == true, "a busy one is given up though one is idle")
        #expect(closed.insert(given).inserted)
        note("given up")
    }

    private mutating func lift() {
        pool.liftQuarantine()
        quarantines = 0
    }

    private mutating func begin() {
        guard let id = anyInstance(held.keys), let had = begun[id], let all = held[id], had < all.count else { return }
        let upTo = Int.random(in: had + 1...all.count, using: &random)
        for (ticket, request) in all[had..<upTo] where !shadows.contains(ticket) {
            executions[request, default: 0] += 1
        }
        begun[id] = upTo
    }

    private mutating func reply() throws {
        guard let id = anyInstance(held.keys), let count = begun[id], count > 0,
            let (ticket, request) = held[id]?.removeFirst()
        else { return }
        begun[id] = count - 1
        switch pool.replied(ticket, by: id, at: now) {
        case .deliver(let delivered):
            #expect(delivered.slot == request)
            try settle(request)
            note("delivered")
        case .compared:
            #expect(shadows.remove(ticket) != nil)
            note("compared")
        case .drop:
            #expect(answered.contains(request) || cancelled.contains(request))
            note("dropped")
        case .unknown: Issue.record("request \(request) unknown")
        }
        #expect(pool.replied(ticket, by: id, at: now) == .unknown, "a second answer is nonsense")
    }

    private mutating func die() {
        if let id = anyInstance(held.keys) { end(id) }
    }

    private mutating func end(_ id: InstanceID) {
        guard let all = held.removeValue(forKey: id), let count = begun.removeValue(forKey: id) else { return }
        let taken = Set(all.prefix(count).map(\.0))
        closed.remove(id)
        exiting.remove(id)
        pool.instanceExited(id, taken: { taken.contains($0) }, at: now)
    }

    private mutating func cancel() {
        guard let id = open.keys.sorted().randomElement(using: &random), let ticket = open.removeValue(forKey: id)
        else { return }
        cancelled.insert(id)
        pool.cancelled(ticket)
    }

    private mutating func settle(_ id: UInt32) throws {
        #expect(!answered.contains(id) && !cancelled.contains(id), "request \(id) answered twice")
        let ticket = open.removeValue(forKey: id)
        try #require(ticket != nil)
        answered.insert(id)
    }

    private mutating func obey() throws {
        while let action = pool.next(at: now) {
            switch action {
            case .dispatch(let ticket, let id, let instance): try dispatch(ticket, id, instance)
            case .start:
                #expect(!isRefused, "asked again before it may")
                #expect(!pool.isQuarantined)
                startsAsked += 1
            case .stop(let instance):
                #expect(held[instance]?.isEmpty == true, "stopped with work")
                #expect(exiting.insert(instance).inserted, "stopped twice")
                if closed.insert(instance).inserted, pool.demand == .kept, !pool.isQuarantined {
                    let left = held.keys.count { !closed.contains($0) }
                    #expect(left >= pool.settings.instancesMin, "stopped one of the minimum")
                }
                note("stopped")
            case .kill(let instance):
                exiting.insert(instance)
                closed.insert(instance)
            case .fail(let id, let failure): try fail(id, failure)
            case .handOver(let ticket, let id, let isSuspect):
                #expect(trials.contains(id.slot) && open[id.slot] == ticket)
                #expect(!isSuspect || pool.settings.retry, "what may not run again runs nowhere again")
                #expect(isSuspect == (executions[id.slot] == 1))
                note(isSuspect ? "handed over" : "handed over untried")
                try settle(id.slot)
            case .dropShadow(let ticket, _):
                #expect(shadows.remove(ticket) != nil)
                note("shadow dropped")
            case .quarantine:
                quarantines += 1
                #expect(quarantines == 1 && pool.isQuarantined)
                note("quarantine")
            }
        }
        #expect(held.count + startsAsked <= pool.settings.instancesMax)
        #expect(executions.values.allSatisfy { $0 <= 2 })
        if pool.isQuarantined { #expect(pool.queueDepth == 0) }
    }

    private mutating func dispatch(_ ticket: Ticket, _ id: RequestID, _ instance: InstanceID) throws {
        if shadows.contains(ticket) {
            #expect(held[instance]?.isEmpty == true && !closed.contains(instance), "a copy is in somebody's way")
            #expect(pool.queueDepth == 0, "a copy goes before callers")
            held[instance]?.append((ticket, id.slot))
            return
        }
        #expect(!cancelled.contains(id.slot) && !answered.contains(id.slot), "executed though nobody waits")
        try #require(held[instance] != nil && !closed.contains(instance))
        if held[instance]?.isEmpty == false, Int.random(in: 0..<6, using: &random) == 0 {
            pool.noRoom(ticket, on: instance)
            return
        }
        held[instance]?.append((ticket, id.slot))
        #expect((held[instance]?.count ?? 0) <= 6, "window exceeded")
        if executions[id.slot] == 1 { #expect(held[instance]?.count == 1, "a suspect runs alone") }
    }

    private mutating func fail(_ id: RequestID, _ failure: Failure) throws {
        switch failure {
        case .timeout: if let deadline = deadlines[id.slot] { #expect(deadline <= now + resolution) }
        case .death: #expect(executions[id.slot] == (pool.settings.retry ? 2 : 1))
        case .quarantined: #expect(pool.isQuarantined && !trials.contains(id.slot))
        }
        note("\(failure)")
        try settle(id.slot)
    }

    /// An idle pool that is left alone says nothing before `wakeUp`, and something at it.
    private func checkWakeUp() {
        guard pool.isIdle else { return }
        var copy = pool
        guard let wakeUp = pool.wakeUp else {
            #expect(copy.next(at: now + .seconds(3600)) == nil, "said more though only inputs matter")
            return
        }
        #expect(wakeUp > now, "woken at once for nothing")
        #expect(copy.next(at: Instant(nanoseconds: wakeUp.nanoseconds - 1)) == nil, "woken too late")
        #expect(copy.next(at: wakeUp) != nil, "woken for nothing")
    }

    /// From here on nothing goes wrong: everything must come to an end.
    mutating func finish() throws {
        pool.demand = .draining
        pool.mayStart(at: now)
        isRefused = false
        try obey()
        for _ in 0..<1000 where !(pool.isIdle && held.isEmpty && startsAsked == 0) {
            now = now + .milliseconds(20)
            for id in exiting { end(id) }
            startOne()
            if isRefused { pool.mayStart(at: now) }
            isRefused = false
            begin()
            try reply()
            pool.tick(at: now, resolution: resolution)
            try obey()
        }
        #expect(shadows.isEmpty, "\(shadows.count) copies never ended")
        #expect(open.isEmpty, "\(open.count) requests never answered")
        #expect(held.isEmpty, "instances left after draining")
        #expect(pool.wakeUp == nil)
    }
}

@Suite struct PoolSimulationTests {
    @Test func everyRequestIsAnsweredOnceWhateverHappens() throws {
        var seen: [String: Int] = [:]
        for seed in 0..<1500 as Range<UInt64> {
            var world = World(seed: seed)
            do {
                for _ in 0..<300 { try world.step() }
                try world.finish()
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
            seen.merge(world.seen, uniquingKeysWith: +)
        }
        for what in [
            "delivered", "dropped", "timeout", "death", "quarantined", "quarantine", "refused", "given up", "stopped",
            "handed over", "handed over untried", "copied", "compared", "shadow dropped",
        ] { #expect(seen[what, default: 0] > 50, "\(what) is hardly tested") }
    }
}
