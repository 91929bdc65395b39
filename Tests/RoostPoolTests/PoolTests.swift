import RoostBasics
import RoostPool
import Testing

@Suite struct PoolTests {
    private let start = Instant(nanoseconds: 1_000_000_000)
    private func id(_ slot: UInt32) -> RequestID { RequestID(slot: slot, generation: 0) }

    private func arrive(
        _ pool: inout Pool, _ id: RequestID, _ errand: Errand = .own, isSuspect: Bool = false,
        deadline: Instant? = nil, at now: Instant
    ) throws -> Ticket {
        let ticket = pool.arrived(id, errand, isSuspect: isSuspect, deadline: deadline, at: now)
        return try #require(ticket)
    }

    private func accept(copyTo pool: inout Pool) throws -> Ticket {
        let ticket = pool.copied(at: start)
        return try #require(ticket)
    }

    private func actions(_ pool: inout Pool, at now: Instant) -> [Action] {
        var found: [Action] = []
        while let action = pool.next(at: now) { found.append(action) }
        return found
    }

    /// A pool with one instance that is kept and holds requests 0 ..< count.
    private func loaded(
        _ count: UInt32, _ settings: PoolSettings = PoolSettings(instancesMin: 1)
    ) throws -> (Pool, [Ticket]) {
        var pool = Pool(settings: settings, demand: .kept)
        #expect(actions(&pool, at: start) == [.start])
        pool.instanceAdded(InstanceID(rawValue: 1), at: start)
        var tickets: [Ticket] = []
        for slot in 0..<count { tickets.append(try arrive(&pool, id(slot), at: start)) }
        _ = actions(&pool, at: start)
        return (pool, tickets)
    }

