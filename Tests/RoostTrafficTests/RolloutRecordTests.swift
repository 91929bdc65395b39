import RoostBasics
import RoostJSON
import RoostTraffic
import Testing

@Suite struct RolloutRecordTests {
    @Test func anotherHostGoesOnWithTheTimeThatWasLeft() throws {
        var course = RolloutCourse(try RolloutPlan(RolloutTests.pausing), at: Instant(nanoseconds: 5_000_000_000_000))
        course.run(RolloutTests.toFirst + [.proven, .proven])
        #expect(course.rollout.wakeAt == course.now + .seconds(40))
        let booted = Instant(nanoseconds: 3_000_000_000)
        var kept = try course.rollout.kept(at: booted)
        #expect(kept == course.rollout && kept.wakeAt == booted + .seconds(40))
        #expect(kept.restored(at: booted) == [.setShares(kept.shares)])
        #expect(kept.tick(Verdict([.of(.errors, .proven)]), samples: 200, at: booted + .seconds(39)).isEmpty)
        #expect(!kept.tick(Verdict([.of(.errors, .proven)]), samples: 200, at: booted + .seconds(40)).isEmpty)
        #expect(kept.share == 50)
    }

    @Test func anotherHostAsksAgainWhatWasNotAnswered() throws {
        var course = RolloutCourse(try RolloutPlan(RolloutTests.gated))
        course.run([.started, .ready])
        var kept = try course.rollout.kept(at: course.now)
        let actions = kept.restored(at: course.now)
        guard case .callGate(let call) = actions.last else { throw RolloutFault(text: "\(actions)") }
        #expect(call.gate.url.text == "http://ci/start" && call.call == 2 && call.body["at"] == "start")
        #expect(kept.gateAnswered(call: 1, .passed, at: course.now).isEmpty)
        #expect(kept.gateAnswered(call: 2, .passed, at: course.now) == [.startReplay(call: 3)])
        #expect(kept.restored(at: course.now).last == .startReplay(call: 4))
    }

    @Test func nothingIsRestoredAfterTheEnd() throws {
        var course = RolloutCourse(try RolloutPlan(RolloutTests.plain))
        course.run(RolloutTests.toFirst + [.abort])
        var kept = try course.rollout.kept(at: course.now)
        #expect(kept == course.rollout && kept.restored(at: course.now).isEmpty)
    }

    /// Records are changed by people and disks; each of these would trap or give away traffic. No value: no key.
    static let broken: [(String, String?)] = [
        ("stage", "9"), ("stage", "-1"), ("stage", "3"), ("canary", "\"2\""), ("canary", "\"x\""),
        ("plan", "false"), ("plan", "{\"steps\": [1]}"), ("bake", "\"-1s\""), ("state", "{\"is\": \"asleep\"}"),
        ("state", "{\"is\": \"baking\"}"), ("state", "{\"is\": \"promoted\", \"unproven\": []}"),
        ("state", "{\"is\": \"pending\"}"), ("state", "{\"is\": \"gate\", \"gate\": 0, \"call\": 1}"),
        ("state", "{\"is\": \"paused\"}"), ("state", "{\"is\": \"waiting\"}"), ("state", "{\"is\": \"pausing\"}"),
        ("times", nil), ("times", "{\"total_ns\": -5}"), ("samples", "\"many\""), ("preparation", "\"lunch\""),
        ("accepted", "[\"luck\"]"), ("doubts", "[{}]"), ("verdict", "[{\"metric\": \"errors\"}]"),
        ("queued", "\"\""), ("calls", nil), ("stratum", "-1"),
    ]

    @Test(arguments: broken)
    func brokenRecordsAreRefused(_ key: String, _ text: String?) throws {
        var course = RolloutCourse(try RolloutPlan(RolloutTests.plain))
        course.run(RolloutTests.toFirst + [.open])
        var record = try #require(course.rollout.json.objectValue)
        record[key] = try text.map { try JSONValue(parsing: $0) }
        let document = try JSONDocument(parsing: JSONValue.object(record).compact, source: "record")
        #expect(throws: JSONError.self) { try Rollout(document.root, at: course.now) }
    }

    @Test func machinesReadTheSameAsPeople() throws {
        var course = RolloutCourse(try RolloutPlan(RolloutTests.plain))
        course.run(RolloutTests.toFirst + [.few, .newer])
        let status = course.rollout.status(at: course.now + .seconds(20))
        #expect(status["state"] == "waiting" && status["share"] == 10 && status["next_share"] == 50)
        #expect(status["step"] == 1 && status["steps"] == 3 && status["queued"] == "4")
        #expect(status["missing"] == ["12 of 200 requests in this step"] && status["reason"] == nil)
        #expect(status["next_look_s"] == 40.0 && status["step_s"] == 80.0)
        #expect(
            status["explanation"]
                == .string(
                    "step 1 of 3: 10 % of traffic since 1 min 20 s; waiting: 12 of 200 requests in this step; "
                        + "next look in 40 s; version 4 is next"))
    }
}
