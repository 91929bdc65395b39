import RoostBasics
import RoostLoad
import Testing

@Suite struct LoadMachineTests {
    @Test func requestsAreSentWhenTheyAreDueWhateverTheAnswersDo() {
        var world = World(rate: 100, for: .seconds(1), answer: after(.milliseconds(35)))
        world.run()
        #expect(world.sent == (0..<100).map { world.start + .milliseconds(10 * $0) })
        #expect(world.tally.latency.percentile(100) == .milliseconds(35))
        #expect(world.tally.latency.mean == .milliseconds(35))
        #expect(world.connects == 4, "35 ms of every 10 ms")
        #expect(world.tally.connectionsPeak == 4)
        #expect(world.tally.isSuccess)
    }

    /// The test of the trade: a host that stops for a second in a load of 100 a second.
    @Test func aStallCountsForEveryRequestThatWasDueInIt() {
        let stall = World(rate: 1, for: .seconds(1), answer: after(.zero)).start + .seconds(1)
        var free = stall
        var world = World(rate: 100, for: .seconds(3), connections: 1) { sent in
            // One at a time, a millisecond each; nothing in the second of the stall.
            var begin = max(sent, free)
            if begin >= stall, begin < stall + .seconds(1) { begin = stall + .seconds(1) }
            free = begin + .milliseconds(1)
            return (free, Reply(status: 200))
        }
        free = world.start
        world.run()
        // The same queue, worked out from the due times alone.
        var expected: [Instant.Span] = []
        var done = world.start
        for number in 0..<300 as Range<UInt64> {
            let due = world.start + .milliseconds(10 * number)
            var begin = max(due, done)
            if begin >= stall, begin < stall + .seconds(1) { begin = stall + .seconds(1) }
            done = begin + .milliseconds(1)
            expected.append(done - due)
        }
        #expect(world.tally.latency.count == 300)
        #expect(world.tally.latency.max == .milliseconds(1001))
        #expect(world.tally.latency.max == expected.max())
        for percent in [50, 60, 70, 80, 90, 99] as [Double] {
            let truth = expected.sorted()[Int((3 * percent).rounded(.up)) - 1]
            let answer = world.tally.latency.percentile(percent) ?? .zero
            #expect(answer >= truth && answer.milliseconds <= truth.milliseconds * 1.01, "p\(percent)")
        }
        // A generator that waits for answers would have met the stall once; here a third of all requests did.
        #expect(expected.count { $0 > .milliseconds(100) } > 90)
        #expect(world.tally.latency.percentile(70) ?? .zero > .milliseconds(100))
        #expect(world.tally.late.count == 0, "waiting for the host is not the generator's lateness")
    }

    @Test func beyondTheLimitOfConnectionsRequestsWaitTheirTurn() {
        var world = World(rate: 1000, for: .milliseconds(100), connections: 4, answer: after(.milliseconds(10)))
        world.run()
        // 100 requests, four at a time, 10 ms each, the last of the four connections from 3 ms on.
        #expect(world.tally[.ok] == 100)
        #expect(world.connects == 4)
        #expect(world.now - world.start == .milliseconds(253))
        #expect(world.tally.latency.max == .milliseconds(253 - 99))
        #expect(world.tally.wait.max == .milliseconds(243 - 99))
    }

    @Test func aSlowConnectionIsNotOpenedTwiceForOneRequest() {
        var world = World(rate: 10, for: .milliseconds(100), answer: after(.zero))
        world.connectTime = .milliseconds(50)
        world.run()
        #expect(world.connects == 1)
        #expect(world.tally.latency.max == .milliseconds(50), "connecting counts")
    }

    @Test func patienceEndsForWhatWaitsForAConnection() {
        var world = World(rate: 10, for: .seconds(1), patience: .milliseconds(500), answer: after(.zero))
        world.connectTime = .milliseconds(750)
        world.run()
        // The first three are given up before the first connection is there, which then takes all others.
        #expect(world.tally[.noAnswer] == 3)
        #expect(world.tally[.ok] == 7)
        #expect(world.tally.latency.max == .milliseconds(450))
        #expect(world.tally.faults.map(\.message) == ["no connection was free for 500ms"])
    }

