import RoostBasics
import RoostDelivery
import Testing

@Suite struct DeliveryQueueTests {
    let clock = DeliveryTests.clock
    var dice = SplitMix(state: 1)

    func record(_ number: Int64) -> DeliveryRecord {
        DeliveryRecord(id: DeliveryID(rawValue: number), key: "\(number)", submittedWallMS: clock.wallMS)
    }

    func loads(_ actions: [DeliveryAction]) -> [Int64] {
        actions.compactMap { if case .load(let id) = $0 { id.rawValue } else { nil } }
    }

    func runs(_ actions: [DeliveryAction]) -> [Int64] {
        actions.compactMap { if case .run(let id, _) = $0 { id.rawValue } else { nil } }
    }

    @Test mutating func oneRunsPerPlaceAndTheOthersInOrder() throws {
        var queue = DeliveryQueue(policy: RetryPolicy(), limits: .init(concurrency: 2, capacity: 10))
        var begun: [Int64] = []
        for number in 1...5 as ClosedRange<Int64> {
            try queue.reserve()
            begun += runs(queue.submitted(record(number), at: clock))
        }
        #expect(begun == [1, 2] && queue.runningCount == 2 && queue.waitingCount == 3 && queue.wakeAt == nil)
        for number in 1...5 as ClosedRange<Int64> {
            let id = DeliveryID(rawValue: number)
            for load in loads(queue.succeeded(id, run: 1, at: clock)) {
                let actions = queue.loaded(DeliveryID(rawValue: load), record(load), at: clock, using: &dice)
                begun += runs(actions)
            }
        }
        #expect(begun == [1, 2, 3, 4, 5] && queue.isIdle)
    }

    @Test mutating func aFullBacklogRefuses() throws {
        var queue = DeliveryQueue(policy: RetryPolicy(), limits: .init(concurrency: 1, capacity: 2))
        try queue.reserve()
        try queue.reserve()
        let error = #expect(throws: RoostError.self) { try queue.reserve() }
        #expect(error?.code == .overloaded)
        #expect(error?.message == "the backlog is full: 2 items wait or run, the most is 2")
        queue.unreserve()
        _ = queue.submitted(record(1), at: clock)
        try queue.reserve()
        #expect(throws: RoostError.self) { try queue.reserve() }
        queue.unreserve()
        _ = queue.succeeded(DeliveryID(rawValue: 1), run: 1, at: clock)
        #expect(queue.isIdle)
    }

    /// The one that waits for its next attempt is overtaken, and comes at its time.
    @Test mutating func aRetryWaitsForItsTime() throws {
        var queue = DeliveryQueue(policy: RetryPolicy(), limits: .init(concurrency: 1, capacity: 9))
        for number in 1...2 as ClosedRange<Int64> {
            try queue.reserve()
            _ = queue.submitted(record(number), at: clock)
        }
        let (first, second) = (DeliveryID(rawValue: 1), DeliveryID(rawValue: 2))
        let failure = DeliveryFailure.transient("busy", retryAfter: .seconds(20))
        let actions = queue.failed(first, run: 1, failure, at: clock, using: &dice)
        #expect(loads(actions) == [2] && queue.wakeAt == nil)
        _ = queue.loaded(second, record(2), at: clock, using: &dice)
        _ = queue.succeeded(second, run: 1, at: clock)
        #expect(queue.wakeAt == clock.monotonic + .seconds(20))
        #expect(queue.tick(at: DeliveryTests.later(.seconds(19)), using: &dice).isEmpty)
        // The wall clock went back a day meanwhile, which is nobody's business here.
        let due = DeliveryTests.later(.seconds(20), wallMS: -86_400_000)
        #expect(loads(queue.tick(at: due, using: &dice)) == [1])
    }

    @Test mutating func deadlinesWakeTheQueue() throws {
        var policy = RetryPolicy()
        policy.timeout = .seconds(5)
        var queue = DeliveryQueue(policy: policy, limits: .init(concurrency: 1, capacity: 9))
        try queue.reserve()
        _ = queue.submitted(record(1), at: clock)
        #expect(queue.wakeAt == clock.monotonic + .seconds(5))
        let actions = queue.tick(at: DeliveryTests.later(.seconds(5)), using: &dice)
        #expect(actions.first == .stop(DeliveryID(rawValue: 1), run: 1) && queue.runningCount == 0)
        #expect(queue.waitingCount == 1)
    }

