import RoostBasics
import RoostJSON
import RoostTraffic
import Testing

/// The rules, each by the shortest course of events that shows it.
@Suite struct RolloutTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let plan: String
        var bake = Instant.Span.zero
        let events: [RolloutEvent]
        let state: String
        let share: Int
        /// Somewhere in what the rollout says of itself.
        let says: String

        var testDescription: String { name }
    }

    static let plain = "{\"steps\": [10, 50, 100]}"
    static let toFirst: [RolloutEvent] = [.started, .ready, .replayPassed]
    static let toSecond = toFirst + [.proven]
    static let toEnd = toSecond + [.proven]

    static func row(
        _ name: String, bake: Instant.Span = .zero, _ events: [RolloutEvent], _ state: String, _ share: Int,
        _ says: String
    ) -> Row { Row(name: name, plan: plain, bake: bake, events: events, state: state, share: share, says: says) }

    static func row(
        _ name: String, _ plan: String, bake: Instant.Span = .zero, _ events: [RolloutEvent], _ state: String,
        _ share: Int, _ says: String
    ) -> Row { Row(name: name, plan: plan, bake: bake, events: events, state: state, share: share, says: says) }

    static let forward: [Row] = [
        row("nobody takes traffic before the canary is loaded", [.started], "pending", 0, "being loaded"),
        row("a replay comes before the first share", [.started, .ready], "replaying", 0, "recorded requests"),
        row("then the first share", toFirst, "analysing", 10, "step 1 of 3: 10 % of traffic since 0 s"),
        row("an early look does not advance", toFirst + [.early], "analysing", 10, "next look in 1 min"),
        row("proof does", toSecond, "analysing", 50, "step 2 of 3"),
        row("proof of the last step promotes", toEnd, "promoted", 100, "promoted"),
        row("too few requests do not", toFirst + [.few, .few], "waiting", 10, "12 of 200 requests"),
        row("what is open does not", toFirst + [.open], "waiting", 10, "latency: 700 more"),
        row("an analysis without errors proves nothing", toFirst + [.blank], "waiting", 10, "nothing analysed"),
        row("what was missing comes", toFirst + [.open, .few, .proven], "analysing", 50, "step 2 of 3"),
        row(
            "unproven quality is no obstacle, and noted", toSecond + [.unlabelled], "promoted", 100,
            "quality unproven: 0 labels"),
        row(
            "no record to replay is no obstacle, and noted",
            [.started, .ready, .replayUnavailable, .proven, .proven], "promoted", 100, "replay unproven: no record"),
    ]

    static let back: [Row] = [
        row("inferiority aborts", toSecond + [.inferior], "aborted", 0, "errors in words"),
        row("also at an early age", toFirst + [.inferior], "aborted", 0, "all traffic is 2's"),
        row("also when paused", toFirst + [.pause, .inferior], "aborted", 0, "errors in words"),
        row("a death aborts", toFirst + [.died], "aborted", 0, "it died: signal 11"),
        row("also when paused", toFirst + [.pause, .died], "aborted", 0, "signal 11"),
        row("also before it has traffic", [.started, .ready, .died], "aborted", 0, "signal 11"),
        row("a lost canary aborts", toFirst + [.lost], "aborted", 0, "its file is gone"),
        row("a failed replay aborts", [.started, .ready, .replayFailed], "aborted", 0, "500 of 1,000 fail"),
        row("a person aborts", toSecond + [.abort], "aborted", 0, "by ada: no"),
    ]

    static let pauses: [Row] = [
        row("an alarm pauses", toFirst + [.alarming], "paused", 10, "agreement in words"),
        row("and stays when it is seen again", toFirst + [.alarming, .alarming], "paused", 10, "agreement"),
        row("resuming accepts it", toFirst + [.alarming, .resume, .alarming], "analysing", 50, "step 2"),
        row(
            "for good, and it is noted", toFirst + [.alarming, .resume, .alarming, .alarming], "promoted", 100,
            "agreement accepted by ada"),
        row(
            "an alarm of the replay pauses before the first share", [.started, .ready, .replayAlarming], "paused", 0,
            "800 of 1,000 differ"),
        row(
            "resuming accepts that too", [.started, .ready, .replayAlarming, .resume, .proven], "analysing", 10,
            "step 1"),
        row("a person pauses", toFirst + [.pause, .proven, .proven], "paused", 10, "by ada"),
        row("and resumes, where it was", toSecond + [.pause, .resume], "analysing", 50, "next look in 0 s"),
        row("a paused loading is loading again", [.started, .pause, .resume], "pending", 0, "being loaded"),
        row(
            "a canary that came meanwhile is not waited for", [.started, .pause, .ready, .resume, .proven],
            "replaying", 0, "recorded"),
        row(
            "a pause of the plan comes after the proof", pausing, toFirst + [.proven], "pausing", 10,
            "pauses for 1 min 40 s more"),
        row("it needs its time", pausing, toFirst + [.proven, .proven], "pausing", 10, "pauses for 40 s more"),
        row("and then goes on", pausing, toFirst + [.proven, .proven, .proven], "analysing", 50, "step 2"),
        row("if it is still proven", pausing, toFirst + [.proven, .proven, .open], "waiting", 10, "700 more"),
        row("a person may end it", pausing, toFirst + [.proven, .resume, .proven], "analysing", 50, "step 2"),
        row(
            "one without end waits for that", waiting, toFirst + [.proven, .proven, .lateOpen], "pausing", 10,
            "until `roost rollout resume`"),
        row(
            "alarms are heard in a pause of the plan, which goes on afterwards", pausing,
            toFirst + [.proven, .alarming, .resume], "pausing", 10, "pauses for 40 s more"),
    ]
    static let pausing = "{\"steps\": [10, {\"pause\": \"100s\"}, 50, 100]}"
    static let waiting = "{\"steps\": [10, {\"pause\": true}, 50, 100]}"

    static func without(_ policy: String, _ more: String = "") -> String {
        "{\"steps\": [10, 50, 100], \"without_traffic\": \"\(policy)\"\(more)}"
    }

    static let time: [Row] = [
        row("too little traffic waits", toFirst + [.lateFew], "waiting", 10, "24h passed once without enough traffic"),
        row("for as long as it takes", toFirst + [.lateFew, .lateFew, .proven], "analysing", 50, "passed 2 times"),
        row(
            "or promotes, unproven", without("promote"), toFirst + [.lateFew], "promoted", 100,
            "too little traffic: 12 of 200 requests in step 1 of 3 (10 %) within 24h"),
        row("or aborts", without("abort"), toFirst + [.lateFew], "aborted", 0, "too little traffic"),
        row("or replays", without("replay"), toFirst + [.lateFew], "replaying", 10, "recorded requests"),
        row(
            "which promotes, and says so", without("replay"), toFirst + [.lateFew, .replayPassed], "promoted", 100,
            "replay: 1,000 requests, 2 differ"),
        row(
            "or waits on without a record", without("replay"), toFirst + [.lateFew, .replayUnavailable], "waiting", 10,
            "12 of 200"),
        row("or aborts", without("replay"), toFirst + [.lateFew, .replayFailed], "aborted", 0, "500 of 1,000"),
        row("or pauses", without("replay"), toFirst + [.lateFew, .replayAlarming], "paused", 10, "800 of 1,000"),
        row(
            "what is open with enough traffic pauses in the end", without("promote"), toFirst + [.lateOpen],
            "paused", 10, "undecided after 24h: latency: 700 more"),
        row("resuming grants as much again", toFirst + [.lateOpen, .resume, .open, .open], "waiting", 10, "700"),
        row("a canary that does not load pauses", [.started, .lateOpen], "paused", 0, "version 3 is not loaded"),
        row("a replay that does not end pauses", [.started, .ready, .lateOpen], "paused", 0, "does not end"),
    ]

    static let gated = """
        {"steps": [10, 100], "gates": [{"url": "http://ci/go", "at": "before-promotion"}, \
        {"url": "http://ci/start", "at": "start"}, {"url": "http://ci/step", "at": "before-step", "timeout": "5s"}]}
        """
    static let gates: [Row] = [
        row("the start is asked for", gated, [.started, .ready], "gate", 0, "gate http://ci/start"),
        row("before the replay", gated, [.started, .ready, .gatePassed], "replaying", 0, "recorded"),
        row("then the first share", gated, [.started, .ready, .gatePassed, .replayPassed], "gate", 0, "ci/step"),
        row(
            "which comes when it is granted", gated, [.started, .ready, .gatePassed, .replayPassed, .gatePassed],
            "analysing", 10, "step 1 of 2"),
        row(
            "the promotion is asked for after the proof",
            gated, [.started, .ready, .gatePassed, .replayPassed, .gatePassed, .proven], "gate", 10, "ci/go"),
        row("and comes when it is granted", gated, gatedToEnd + [.gatePassed], "promoted", 100, "promoted"),
        row(
            "a refusal waits", gated, gatedToEnd + [.gateRefused], "waiting", 10,
            "gate http://ci/go: 503; next look in 1 min"),
        row("and is asked again", gated, gatedToEnd + [.gateRefused, .proven], "gate", 10, "ci/go"),
        row("unless it is not proven any more", gated, gatedToEnd + [.gateRefused, .open], "waiting", 10, "700 more"),
        row("nor after the gate has thought", gated, gatedToEnd + [.early, .gatePassed], "waiting", 10, "700 more"),
        row("silence is a refusal", gated, gatedToEnd + [.proven], "waiting", 10, "no answer within 10s"),
        row("a refused start is asked again", gated, [.started, .ready, .gateRefused, .proven], "gate", 0, "ci/start"),
        row("until it takes too long", gated, [.started, .ready, .gateRefused, .lateOpen], "paused", 0, "503"),
        row("inferiority aborts while a gate thinks", gated, gatedToEnd + [.inferior], "aborted", 0, "errors"),
        row("a person needs no gate", gated, [.started, .ready, .promote], "promoted", 100, "promoted by ada before"),
    ]
    static let gatedToEnd: [RolloutEvent] = [.started, .ready, .gatePassed, .replayPassed, .gatePassed, .proven]

    static let baked: [Row] = [
        row("a promotion bakes", bake: .seconds(100), toEnd, "baking", 100, "reversible for 1 min 40 s more"),
        row("until its time is over", bake: .seconds(100), toEnd + [.proven, .proven], "promoted", 100, "promoted"),
        row("inferiority reverts it", bake: .seconds(100), toEnd + [.inferior], "aborted", 0, "errors in words"),
        row("so does a death", bake: .seconds(100), toEnd + [.died], "aborted", 0, "signal 11"),
        row("an alarm holds it", bake: .seconds(100), toEnd + [.alarming, .lateOpen], "paused", 100, "agreement"),
        row("and it bakes on", bake: .seconds(100), toEnd + [.alarming, .resume], "baking", 100, "for 40 s more"),
        row("a person ends it", bake: .seconds(100), toEnd + [.promote], "promoted", 100, "ended early by ada"),
        row("a person's promotion bakes too", bake: .seconds(100), toFirst + [.promote], "baking", 100, "reversible"),
    ]

    static let others: [Row] = [
        row("a newer version waits", toFirst + [.newer], "analysing", 10, "version 4 is next"),
        row("or supersedes", "{\"on_newer\": \"supersede\"}", toFirst + [.newer], "aborted", 0, "superseded by 4"),
        row(
            "one that bakes is promoted instead", "{\"steps\": [10, 50, 100], \"on_newer\": \"supersede\"}",
            bake: .seconds(100), toEnd + [.newer], "promoted", 100, "baking ended early, 4 came"),
        row(
            "a stable version that goes is replaced, and the proof begins anew", toSecond + [.open, .stableReplaced],
            "analysing", 50, "since 0 s"),
        row(
            "without another the canary has to do", toFirst + [.stableLost], "promoted", 100,
            "stable version 2 is lost (gone) and there is no other: promoted in step 1 of 3 (10 %)"),
        row(
            "an edited manifest is for the next one", toFirst + [.manifestChanged], "analysing", 10,
            "applies to the next rollout"),
        row("a person promotes", toFirst + [.promote], "promoted", 100, "promoted by ada in step 1 of 3 (10 %)"),
    ]

    @Test(arguments: forward + back + pauses + time + gates + baked + others)
    func rule(_ row: Row) throws {
        var course = RolloutCourse(try RolloutPlan(row.plan, bake: row.bake))
        course.run(row.events)
        let says = course.rollout.explanation(at: course.now)
        #expect(!course.isRefused)
        #expect(course.rollout.state.word == row.state, "\(says)")
        #expect(course.rollout.share == row.share)
        #expect(says.contains(row.says), "it says: \(says)")
    }

    @Test func anAbortIsOneStepBackAndForEver() throws {
        var course = RolloutCourse(try RolloutPlan(Self.plain))
        course.run(Self.toSecond + [.newer, .died])
        let decision = try #require(course.decisions.first)
        #expect(
            course.actions == [
                .audit(decision), .setShares(TrafficShares(all: VersionNumber(2))),
                .reject(VersionNumber(3), reason: "it died: signal 11"), .startQueued(VersionNumber(4)),
            ])
        #expect((decision.kind, decision.from, decision.to) == (.aborted, 50, 0))
        for event in RolloutEvent.allCases {
            course.run([event])
            #expect(course.actions.isEmpty)
        }
        #expect(course.rollout.state == .aborted(reason: "it died: signal 11") && course.rollout.wakeAt == nil)
    }

    @Test func eachShareBeginsAStratumAndIsAudited() throws {
        var course = RolloutCourse(try RolloutPlan(Self.plain))
        course.run(Self.toFirst)
        let (first, second) = (VersionNumber(2), VersionNumber(3)), shares = try TrafficShares([first: 90, second: 10])
        #expect(Array(course.actions.dropFirst()) == [.setShares(shares), .collect(stratum: 1, anew: false)])
        course.run([.proven])
        let decision = try #require(course.decisions.first)
        #expect(course.actions.last == .collect(stratum: 2, anew: false))
        #expect((decision.kind, decision.who, decision.from, decision.to) == (.advanced, "rollout", 10, 50))
        #expect(decision.numbers["samples"] == 5000 && decision.numbers["findings"]?.arrayValue?.count == 2)
        course.run([.stableReplaced])
        #expect(course.actions.last == .collect(stratum: 3, anew: true))
        #expect(course.actions.contains(.setShares(try TrafficShares([VersionNumber(1): 50, second: 50]))))
    }

    @Test func aPromotionSaysWhatItDoesNotKnow() throws {
        var course = RolloutCourse(try RolloutPlan(Self.plain))
        course.run(Self.toSecond + [.unlabelled])
        #expect(course.actions.contains(.promoted(unproven: ["quality unproven: 0 labels"])))
        course = RolloutCourse(try RolloutPlan(Self.plain))
        course.run(Self.toFirst + [.open, .promote])
        #expect(
            course.actions.contains(
                .promoted(unproven: ["promoted by ada in step 1 of 3 (10 %)", "latency unproven: 700 more"])))
    }

    @Test func whatIsKnownByTheEndOfBakingIsNotUnproven() throws {
        var course = RolloutCourse(try RolloutPlan(Self.plain, bake: .seconds(100)))
        course.run(Self.toSecond + [.unlabelled])
        #expect(course.rollout.unproven == ["quality unproven: 0 labels"])
        course.run([.lateLabels])
        #expect(course.actions.contains(.promoted(unproven: [])))
    }

    @Test func aGateThatRefusesAgainAndAgainIsAuditedOnce() throws {
        var course = RolloutCourse(try RolloutPlan(Self.gated))
        course.run(Self.gatedToEnd + [.gateRefused])
        #expect(course.decisions.map(\.kind) == [.gateRefused])
        course.run([.proven, .gateRefused])
        #expect(course.decisions.isEmpty && course.rollout.state.word == "waiting")
    }

    @Test func anAnswerToAnotherQuestionIsIgnored() throws {
        var course = RolloutCourse(try RolloutPlan(Self.gated))
        course.run(Self.gatedToEnd + [.gateRefused, .proven])
        guard case .gate(let index, let call) = course.rollout.state else { throw RolloutFault(text: "no gate") }
        #expect(course.rollout.gateAnswered(call: call - 1, .passed, at: course.now).isEmpty)
        #expect(course.rollout.replayed(call: call, .passed(text: ""), at: course.now).isEmpty)
        #expect(course.rollout.state == .gate(index, call: call))
    }

    @Test func peopleAreToldWhyNot() throws {
        var course = RolloutCourse(try RolloutPlan(Self.plain))
        course.run([.started])
        #expect(throws: RoostError(.conflict, "version 3 is not loaded yet: it cannot be promoted")) {
            try course.rollout.promote(by: "ada", at: course.now)
        }
        #expect(throws: RoostError(.conflict, "the rollout of version 3 is not paused, it is pending")) {
            try course.rollout.resume(by: "ada", at: course.now)
        }
        course.run([.pause])
        #expect(throws: RoostError(.conflict, "the rollout of version 3 is paused already: by ada")) {
            try course.rollout.pause(by: "bob", at: course.now)
        }
        course.run([.abort])
        #expect(
            throws: RoostError(
                .conflict, "the rollout of version 3 was aborted (by ada: no): it cannot be promoted any more")
        ) { try course.rollout.promote(by: "ada", at: course.now) }
    }
}