    @Test func patienceEndsForWhatIsUnderWay() {
        var world = World(rate: 10, for: .seconds(1), connections: 2, patience: .milliseconds(500)) { _ in nil }
        world.run()
        #expect(world.tally[.noAnswer] == 10)
        #expect(world.tally.failedLatency.percentile(0) == .milliseconds(500))
        #expect(world.tally.failedLatency.max == .milliseconds(500), "each exactly when its time is over")
        #expect(world.now - world.start == .milliseconds(1400))
        #expect(world.log.contains { $0.action == .disconnect(slot: 0) })
        #expect(!world.tally.isSuccess)
        #expect(world.tally.latency.count == 0)
        #expect(world.tally.faults.map(\.message) == ["no answer within 500ms"])
    }

    @Test func aConnectionThatCannotBeMadeFailsTheOldestWaitingRequest() {
        var machine = LoadMachine(
            Arrivals(rate: 10, duration: .milliseconds(200)), connectionsMax: 1, patience: .seconds(1), start: zero)
        #expect(machine.next(at: zero) == .connect(slot: 0))
        #expect(machine.next(at: zero) == nil)
        machine.lost(0, because: "refused", at: zero + .milliseconds(100))
        #expect(machine.tally[.connectionError] == 1)
        #expect(machine.tally.faults.first?.message == "refused")
        #expect(machine.tally.failedLatency.max == .milliseconds(100))
        #expect(machine.next(at: zero + .milliseconds(100)) == .connect(slot: 0), "the second one tries again")
        machine.connected(0)
        #expect(machine.next(at: zero + .milliseconds(100)) == .send(slot: 0))
        machine.lost(0, because: "broken", at: zero + .milliseconds(150))
        #expect(machine.tally[.connectionError] == 2)
        #expect(machine.tally.faults.map(\.message) == ["refused", "broken"])
        #expect(machine.isFinished)
    }

    @Test func anIdleConnectionMayGoWithoutHarm() {
        var machine = LoadMachine(
            Arrivals(rate: 10, duration: .milliseconds(200)), connectionsMax: 8, patience: .seconds(1), start: zero)
        #expect(machine.next(at: zero) == .connect(slot: 0))
        machine.connected(0)
        #expect(machine.next(at: zero) == .send(slot: 0))
        machine.replied(0, Reply(status: 200), at: zero)
        machine.lost(0, because: "closed", at: zero)
        #expect(machine.next(at: zero) == nil)
        #expect(machine.next(at: zero + .milliseconds(100)) == .connect(slot: 0))
        #expect(machine.tally[.connectionError] == 0)
    }

    @Test func aConnectionThatTheHostGivesUpIsClosedAndReplaced() {
        var world = World(rate: 10, for: .seconds(1)) { sent in
            (sent, Reply(status: 200, keepsConnection: false))
        }
        world.run()
        #expect(world.tally[.ok] == 10)
        #expect(world.connects == 10)
        #expect(world.tally.connectionsPeak == 1)
        #expect(world.log.count { if case .disconnect = $0.action { true } else { false } } == 10)
    }

    @Test func onlyTheGeneratorsOwnDelayIsCalledLate() {
        var machine = LoadMachine(
            Arrivals(rate: 1000, duration: .milliseconds(10)), connectionsMax: 1, patience: .seconds(1), start: zero)
        while machine.next(at: zero + .milliseconds(5)) != nil {}
        // Those due at 0, 1, 2 and 3 ms; the one of 4 ms is exactly at the limit.
        #expect(machine.tally.due == 6)
        #expect(machine.tally.late.count == 4)
        #expect(machine.tally.late.max == .milliseconds(5))
    }

    @Test func anInterruptEndsAtOnceAndSaysWhatItCutOff() {
        var world = World(rate: 100, for: .seconds(10), connections: 2) { _ in nil }
        while world.now - world.start < .milliseconds(500) { _ = world.step() }
        world.machine.interrupt()
        #expect(world.machine.isFinished)
        #expect(world.machine.wake == nil)
        #expect(world.machine.next(at: world.now) == nil)
        #expect(world.tally.isInterrupted)
        #expect(world.tally[.interrupted] == world.tally.due)
        #expect(!world.tally.isSuccess, "nothing was answered")
    }