    @Test mutating func peopleCancelAndReplay() throws {
        var queue = DeliveryQueue(policy: RetryPolicy(), limits: .init(concurrency: 1, capacity: 9))
        for number in 1...2 as ClosedRange<Int64> {
            try queue.reserve()
            _ = queue.submitted(record(number), at: clock)
        }
        let (first, second, third) = (
            DeliveryID(rawValue: 1), DeliveryID(rawValue: 2), DeliveryID(rawValue: 3)
        )
        #expect(try queue.cancel(second, by: "ada", at: clock) == [.load(second)])
        let cancelled = queue.loaded(second, record(2), at: clock, using: &dice)
        guard case .store(var dead) = cancelled.first else { return #expect(Bool(false), "\(cancelled)") }
        #expect(dead.phase == .dead && dead.reason == "cancelled by ada")
        #expect(throws: RoostError.self) { try queue.cancel(second, by: "ada", at: clock) }
        #expect(throws: RoostError.self) { try queue.replay(first) }
        #expect(try queue.replay(second) == [.load(second)])
        let replayed = queue.loaded(second, dead, at: clock, using: &dice)
        dead.replays = 1
        #expect(replayed.count == 1 && queue.waitingCount == 1)
        #expect(try queue.replay(third) == [.load(third)])
        guard case .refuse(third, let none) = queue.loaded(third, nil, at: clock, using: &dice).first else {
            return #expect(Bool(false))
        }
        #expect(none.code == .notFound)
        #expect(try queue.cancel(first, by: "ada", at: clock).first == .stop(first, run: 1))
        #expect(queue.runningCount == 0)
    }

    /// An item that was submitted while the rows of before were being read is among them.
    @Test mutating func whatIsHereAlreadyIsNotRestored() throws {
        var queue = DeliveryQueue(policy: RetryPolicy(), limits: .init(concurrency: 1, capacity: 10))
        let (running, waiting) = (record(1), record(2))
        try queue.reserve()
        _ = queue.submitted(running, at: clock)
        try queue.reserve()
        _ = queue.submitted(waiting, at: clock)
        #expect(queue.nextDue == clock.monotonic)
        for one in [running, waiting] { queue.restored(one, at: clock) }
        #expect(queue.runningCount == 1 && queue.waitingCount == 1)
        #expect(queue.tick(at: clock, using: &dice).isEmpty)
        #expect(loads(queue.succeeded(running.id, run: 1, at: clock)) == [2])
        queue.restored(waiting, at: clock)
        #expect(queue.waitingCount == 1 && queue.nextDue == nil)
    }

    /// Against a sorted list: many items with random delays, some of them cancelled while they wait.
    @Test mutating func whatIsDueFirstComesFirst() throws {
        var queue = DeliveryQueue(policy: RetryPolicy(), limits: .init(concurrency: 1, capacity: 10_000))
        var dues: [(due: Int64, id: Int64)] = []
        for number in 1...2000 as ClosedRange<Int64> {
            var waiting = record(number)
            (waiting.phase, waiting.delayMS) = (.waiting, .random(in: 1...50_000, using: &dice))
            waiting.dueWallMS = clock.wallMS + waiting.delayMS
            queue.restored(waiting, at: clock)
            if number % 3 == 0 {
                _ = try queue.cancel(waiting.id, by: "ada", at: clock)
                _ = queue.loaded(waiting.id, waiting, at: clock, using: &dice)
            } else {
                dues.append((waiting.delayMS, number))
            }
        }
        var order: [Int64] = []
        while let wakeAt = queue.wakeAt {
            let now = ClockReading(monotonic: wakeAt, wallMS: clock.wallMS)
            var open = loads(queue.tick(at: now, using: &dice))
            while let id = open.popLast() {
                order.append(id)
                open += loads(queue.loaded(DeliveryID(rawValue: id), nil, at: now, using: &dice))
            }
        }
        let expected = dues.sorted { ($0.due, $0.id) < ($1.due, $1.id) }.map(\.id)
        #expect(order == expected && queue.isIdle)
    }
}
