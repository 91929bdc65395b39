import RoostBasics
import RoostPool
import Testing

/// What the host says of its budget, and what becomes of a version whose instances only die.
@Suite struct PoolScalingTests {
    private let start = Instant(nanoseconds: 1_000_000_000)
    private func id(_ slot: UInt32) -> RequestID { RequestID(slot: slot, generation: 0) }

    private func arrive(_ pool: inout Pool, _ slot: UInt32, at now: Instant) throws -> Ticket {
        let ticket = pool.arrived(id(slot), at: now)
        return try #require(ticket)
    }

    private func actions(_ pool: inout Pool, at now: Instant) -> [Action] {
        var found: [Action] = []
        while let action = pool.next(at: now) { found.append(action) }
        return found
    }

    /// A pool with `count` kept instances, named from 1.
    private func kept(_ count: UInt32, max: Int = 4) -> Pool {
        var pool = Pool(settings: PoolSettings(instancesMin: Int(count), instancesMax: max), demand: .kept)
        #expect(actions(&pool, at: start) == Array(repeating: .start, count: Int(count)))
        for number in 0..<count { pool.instanceAdded(InstanceID(rawValue: number + 1), at: start) }
        return pool
    }

    // MARK: the host's budget

    @Test func aRefusedStartIsNotAskedForAgainUntilItMay() {
        var pool = Pool(settings: PoolSettings(instancesMax: 4))
        #expect(pool.arrived(id(1), at: start) != nil)
        #expect(actions(&pool, at: start) == [.start])
        pool.startRefused(at: start)
        #expect(pool.isWaitingForStart && pool.wakeUp == nil)
        #expect(pool.arrived(id(2), at: start) != nil)
        #expect(actions(&pool, at: start + .seconds(10)).isEmpty)
        pool.mayStart(at: start)
        #expect(!pool.isWaitingForStart)
        #expect(actions(&pool, at: start).first == .start)
    }

    @Test func whoeverWantsNothingMoreDoesNotWait() throws {
        var pool = Pool(settings: PoolSettings(idle: .zero))
        let ticket = try arrive(&pool, 1, at: start)
        _ = actions(&pool, at: start)
        pool.startRefused(at: start)
        pool.cancelled(ticket)
        #expect(actions(&pool, at: start).isEmpty)
        #expect(!pool.isWaitingForStart)
    }

    @Test func anIdleInstanceIsGivenUpAtOnceAndTheYoungestFirst() {
        var pool = kept(3)
        #expect(pool.idleInstanceCount == 3)
        #expect(pool.giveUpOne(at: start) == InstanceID(rawValue: 3))
        #expect(pool.idleInstanceCount == 2)
    }

    @Test func aBusyOneIsGivenUpWhenItHasAnswered() throws {
        var pool = kept(2)
        let tickets = try (0..<3 as Range<UInt32>).map { try arrive(&pool, $0, at: start) }
        _ = actions(&pool, at: start)
        let (first, second) = (InstanceID(rawValue: 1), InstanceID(rawValue: 2))
        #expect(pool.outstanding(of: first) + pool.outstanding(of: second) == 3)
        let given = pool.giveUpOne(at: start)
        #expect(given == second, "it has less to do")
        _ = actions(&pool, at: start)
        pool.startRefused(at: start)
        let late = try arrive(&pool, 9, at: start)
        #expect(actions(&pool, at: start) == [.dispatch(late, id(9), first)])
        for ticket in tickets { _ = pool.replied(ticket, by: second, at: start) }
        #expect(actions(&pool, at: start) == [.stop(second)])
        #expect(pool.giveUpOne(at: start) == first)
        #expect(pool.giveUpOne(at: start) == nil)
    }