    @Test func repliesAreSortedByKindVersionAndPhase() {
        let statuses = [200, 201, 400, 404, 429, 500, 502, 503, 504, 302]
        var number = 0
        var world = World(rate: 10, for: .seconds(1)) { sent in
            var reply = Reply(status: statuses[number], version: number < 3 ? "2" : "10", message: "m\(number)")
            reply.timing.queue = .milliseconds(UInt64(number))
            if number == 1 { reply.timing.fork = .milliseconds(3) }
            number += 1
            return (sent + .milliseconds(1), reply)
        }
        world.run()
        let tally = world.tally
        #expect(Outcome.allCases.map { tally[$0] } == [2, 3, 2, 1, 1, 1, 0, 0, 0])
        #expect(tally.versions == ["2": 3, "10": 7])
        #expect(tally.coldLatency.count == 1)
        #expect(tally[PhaseTimes.Phase.queue].max == .milliseconds(9))
        #expect(tally[PhaseTimes.Phase.fork].count == 1)
        #expect(tally.faults.map(\.message) == (2..<10).map { "m\($0)" })
        #expect(tally.answered == 10)
    }

    @Test func versionsWithoutEndStayBounded() {
        var number = 0
        var world = World(rate: 1000, for: .seconds(1)) { sent in
            number += 1
            return (sent, Reply(status: 200 + number % 400, version: "\(number)"))
        }
        world.run()
        #expect(world.tally.versions.count == LoadTally.versionsMax + 1)
        #expect(world.tally.versions["…"] == 1000 - UInt64(LoadTally.versionsMax))
        #expect(world.tally.faults.count == LoadTally.faultsMax)
    }

    /// Nothing is lost or counted twice, whatever happens in whatever order.
    @Test(arguments: 1...40 as ClosedRange<UInt64>) func everyRequestHasOneOutcome(seed: UInt64) {
        var random = SplitMix(state: seed)
        let connections = Int.random(in: 1...5, using: &random)
        var machine = LoadMachine(
            Arrivals(rate: 1000, duration: .milliseconds(200), pattern: .poisson, seed: seed),
            connectionsMax: connections, patience: .milliseconds(40), start: zero)
        var (connecting, busy, idle): (Set<Int>, Set<Int>, Set<Int>) = ([], [], [])
        var now = zero
        for _ in 0..<5000 where !machine.isFinished {
            now = now + .microseconds(UInt64.random(in: 0...2000, using: &random))
            while let action = machine.next(at: now) {
                switch action {
                case .connect(let slot): #expect(!busy.contains(slot) && connecting.insert(slot).inserted)
                case .send(let slot):
                    #expect(idle.remove(slot) != nil)
                    busy.insert(slot)
                case .disconnect(let slot): #expect(busy.remove(slot) != nil)
                }
            }
            #expect(connecting.count + busy.count + idle.count <= connections)
            if let slot = connecting.randomElement(using: &random) {
                connecting.remove(slot)
                if Bool.random(using: &random) {
                    machine.connected(slot)
                    idle.insert(slot)
                } else {
                    machine.lost(slot, because: "refused", at: now)
                }
            }
            if let slot = busy.randomElement(using: &random), Int.random(in: 0..<3, using: &random) > 0 {
                if Int.random(in: 0..<5, using: &random) > 0 {
                    machine.replied(slot, Reply(status: 200), at: now)
                    idle.insert(slot)
                } else {
                    machine.lost(slot, because: "broken", at: now)
                }
                busy.remove(slot)
            }
            let outcomes = Outcome.allCases.map { machine.tally[$0] }.reduce(0, +)
            #expect(machine.tally.due == outcomes + machine.waiting + UInt64(machine.underWay))
        }
        #expect(machine.isFinished)
        #expect(machine.tally[.ok] == machine.tally.latency.count)
    }
}

private let zero = Instant(nanoseconds: 5_000_000_000)
