import RoostBasics
import RoostPool
import Testing

/// A pool under a trace of arrivals, with instances that answer one request after the other.
private struct LoadedPool {
    var pool: Pool
    var now = Instant(nanoseconds: 0)
    var starts = 0
    var stops = 0
    var answered = 0
    /// The most instances that there were at any moment.
    var most = 0
    private let service: Instant.Span
    private let start: Instant.Span
    private var instances: [InstanceID: Working] = [:]
    private var nextInstance: UInt32 = 1
    private var nextRequest: UInt32 = 0
    private var tick: Instant?

    private struct Working {
        var frames: [Ticket] = []
        var due: Instant?
        var isReady = false
    }

    init(_ settings: PoolSettings, service: Instant.Span, start: Instant.Span = .microseconds(500)) {
        pool = Pool(settings: settings, demand: .kept)
        self.service = service
        self.start = start
        obey()
    }

    var count: Int { instances.count }

    /// Lets requests come at the given moments, and time pass until `end`.
    mutating func run(_ arrivals: [Instant], until end: Instant) {
        var rest = arrivals[...]
        while true {
            let due = instances.values.compactMap(\.due).min() ?? end
            let next = min(due, tick ?? end, rest.first ?? end)
            guard next < end else { break }
            now = next
            if rest.first == now { arrive(&rest) }
            for (id, instance) in instances where instance.due == now { finish(id) }
            if tick == now { pool.tick(at: now, resolution: .milliseconds(10)) }
            obey()
            if pool.isIdle { tick = pool.wakeUp } else if (tick ?? now) <= now { tick = now + .milliseconds(10) }
        }
        now = end
        obey()
    }

    private mutating func arrive(_ rest: inout ArraySlice<Instant>) {
        rest.removeFirst()
        nextRequest += 1
        #expect(pool.arrived(RequestID(slot: nextRequest, generation: 0), at: now) != nil)
        tick = min(tick ?? now + .milliseconds(10), now + .milliseconds(10))
    }

    private mutating func finish(_ id: InstanceID) {
        guard var instance = instances[id] else { return }
        if instance.isReady, !instance.frames.isEmpty {
            if case .deliver = pool.replied(instance.frames.removeFirst(), by: id, at: now) { answered += 1 }
        } else {
            instance.isReady = true
            pool.instanceReady(id, after: start, at: now)
        }
        instance.due = instance.frames.isEmpty ? nil : now + service
        instances[id] = instance
    }

    mutating func obey() {
        while let action = pool.next(at: now) {
            switch action {
            case .start:
                let id = InstanceID(rawValue: nextInstance)
                nextInstance += 1
                starts += 1
                instances[id] = Working(due: now + start)
                pool.instanceAdded(id, at: now)
            case .dispatch(let ticket, _, let id):
                instances[id]?.frames.append(ticket)
                if instances[id]?.due == nil { instances[id]?.due = now + service }
            case .stop(let id):
                stops += 1
                #expect(instances.removeValue(forKey: id)?.frames.isEmpty == true, "stopped with work")
                pool.instanceExited(id, taken: { _ in true }, at: now)
            case .kill, .fail, .handOver, .dropShadow, .quarantine: Issue.record("\(action) though nothing goes wrong")
            }
        }
        most = max(most, instances.count)
    }
}

@Suite struct LoadTests {
    private func moments(_ random: inout SplitMix, count: Int, mean: Double) -> [Instant] {
        var time = 0.0
        return (0..<count).map { _ in
            time += Double.random(in: 0...2 * mean, using: &random)
            return Instant(nanoseconds: UInt64(time * 1e9))
        }
    }

    @Test func randomLoadsAreAnsweredWithinBoundsAndEndAtTheMinimum() {
        for seed in 0..<200 as Range<UInt64> {
            var random = SplitMix(state: seed)
            let service = Instant.Span.microseconds(UInt64.random(in: 50...200_000, using: &random))
            let settings = PoolSettings(
                instancesMin: Int.random(in: 0...2, using: &random),
                instancesMax: Int.random(in: 2...8, using: &random),
                concurrency: Int.random(in: 1...4, using: &random), queueDepthMax: 1000, timeout: .seconds(3600),
                idle: .seconds(UInt64.random(in: 1...60, using: &random)))
            let arrivals = moments(
                &random, count: 500, mean: service.seconds * Double.random(in: 0.1...3, using: &random))
            var load = LoadedPool(settings, service: service)
            guard let last = arrivals.last else { return }
            load.run(arrivals, until: last + .seconds(200))
            #expect(load.answered == arrivals.count && load.pool.isIdle, "seed \(seed)")
            #expect(load.most <= settings.instancesMax, "seed \(seed)")
            #expect(load.count == settings.instancesMin, "seed \(seed)")
            #expect(load.pool.wakeUp == nil, "an idle host has a timer, seed \(seed)")
        }
    }

