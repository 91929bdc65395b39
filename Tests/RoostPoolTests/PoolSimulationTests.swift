import RoostBasics
import RoostPool
import RoostTesting
import Testing

/// A world around one pool: obeys its actions, throws events at it, and checks its promises after each step.
private struct World {
    var pool: Pool
    var random: Seeded
    var now = Instant(nanoseconds: 1_000_000_000)
    var nextID: UInt32 = 0
    var nextInstance: UInt32 = 0
    var open: [UInt32: Ticket] = [:]
    var cancelled: Set<UInt32> = []
    var answered: Set<UInt32> = []
    var executions: [UInt32: Int] = [:]
    var deadlines: [UInt32: Instant] = [:]
    /// What each instance holds, oldest first, and how many of those it has begun.
    var held: [InstanceID: [(Ticket, UInt32)]] = [:]
    var begun: [InstanceID: Int] = [:]
    var ending: Set<InstanceID> = []
    var startsAsked = 0
    let resolution = Instant.Span.milliseconds(10)

    init(seed: UInt64) {
        random = Seeded(seed)
        let settings = PoolSettings(
            instancesMin: Int.random(in: 0...2, using: &random), instancesMax: Int.random(in: 1...3, using: &random),
            queueDepthMax: 20, windowRequestsMax: 6, timeout: .milliseconds(500), retry: seed % 5 != 0)
        pool = Pool(settings: settings, demand: seed % 3 == 0 ? .onDemand : .kept)
    }

    mutating func step() throws {
        now = now + Instant.Span(nanoseconds: UInt64.random(in: 0...20_000_000, using: &random))
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<7: arrive()
        case 7..<9: startOne()
        case 9..<12: begin()
        case 12..<16: try reply()
        case 16: die()
        case 17: cancel()
        default: pool.tick(at: now, resolution: resolution)
        }
        try obey()
    }

    private mutating func arrive() {
        let id = nextID
        nextID += 1
        let own = Bool.random(using: &random) ? now + .milliseconds(200) : nil
        guard let ticket = pool.arrived(RequestID(slot: id, generation: 0), deadline: own, at: now) else {
            #expect(pool.queueDepth >= 20, "reruns may exceed the bound, arrivals never")
            #expect((1...60).contains(pool.retryAfterSeconds(at: now)))
            return
        }
        open[id] = ticket
        deadlines[id] = own ?? now + .milliseconds(500)
    }

    private mutating func startOne() {
        guard startsAsked > 0 else { return }
        startsAsked -= 1
        if Int.random(in: 0..<8, using: &random) == 0 { return pool.startFailed(at: now) }
        let id = InstanceID(rawValue: nextInstance)
        nextInstance += 1
        held[id] = []
        begun[id] = 0
        pool.instanceAdded(id, at: now)
    }

    private mutating func begin() {
        guard let id = held.keys.sorted(by: { $0.rawValue < $1.rawValue }).randomElement(using: &random),
            let had = begun[id], let all = held[id], had < all.count
        else { return }
        let upTo = Int.random(in: had + 1...all.count, using: &random)
        for (_, request) in all[had..<upTo] { executions[request, default: 0] += 1 }
        begun[id] = upTo
    }

    private mutating func reply() throws {
        guard let id = held.keys.sorted(by: { $0.rawValue < $1.rawValue }).randomElement(using: &random),
            let count = begun[id], count > 0, let (ticket, request) = held[id]?.removeFirst()
        else { return }
        begun[id] = count - 1
        switch pool.replied(ticket, by: id, at: now) {
        case .deliver(let delivered):
            #expect(delivered.slot == request)
            try settle(request)
        case .drop: #expect(answered.contains(request) || cancelled.contains(request))
        case .unknown: Issue.record("request \(request) unknown")
        }
        #expect(pool.replied(ticket, by: id, at: now) == .unknown, "a second answer is nonsense")
    }

    private mutating func die() {
        guard let id = held.keys.sorted(by: { $0.rawValue < $1.rawValue }).randomElement(using: &random) else { return }
        end(id)
    }

    private mutating func end(_ id: InstanceID) {
        guard let all = held.removeValue(forKey: id), let count = begun.removeValue(forKey: id) else { return }
        let taken = Set(all.prefix(count).map(\.0))
        ending.remove(id)
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
            case .dispatch(let ticket, let id, let instance):
                #expect(!cancelled.contains(id.slot) && !answered.contains(id.slot), "executed though nobody waits")
                try #require(held[instance] != nil && !ending.contains(instance))
                if held[instance]?.isEmpty == false, Int.random(in: 0..<6, using: &random) == 0 {
                    pool.noRoom(ticket, on: instance)
                } else {
                    held[instance]?.append((ticket, id.slot))
                    #expect((held[instance]?.count ?? 0) <= 6, "window exceeded")
                    if executions[id.slot] == 1 { #expect(held[instance]?.count == 1, "a suspect runs alone") }
                }
            case .start: startsAsked += 1
            case .stop(let instance):
                #expect(held[instance]?.isEmpty == true, "stopped with work")
                end(instance)
            case .kill(let instance): ending.insert(instance)
            case .fail(let id, let failure):
                if failure == .timeout, let deadline = deadlines[id.slot] { #expect(deadline <= now + resolution) }
                if failure == .death { #expect(executions[id.slot] == (pool.settings.retry ? 2 : 1)) }
                try settle(id.slot)
            }
        }
        #expect(held.count + startsAsked <= pool.settings.instancesMax)
        #expect(executions.values.allSatisfy { $0 <= 2 })
    }

    /// From here on nothing goes wrong: everything must come to an end.
    mutating func finish() throws {
        pool.demand = .draining
        for _ in 0..<400 where !(pool.isIdle && held.isEmpty && startsAsked == 0) {
            now = now + .milliseconds(20)
            for id in ending { end(id) }
            startOne()
            begin()
            try reply()
            pool.tick(at: now, resolution: resolution)
            try obey()
        }
        #expect(open.isEmpty, "\(open.count) requests never answered")
        #expect(held.isEmpty, "instances left after draining")
    }
}

@Suite struct PoolSimulationTests {
    @Test func everyRequestIsAnsweredOnceWhateverHappens() throws {
        for seed in 0..<1500 as Range<UInt64> {
            var world = World(seed: seed)
            do {
                for _ in 0..<300 { try world.step() }
                try world.finish()
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
        }
    }
}