    @Test func framesNeverTakenGoBackInOrderAndTakenOnesRunAlone() throws {
        var (pool, tickets) = try loaded(4)
        let taken = Set(tickets.prefix(2))
        pool.instanceExited(InstanceID(rawValue: 1), taken: { taken.contains($0) }, at: start)
        #expect(actions(&pool, at: start) == [.start], "the first death costs no delay")
        let second = InstanceID(rawValue: 2)
        pool.instanceAdded(second, at: start)
        #expect(actions(&pool, at: start) == [.dispatch(tickets[0], id(0), second)])
        #expect(pool.replied(tickets[0], by: second, at: start) == .deliver(id(0)))
        #expect(actions(&pool, at: start) == [.dispatch(tickets[1], id(1), second)])
        #expect(pool.replied(tickets[1], by: second, at: start) == .deliver(id(1)))
        #expect(
            actions(&pool, at: start) == [.dispatch(tickets[2], id(2), second), .dispatch(tickets[3], id(3), second)])
    }

    @Test func aRequestThatKillsTwiceIsPoison() throws {
        var (pool, tickets) = try loaded(1)
        pool.instanceExited(InstanceID(rawValue: 1), taken: { _ in true }, at: start)
        #expect(actions(&pool, at: start) == [.start])
        pool.instanceAdded(InstanceID(rawValue: 2), at: start)
        #expect(actions(&pool, at: start) == [.dispatch(tickets[0], id(0), InstanceID(rawValue: 2))])
        pool.instanceExited(InstanceID(rawValue: 2), taken: { _ in true }, at: start)
        #expect(actions(&pool, at: start).contains(.fail(id(0), .death)))
    }

    @Test func whatTrafficTriedIsHandedOverAfterADeathAndNotRunAgain() throws {
        var (pool, tickets) = try loaded(1)
        let trial = try arrive(&pool, id(7), .trial, at: start)
        let waiting = try arrive(&pool, id(8), .trial, at: start)
        _ = actions(&pool, at: start)
        pool.instanceExited(InstanceID(rawValue: 1), taken: { $0 != waiting }, at: start)
        #expect(
            actions(&pool, at: start) == [.handOver(trial, id(7), isSuspect: true), .start],
            "one that was never taken waits for the next instance, and so does one that is its own")
        pool.instanceAdded(InstanceID(rawValue: 2), at: start)
        #expect(actions(&pool, at: start) == [.dispatch(tickets[0], id(0), InstanceID(rawValue: 2))])
    }

    @Test func whoWasHandedOverRunsAloneAndOnce() throws {
        var (pool, _) = try loaded(1)
        let suspect = try arrive(&pool, id(5), isSuspect: true, at: start)
        #expect(actions(&pool, at: start).isEmpty, "it waits until it has the instance for itself")
        pool.instanceExited(InstanceID(rawValue: 1), taken: { _ in false }, at: start)
        _ = actions(&pool, at: start)
        pool.instanceAdded(InstanceID(rawValue: 2), at: start)
        #expect(actions(&pool, at: start) == [.dispatch(suspect, id(5), InstanceID(rawValue: 2))])
        pool.instanceExited(InstanceID(rawValue: 2), taken: { _ in true }, at: start)
        #expect(actions(&pool, at: start).contains(.fail(id(5), .death)))
    }

    @Test func aVersionThatDoesNotLoadHandsOverWhatTriesIt() throws {
        var pool = Pool(settings: PoolSettings(), demand: .kept)
        let trial = try arrive(&pool, id(1), .trial, at: start)
        let own = pool.arrived(id(2), at: start)
        #expect(own != nil && actions(&pool, at: start) == [.start])
        pool.startFailed(at: start)
        #expect(actions(&pool, at: start) == [.handOver(trial, id(1), isSuspect: false), .start])
        #expect(pool.queueDepth == 1, "who asked for this version waits for the next try")
    }

    @Test func startsThatFailForOutsideReasonsAreTriedAgainSoonHoweverOften() throws {
        for isBlameless in [true, false] {
            var pool = Pool(settings: PoolSettings(), demand: .kept)
            _ = try arrive(&pool, id(1), deadline: nil, at: start)
            var (now, waits) = (start, [Instant.Span]())
            for _ in 0..<8 {
                #expect(actions(&pool, at: now) == [.start])
                pool.startFailed(isBlameless: isBlameless, at: now)
                let wait = (0...400).lazy.map { Instant.Span.milliseconds($0 * 100) }.first { [now] wait in
                    var copy = pool
                    return copy.next(at: now + wait) == .start
                }
                waits.append(try #require(wait))
                now = now + waits[waits.count - 1]
            }
            #expect(waits[0] == .zero, "the first costs nothing")
            let last = try #require(waits.last)
            #expect(isBlameless ? last <= .milliseconds(300) : last >= .seconds(5))
        }
    }

    @Test func aRequestThatCannotBeHandedOverLeavesNothingBehind() throws {
        var (pool, tickets) = try loaded(2)
        let first = InstanceID(rawValue: 1)
        #expect(pool.withdrawn(tickets[0], from: InstanceID(rawValue: 7)) == nil, "another one has it")
        #expect(pool.withdrawn(tickets[0], from: first) == .own)
        #expect(pool.withdrawn(tickets[0], from: first) == nil, "it is gone")
        #expect(pool.outstanding(of: first) == 1 && actions(&pool, at: start).isEmpty)
        #expect(pool.replied(tickets[0], by: first, at: start) == .unknown)
        #expect(pool.replied(tickets[1], by: first, at: start) == .deliver(id(1)))
        let copy = try accept(copyTo: &pool)
        _ = actions(&pool, at: start)
        #expect(pool.withdrawn(copy, from: first) == .shadow)
        #expect(pool.isIdle)
    }

    @Test func copiesRunOnlyWhenNobodyWaits() throws {
        var (pool, tickets) = try loaded(1)
        let copy = try accept(copyTo: &pool), other = try accept(copyTo: &pool)
        #expect(actions(&pool, at: start).isEmpty, "the instance has a caller's request")
        let first = InstanceID(rawValue: 1)
        #expect(pool.replied(tickets[0], by: first, at: start) == .deliver(id(0)))
        let caller = try arrive(&pool, id(1), at: start)
        #expect(actions(&pool, at: start) == [.dispatch(caller, id(1), first)])
        #expect(pool.replied(caller, by: first, at: start) == .deliver(id(1)))
        #expect(actions(&pool, at: start) == [.dispatch(copy, RequestID(rawValue: .max), first)], "one at a time")
        #expect(pool.replied(copy, by: first, at: start) == .compared)
        _ = actions(&pool, at: start)
        pool.instanceExited(first, taken: { _ in true }, at: start)
        #expect(actions(&pool, at: start).contains(.dropShadow(other, .death)), "a copy is not run again")
        #expect(pool.isIdle)
    }

    @Test func copiesAreRefusedRatherThanWaitForRoom() throws {
        var pool = Pool(settings: PoolSettings(instancesMax: 1))
        var accepted = 0
        for _ in 0..<20 where pool.copied(at: start) != nil { accepted += 1 }
        #expect(accepted == 8 && pool.hasNoCallers && !pool.isIdle)
        #expect(actions(&pool, at: start) == [.start], "one instance serves all copies")
        pool.startRefused(at: start)
        #expect(actions(&pool, at: start).count == 8 && pool.isIdle, "no room is made for copies")
        let later = pool.copied(at: start)
        #expect(later == nil)
    }

    @Test func deathsWithoutAnAnswerAreFollowedByLongerAndLongerWaits() {
        var pool = Pool(settings: PoolSettings(instancesMin: 1), demand: .kept)
        var waits: [Double] = []
        var now = start
        for round in 0..<6 as Range<UInt32> {
            if let wake = pool.wakeUp, wake > now {
                waits.append((wake - now).milliseconds)
                #expect(actions(&pool, at: now).isEmpty)
                now = wake
            }
            #expect(actions(&pool, at: now) == [.start])
            pool.instanceAdded(InstanceID(rawValue: round), at: now)
            pool.instanceExited(InstanceID(rawValue: round), taken: { _ in false }, at: now)
        }
        #expect(waits == [100, 200, 400, 800])
    }

    @Test func aStuckPredictIsKilledAndOnlyTheOneThatIsAloneIsBlamed() throws {
        var (pool, tickets) = try loaded(2)
        let later = start + .seconds(10)
        tickets.append(try arrive(&pool, id(2), at: later))
        _ = actions(&pool, at: later)
        let timeout = start + .seconds(30)
        pool.tick(at: timeout, resolution: .zero)
        let first = InstanceID(rawValue: 1)
        #expect(Set(actions(&pool, at: timeout)) == [.fail(id(0), .timeout), .fail(id(1), .timeout), .kill(first)])
        pool.instanceExited(first, taken: { _ in true }, at: timeout)
        #expect(actions(&pool, at: timeout) == [.start])
        pool.instanceAdded(InstanceID(rawValue: 2), at: timeout)
        #expect(actions(&pool, at: timeout) == [.dispatch(tickets[2], id(2), InstanceID(rawValue: 2))])
    }

    @Test func aClientsOwnDeadlineAnswersButNeverKills() throws {
        var pool = try loaded(0).0
        let ticket = try arrive(&pool, id(9), deadline: start + .milliseconds(250), at: start)
        _ = actions(&pool, at: start)
        let late = start + .milliseconds(250)
        pool.tick(at: late, resolution: .zero)
        #expect(actions(&pool, at: late) == [.fail(id(9), .timeout)])
        #expect(pool.replied(ticket, by: InstanceID(rawValue: 1), at: late) == .drop)
    }

    @Test func ticketsFromOutsideAreNeverBelieved() throws {
        var (pool, tickets) = try loaded(1)
        let stranger = InstanceID(rawValue: 2)
        #expect(pool.replied(tickets[0], by: stranger, at: start) == .unknown)
        for raw: UInt64 in [0xFFFF_FFFF, 1 << 63, 77, tickets[0].rawValue | 1 << 40] {
            #expect(pool.replied(Ticket(rawValue: raw), by: InstanceID(rawValue: 1), at: start) == .unknown)
        }
    }

    @Test func aRingThatIsEmptyAndYetFullEndsItsInstance() throws {
        var (pool, tickets) = try loaded(1)
        pool.noRoom(tickets[0], on: InstanceID(rawValue: 1))
        #expect(actions(&pool, at: start) == [.kill(InstanceID(rawValue: 1))])
    }

    @Test func withoutTrafficAnInstanceComesOnDemandAndGoesWhenIdle() throws {
        var pool = Pool(settings: PoolSettings(idle: .seconds(60)), demand: .onDemand)
        #expect(actions(&pool, at: start).isEmpty)
        let ticket = try arrive(&pool, id(1), at: start)
        #expect(actions(&pool, at: start) == [.start])
        let only = InstanceID(rawValue: 1)
        pool.instanceAdded(only, at: start)
        _ = actions(&pool, at: start)
        #expect(pool.replied(ticket, by: only, at: start) == .deliver(id(1)))
        #expect(actions(&pool, at: start).isEmpty)
        let idle = try #require(pool.wakeUp)
        #expect(actions(&pool, at: idle) == [.stop(only)])
    }
}