    @Test func whatWasGivenUpIsNotAskedForAgainWithoutNeed() throws {
        var pool = Pool(settings: PoolSettings(instancesMax: 4, idle: .seconds(60)))
        let tickets = try (0..<4 as Range<UInt32>).map { try arrive(&pool, $0, at: start) }
        var next: UInt32 = 1
        var holder: [Ticket: InstanceID] = [:]
        while let action = pool.next(at: start) {
            if action == .start {
                pool.instanceAdded(InstanceID(rawValue: next), at: start)
                next += 1
            } else if case .dispatch(let ticket, _, let instance) = action {
                holder[ticket] = instance
            }
        }
        let count = pool.instanceCount
        #expect(count > 1)
        for ticket in tickets { _ = pool.replied(ticket, by: try #require(holder[ticket]), at: start) }
        #expect(actions(&pool, at: start).isEmpty, "all are held for idle")
        let last = pool.giveUpOne(at: start)
        let given = try #require(last)
        #expect(actions(&pool, at: start) == [.stop(given)])
        pool.instanceExited(given, taken: { _ in false }, at: start)
        #expect(actions(&pool, at: start).isEmpty)
        #expect(pool.instanceCount == count - 1)
    }

    // MARK: quarantine

    @Test func instancesThatOnlyDieEndInQuarantineOnce() {
        var pool = Pool(settings: PoolSettings(instancesMax: 1))
        var now = start
        var told = 0
        #expect(pool.arrived(id(1), at: now) != nil)
        for round in 0..<8 as Range<UInt32> {
            if let wake = pool.wakeUp, wake > now { now = wake }
            #expect(actions(&pool, at: now) == [.start], "round \(round)")
            pool.instanceAdded(InstanceID(rawValue: round), at: now)
            _ = actions(&pool, at: now)
            pool.instanceExited(InstanceID(rawValue: round), taken: { _ in false }, at: now)
            #expect(pool.isQuarantined == (round == 7))
            if round == 7 {
                let last = actions(&pool, at: now)
                #expect(Set(last) == [.quarantine, .fail(id(1), .quarantined)])
                told += last.count { $0 == .quarantine }
            }
        }
        #expect(told == 1 && pool.isIdle && pool.wakeUp == nil)
        #expect(pool.arrived(id(2), at: now) == nil)
        #expect(actions(&pool, at: now + .seconds(60)).isEmpty)
        pool.liftQuarantine()
        #expect(pool.arrived(id(3), at: now) != nil)
        #expect(actions(&pool, at: now) == [.start])
    }

    @Test func oneAnswerInBetweenIsEnough() throws {
        var pool = Pool(settings: PoolSettings(instancesMax: 1))
        var now = start
        for round in 0..<40 as Range<UInt32> {
            let ticket = try arrive(&pool, round, at: now)
            if let wake = pool.wakeUp, wake > now { now = wake }
            let instance = InstanceID(rawValue: round)
            #expect(actions(&pool, at: now) == [.start])
            pool.instanceAdded(instance, at: now)
            _ = actions(&pool, at: now)
            if round % 7 == 6 { #expect(pool.replied(ticket, by: instance, at: now) == .deliver(id(round))) }
            pool.cancelled(ticket)
            pool.instanceExited(instance, taken: { _ in true }, at: now)
            #expect(!pool.isQuarantined)
        }
    }

    @Test func instancesThatAreStoppedOrGoDownTogetherAreNotToBlame() {
        var pool = Pool(settings: PoolSettings(instancesMin: 10, instancesMax: 10), demand: .kept)
        for number in actions(&pool, at: start).indices {
            pool.instanceAdded(InstanceID(rawValue: UInt32(number)), at: start)
        }
        for number in 0..<10 as Range<UInt32> {
            pool.instanceExited(InstanceID(rawValue: number), taken: { _ in false }, at: start + .seconds(1))
        }
        #expect(!pool.isQuarantined)
        var now = start + .seconds(2)
        for number in 10..<30 as Range<UInt32> {
            pool.demand = .kept
            #expect(actions(&pool, at: now).contains(.start))
            pool.instanceAdded(InstanceID(rawValue: number), at: now)
            for _ in 1..<10 { pool.startRefused(at: now) }
            pool.mayStart(at: now)
            pool.demand = .draining
            #expect(actions(&pool, at: now) == [.stop(InstanceID(rawValue: number))])
            pool.instanceExited(InstanceID(rawValue: number), taken: { _ in false }, at: now)
            now = now + .seconds(1)
        }
        #expect(!pool.isQuarantined)
    }

    // MARK: Retry-After

    @Test func loadingIsPartOfRetryAfter() {
        var pool = Pool(settings: PoolSettings(queueDepthMax: 1))
        #expect(pool.arrived(id(1), at: start) != nil)
        #expect(pool.arrived(id(2), at: start) == nil)
        #expect(pool.retryAfterSeconds(at: start) == 1)
        #expect(pool.retryAfterSeconds(at: start, loading: .seconds(7)) == 8)
        #expect(pool.retryAfterSeconds(at: start, loading: .seconds(7000)) == 60)
        #expect(actions(&pool, at: start) == [.start])
        pool.instanceAdded(InstanceID(rawValue: 1), at: start)
        #expect(pool.retryAfterSeconds(at: start, loading: .seconds(7)) == 1, "one instance is there")
    }
}
