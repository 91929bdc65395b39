import RoostBasics
import RoostDelivery
import Testing

@Suite struct ScheduleMachineTests {
    func machine(_ missed: ScheduleMachine.Missed, _ cron: String = "0 * * * *", from: String) throws -> ScheduleMachine
    {
        ScheduleMachine(try CronSchedule(cron), in: .utc, missed: missed, accounted: try Zones.utc(from))
    }

    @Test func aDueTimeRunsOnceAndIsWaitedFor() throws {
        var machine = try machine(.skip, from: "2026-01-01 00:10")
        let due = try Zones.utc("2026-01-01 01:00")
        #expect(machine.look(at: due - 1) == .wait(until: due) && machine.nextDue == due)
        #expect(machine.look(at: due) == .run(due: due))
        machine.started(due: due)
        machine.ended()
        #expect(machine.look(at: due) == .wait(until: due + 3600))
        #expect(machine.accounted == due)
    }

    /// The host was away from 01:30 on.
    @Test(arguments: [
        ("2026-01-01 05:30", ScheduleMachine.Missed.skip, nil, "2026-01-01 06:00"),
        ("2026-01-01 05:30", .once, "2026-01-01 05:00", "2026-01-01 06:00"),
        ("2026-01-01 05:01", .skip, "2026-01-01 05:00", "2026-01-01 06:00"),  // late, but not missed
        ("2026-01-01 05:01:01", .skip, nil, "2026-01-01 06:00"),
        ("2026-01-01 01:59", .once, nil, "2026-01-01 02:00"),
        ("2030-01-01 00:30", .once, "2030-01-01 00:00", "2030-01-01 01:00"),
    ])
    func whatWasMissedRunsOnceOrNotAtAll(
        _ now: String, _ missed: ScheduleMachine.Missed, _ run: String?, _ next: String
    ) throws {
        var machine = try machine(missed, from: "2026-01-01 01:00")
        let wall = try Zones.utc(now), decision = machine.look(at: wall)
        if let run {
            let due = try Zones.utc(run)
            #expect(decision == .run(due: due))
            machine.started(due: due)
            machine.ended()
        }
        #expect(machine.look(at: wall) == .wait(until: try Zones.utc(next)))
    }

    @Test(arguments: ScheduleMachine.Missed.allCases)
    func runsDoNotOverlap(_ missed: ScheduleMachine.Missed) throws {
        var machine = try machine(missed, from: "2026-01-01 00:10")
        let due = try Zones.utc("2026-01-01 01:00")
        machine.started(due: due)
        #expect(machine.look(at: due + 2 * 3600 + 1800) == .wait(until: due + 3600))
        machine.ended()
        let decision = machine.look(at: due + 2 * 3600 + 1800)
        #expect(decision == (missed == .once ? .run(due: due + 7200) : .wait(until: due + 3 * 3600)))
    }

    /// A clock that goes back a little has everything run once; one that was wrong by years is not waited for.
    @Test func clocksThatGoBackDoNotRunAnythingTwice() throws {
        var machine = try machine(.once, from: "2026-01-01 00:10")
        let due = try Zones.utc("2026-01-01 01:00")
        machine.started(due: due)
        machine.ended()
        #expect(machine.look(at: due - 1800) == .wait(until: due + 3600))
        var wrong = ScheduleMachine(
            try CronSchedule("0 * * * *"), in: .utc, missed: .once, accounted: try Zones.utc("2050-01-01 00:00"))
        #expect(wrong.look(at: due + 1800) == .wait(until: due + 3600))
        #expect(wrong.accounted == due + 1800)
    }

    /// Whatever the clock does within three hours, no due time runs twice, and dues run in order.
    @Test func randomClocks() throws {
        var dice = SplitMix(state: 9)
        for _ in 0..<50 {
            var machine = try machine(dice.unit() < 0.5 ? .once : .skip, "*/7 * * * *", from: "2026-01-01 00:00")
            var wall = try Zones.utc("2026-01-01 00:00"), last = wall
            for _ in 0..<200 {
                wall += .random(in: -1500...2500, using: &dice)
                if dice.unit() < 0.3 { machine.ended() }
                if dice.unit() < 0.1 {  // a restart
                    machine = ScheduleMachine(
                        machine.schedule, in: .utc, missed: machine.missed, accounted: machine.accounted,
                        isRunning: machine.isRunning)
                }
                if case .run(let due) = machine.look(at: wall) {
                    #expect(due > last && due <= wall && due % 3600 % 420 == 0)
                    #expect(!machine.isRunning)
                    machine.started(due: due)
                    last = due
                }
            }
            #expect(last > (try Zones.utc("2026-01-01 03:00")))
        }
    }
}