    @Test(arguments: [100, 5_000, 50_000, 500_000] as [UInt64], [0.3, 1, 2.5, 6])
    func aConstantLoadSettles(_ service: UInt64, _ instances: Double) {
        let gap = Double(service) * 1000 / instances
        let arrivals = (0..<4000 as Range<UInt64>).map { Instant(nanoseconds: UInt64(Double($0) * gap)) }
        guard let last = arrivals.last else { return }
        let settings = PoolSettings(
            instancesMax: 16, queueDepthMax: 100_000, timeout: .seconds(3600), idle: .microseconds(20 * service))
        var load = LoadedPool(settings, service: .microseconds(service))
        let half = arrivals.count / 2
        load.run(Array(arrivals[..<half]), until: arrivals[half])
        let (starts, stops) = (load.starts, load.stops)
        load.run(Array(arrivals[half...]), until: last)
        #expect(load.starts - starts <= 1 && load.stops - stops <= 1, "\(starts), \(stops) before")
    }

    @Test func underANoisyLoadInstancesChangeSeldom() {
        for seed in 0..<5 as Range<UInt64> {
            var random = SplitMix(state: seed)
            let arrivals = moments(&random, count: 20_000, mean: 0.0125)  // four instances' worth, for 250 s
            var load = LoadedPool(PoolSettings(instancesMax: 64, idle: .seconds(60)), service: .milliseconds(50))
            load.run(arrivals, until: Instant(nanoseconds: 250_000_000_000))
            // In each `idle` each number of instances comes once at most.
            #expect(load.starts <= load.most + 4 * load.most / 2, "seed \(seed): \(load.starts) starts")
            #expect(load.stops <= 4 * load.most / 2, "seed \(seed): \(load.stops) stops")
        }
    }

    @Test func theLastInstanceGoesWhenIdleHasPassedAndNotBefore() {
        var load = LoadedPool(PoolSettings(instancesMax: 4, idle: .seconds(60)), service: .milliseconds(5))
        load.run([Instant(nanoseconds: 0)], until: Instant(nanoseconds: 60_005_000_000))
        #expect(load.count == 1)
        load.run([], until: Instant(nanoseconds: 60_006_000_000))
        #expect(load.count == 0 && load.pool.wakeUp == nil)
    }

    @Test func whatFindsNoInstanceWaitsForOneAndIsNotRefused() {
        let settings = PoolSettings(instancesMax: 4)
        var load = LoadedPool(settings, service: .milliseconds(5), start: .seconds(3))
        load.run((0..<100).map { Instant(nanoseconds: $0) }, until: Instant(nanoseconds: 2_999_000_000))
        #expect(load.answered == 0 && load.count >= 1)
        load.run([], until: Instant(nanoseconds: 5_000_000_000))
        #expect(load.answered == 100)
    }

    /// A full queue, at rates that differ: whoever comes after Retry-After finds that the queue of then is gone.
    @Test func retryAfterIsWhenThePresentQueueIsGone() {
        for seed in 0..<60 as Range<UInt64> {
            var random = SplitMix(state: seed)
            let service = Instant.Span.microseconds(UInt64.random(in: 200...400_000, using: &random))
            let settings = PoolSettings(
                instancesMax: Int.random(in: 1...6, using: &random), queueDepthMax: 2000,
                windowRequestsMax: Int.random(in: 2...20, using: &random), timeout: .seconds(3600))
            var load = LoadedPool(settings, service: service)
            // A slow stretch with pauses, which must not count as slowness.
            let slow = moments(&random, count: 30, mean: service.seconds + 0.4)
            load.run(slow, until: (slow.last ?? load.now) + .seconds(5))
            let flood = (0..<UInt64.random(in: 50...600, using: &random)).map {
                load.now + Instant.Span(nanoseconds: $0)
            }
            let full = load.now + service + .milliseconds(10)
            load.run(flood, until: full)
            let (depth, answered) = (load.pool.queueDepth, load.answered)
            let seconds = load.pool.retryAfterSeconds(at: load.now)
            #expect((1...60).contains(seconds))
            // When as many have been answered as waited, all that waited have been taken up.
            load.run([], until: full + .seconds(UInt64(seconds)))
            #expect(load.answered - answered >= depth || seconds == 60, "seed \(seed): too early, \(seconds) s")
            guard seconds > 1, seconds < 60 else { continue }
            var early = LoadedPool(settings, service: service)
            early.run(slow, until: (slow.last ?? early.now) + .seconds(5))
            early.run(flood, until: full)
            early.run([], until: full + .milliseconds(UInt64(Double(seconds - 1) * 900)))
            #expect(early.answered - answered < depth, "seed \(seed): too late, \(seconds) s")
        }
    }
}
