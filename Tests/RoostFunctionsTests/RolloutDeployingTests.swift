import RoostBasics
import RoostFunctions
import RoostJSON
import RoostTraffic
import Testing

/// Rollouts as part of deploying: by a plan in the manifest, in a world that obeys and has traffic.
@Suite struct RolloutDeployingTests {
    let credit: FunctionName
    init() throws { credit = try #require(FunctionName("credit")) }

    func id(_ number: UInt32) -> VersionID { VersionID(credit, VersionNumber(number)) }

    func manifest(_ json: String) throws -> Manifest {
        try Manifest(JSONDocument(parsing: json, source: "functions/credit.json"))
    }

    /// credit@1 serves and a plan is in force.
    func planned(_ json: String = #"{"rollout": {"steps": [5, 50, 100], "interval": "60s"}}"#) throws -> World {
        var world = World()
        world.manifest(credit, try manifest(json))
        world.put("credit@1.ubj", Content(name: "a"))
        world.settle()
        #expect(world.route(credit) == "1=100")
        return world
    }

    func state(_ world: World) -> String { world.machine.functions[credit]?.rollout?.state.word ?? "none" }

    @Test func aDropUnderAPlanIsPromotedStepByStep() throws {
        var world = try planned()
        world.put("credit@2.ubj", Content(name: "b"))
        var seen: [String] = []
        for _ in 0..<40 where state(world) != "promoted" {
            world.settle()
            if seen.last != world.route(credit) { seen.append(world.route(credit)) }
            world.advance(.seconds(60))
        }
        world.settle()
        #expect(seen == ["1=95 2=5", "1=50 2=50", "2=100"])
        #expect(state(world) == "promoted")
        let acts = world.audit.filter { $0.version == VersionNumber(2) }.map(\.act)
        #expect(
            acts == ["ready", "rollout_started", "rollout_advanced", "rollout_advanced", "rollout_promoted"])
        // The next one is compared with it.
        world.put("credit@3.ubj", Content(name: "c"))
        world.settle()
        #expect(world.route(credit) == "2=95 3=5")
    }

    /// Another release of the host tries all versions anew, one by one: the older one is ready first.
    @Test func whatWasPromotedStaysSoWithAnotherReleaseOfTheHost() throws {
        var world = try planned()
        world.put("credit@2.ubj", Content(name: "b"))
        for _ in 0..<40 where state(world) != "promoted" { world.settle(); world.advance(.seconds(60)) }
        world.settle()
        #expect(world.route(credit) == "2=100")
        let rollouts = world.audit.count { $0.act == "rollout_started" }
        try world.restart(hostBuild: "build 2")
        world.settle()
        #expect(world.route(credit) == "2=100")
        #expect(world.audit.count { $0.act == "rollout_started" } == rollouts)
        // It is what the next one is compared with.
        world.put("credit@3.ubj", Content(name: "c"))
        world.settle()
        #expect(world.route(credit) == "2=95 3=5")
    }

    @Test func oneThatFailsMoreOftenIsAbortedAndNeverServesAgain() throws {
        var world = try planned()
        world.put("credit@2.ubj", Content(name: "b", failsOneIn: 10))
        world.settle()
        #expect(world.route(credit) == "1=95 2=5")
        for _ in 0..<20 where state(world) != "aborted" { world.advance(.seconds(60)); world.settle() }
        #expect(world.route(credit) == "1=100" && world.state("credit@2") == "rejected")
        #expect(world.reason("credit@2").contains("errors"))
        try world.restart()
        world.settle()
        #expect(world.route(credit) == "1=100" && state(world) == "aborted")
        // A person may try again.
        try world.command { machine, now in try machine.restart(id(2), by: "eva", at: now) }
        world.settle()
        #expect(world.route(credit) == "1=95 2=5")
    }

    @Test func aDeathOfTheCanaryAborts() throws {
        var world = try planned()
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        world.tell(.died(id(1), reason: "signal 9"))
        #expect(world.route(credit) == "1=95 2=5", "the stable version's deaths are not the canary's fault")
        world.tell(.died(id(2), reason: "signal 11"))
        #expect(world.route(credit) == "1=100" && world.reason("credit@2").contains("signal 11"))
    }

    @Test func aRestartGoesOnAtTheSameStepWithTheSameEvidence() throws {
        var world = try planned()
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        world.requestsPerLook = 1000  // too few for a decision
        world.advance(.seconds(60))
        world.settle()
        let before = try #require(world.machine.functions[credit]?.rollout)
        #expect(before.state.word == "waiting" && before.samples == 50)
        // The hour in which no host ran does not count.
        world.now = world.now + .seconds(3600)
        try world.restart()
        while !world.jobs.isEmpty { world.run(0) }
        #expect(world.route(credit) == "1=95 2=5")
        let after = try #require(world.machine.functions[credit]?.rollout)
        #expect(after.json == before.json)
        #expect(world.evidence[credit]?.canary.requests == 50)
        for _ in 0..<200 where state(world) != "promoted" { world.advance(.seconds(60)); world.settle() }
        #expect(world.route(credit) == "2=100")
    }

    @Test(arguments: [false, true]) func aNewBuildOfTheHostGoesOnWithTheRollout(provesCanaryFirst: Bool) throws {
        var world = try planned()
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        #expect(world.route(credit) == "1=95 2=5")
        try world.restart(hostBuild: "build 2")
        world.run(0)
        #expect(world.jobs.count == 2, "both are proven again")
        if provesCanaryFirst { world.jobs.reverse() }
        world.run(0)
        #expect(world.route(credit) == (provesCanaryFirst ? "" : "1=100"), "the canary alone answers nobody")
        while !world.jobs.isEmpty { world.run(0) }
        #expect(world.route(credit) == "1=95 2=5" && state(world) == "analysing")
        for _ in 0..<40 where state(world) != "promoted" { world.advance(.seconds(60)); world.settle() }
        #expect(world.route(credit) == "2=100")
    }

    @Test func aCanaryThatANewBuildCannotProveIsAborted() throws {
        var world = try planned()
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        world.store["b"]?.verifyFailure = "it does not load"
        try world.restart(hostBuild: "build 2")
        world.settle()
        #expect(world.route(credit) == "1=100" && state(world) == "aborted" && world.state("credit@2") == "failed")
    }

    @Test func aVersionDroppedWhileTheHostWasDownComesByRollout() throws {
        var world = try planned()
        try world.restart()
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        #expect(world.route(credit) == "1=95 2=5")
    }

    @Test func newerVersionsQueueOrSupersede() throws {
        var world = try planned()
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        world.put("credit@3.ubj", Content(name: "c"))
        world.settle()
        #expect(world.route(credit) == "1=95 2=5")
        for _ in 0..<40 where world.route(credit) != "2=95 3=5" { world.advance(.seconds(60)); world.settle() }
        #expect(world.route(credit) == "2=95 3=5", "its turn came with the end of the other")

        var impatient = try planned(
            #"{"rollout": {"steps": [5, 50, 100], "interval": "60s", "on_newer": "supersede"}}"#)
        impatient.put("credit@2.ubj", Content(name: "b"))
        impatient.settle()
        impatient.put("credit@3.ubj", Content(name: "c"))
        impatient.settle()
        #expect(impatient.route(credit) == "1=95 3=5" && impatient.state("credit@2") == "rejected")
    }

    @Test func handsAreKeptOffTheTrafficOfARollout() throws {
        var world = try planned()
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        let shares = try TrafficShares([VersionNumber(1): 50, VersionNumber(2): 50])
        #expect(throws: RoostError.self) {
            try world.command { try $0.setTraffic(credit, shares, by: "eva", at: $1) }
        }
        #expect(throws: RoostError.self) { try world.command { try $0.followLatest(credit, by: "eva", at: $1) } }
        #expect(throws: RoostError.self) { try world.command { try $0.startRollout(id(2), by: "eva", at: $1) } }
        world.manifest(credit, try manifest(#"{"traffic": {"2": 100}}"#))
        world.settle()
        #expect(world.route(credit) == "1=95 2=5", "an edit waits for the end")
        try world.command { try $0.rollBack(credit, by: "eva", at: $1) }
        world.settle()
        #expect(state(world) == "aborted" && world.state("credit@2") == "rejected")
        #expect(world.route(credit) == "1=100")
        #expect(world.audit.contains { $0.act == "rollout_aborted" && $0.who == "eva" })
    }

    @Test func aRolloutStartsFromTrafficThatIsSet() throws {
        var world = World()
        world.put("credit@1.ubj", Content(name: "a"))
        world.settle()
        try world.command {
            try $0.setTraffic(credit, TrafficShares(all: VersionNumber(1)), by: "eva", at: $1)
        }
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        #expect(world.route(credit) == "1=100")
        try world.command { try $0.startRollout(id(2), by: "eva", at: $1) }
        world.settle()
        #expect(world.route(credit) == "1=99 2=1")
        try world.command {
            try $0.steerRollout(credit, at: $1) { [now = $1] rollout throws(RoostError) in
                try rollout.promote(by: "eva", at: now)
            }
        }
        world.settle()
        #expect(world.route(credit) == "2=100" && world.machine.functions[credit]?.origin.word == "set")
        for wrong: UInt32 in [1, 2, 7] {
            #expect(throws: RoostError.self) { try world.command { try $0.startRollout(id(wrong), by: "eva", at: $1) } }
        }
    }

    @Test func aCanaryCanBeAskedForWithoutAPlan() throws {
        var world = World()
        world.put("credit@1.ubj", Content(name: "a"))
        world.settle()
        try world.command { machine, _ in machine.expectCanary(credit) }
        // Whoever asked was answered: no crash may turn the canary into a version that takes everything.
        try world.restart()
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        #expect(world.route(credit) == "1=99 2=1")
        world.delete("credit@2.ubj")
        world.settle()
        #expect(world.route(credit) == "1=100" && state(world) == "aborted")
    }

    @Test func whenTheStableVersionGoesAnotherTakesItsPlace() throws {
        var world = try planned()
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        for _ in 0..<40 where state(world) != "promoted" { world.advance(.seconds(60)); world.settle() }
        world.put("credit@3.ubj", Content(name: "c"))
        world.settle()
        #expect(world.route(credit) == "2=95 3=5")
        world.delete("credit@2.ubj")
        world.settle()
        #expect(world.route(credit) == "1=95 3=5")
        world.delete("credit@1.ubj")
        world.settle()
        #expect(world.route(credit) == "3=100" && state(world) == "promoted")
    }

    @Test func anEditThatIsTakenBackDuringARolloutChangesNothingAtItsEnd() throws {
        let plan = #""rollout": {"steps": [5, 50, 100], "interval": "60s"}"#
        var world = try planned("{\(plan)}")
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        world.manifest(credit, try manifest(#"{"traffic": {"1": 100}, "tags": {"old": "1"}, \#(plan)}"#))
        world.manifest(credit, try manifest(#"{"tags": {"new": "2"}, \#(plan)}"#))
        for _ in 0..<40 where state(world) != "promoted" { world.advance(.seconds(60)); world.settle() }
        #expect(world.route(credit) == "2=100")
        let function = try #require(world.machine.functions[credit])
        #expect(function.origin == .latest && function.manifestShares == nil)
        #expect(try function.number(named: "new") == VersionNumber(2))
        #expect(throws: RoostError.self) { try function.number(named: "old") }
    }

    /// A person aborts while the host works out what it has seen, and another version has its turn.
    @Test func anAnswerThatComesTooLateHoldsNobodyUp() throws {
        var world = try planned()
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        while !world.jobs.contains(.observe(credit)) { world.advance(.seconds(60)) }
        world.put("credit@3.ubj", Content(name: "c"))
        while world.machine.functions[credit]?.liveRollout?.queued == nil {
            guard let next = world.jobs.firstIndex(where: { $0 != .observe(credit) }) else {
                world.advance(.milliseconds(100))
                continue
            }
            world.run(next)
        }
        try world.command { machine, now in
            try machine.steerRollout(credit, at: now) { rollout throws(RoostError) in
                try rollout.abort(by: "eva", reason: "", at: now)
            }
        }
        // The host throws the answer away: what it was about is over.
        world.jobs.removeAll { $0 == .observe(credit) }
        for _ in 0..<40 where state(world) != "promoted" { world.settle(); world.advance(.seconds(60)) }
        #expect(world.route(credit) == "3=100" && world.state("credit@2") == "rejected")
    }

    @Test func stableStaysWarmWhileBakingAndIsLetGoAfterwards() throws {
        var world = try planned(
            #"{"rollout": {"steps": [5, 100], "interval": "60s"}, "bake": "1h", "rollback_window": "1m"}"#)
        world.put("credit@2.ubj", Content(name: "b"))
        for _ in 0..<20 where state(world) != "baking" { world.settle(); world.advance(.seconds(60)) }
        world.advance(.seconds(600))
        world.settle()
        #expect(state(world) == "baking" && world.state("credit@1") == "ready")
        let stable = { world.machine.functions[self.credit]?.versions[VersionNumber(1)] }
        #expect(stable()?.template == .loaded, "all traffic may have to go back to it")
        #expect(try #require(world.machine.wakeAt) > world.now)
        for _ in 0..<80 where state(world) == "baking" { world.advance(.seconds(60)); world.settle() }
        #expect(state(world) == "promoted" && stable()?.template == .absent)
    }

    @Test func gatesAreAskedAndARefusalHolds() throws {
        var world = try planned(
            #"""
            {"rollout": {"steps": [5, 100], "interval": "60s",
             "gates": [{"url": "http://127.0.0.1:1/gate", "at": "before-step"}]}}
            """#)
        world.gateAnswer = .failed(reason: "status 403")
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        world.advance(.seconds(120))
        world.settle()
        #expect(world.route(credit) == "1=100")
        #expect(world.machine.functions[credit]?.liveRollout?.explanation(at: world.now).contains("403") == true)
        world.gateAnswer = .passed
        world.advance(.seconds(60))
        world.settle()
        #expect(world.route(credit) == "1=95 2=5")
    }

    /// Any moment may be the last of a host: what the record says is what goes on.
    @Test(arguments: 0..<60 as Range<UInt64>) func aHostThatDiesAtAnyMomentLosesNoDecision(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var world = try planned()
        world.put("credit@2.ubj", Content(name: "b", failsOneIn: seed % 2 == 0 ? 10 : 0))
        var decided: String?
        for _ in 0..<120 {
            for _ in 0..<Int.random(in: 0...3, using: &random) where !world.jobs.isEmpty {
                world.run(Int.random(in: 0..<world.jobs.count, using: &random))
            }
            if Int.random(in: 0..<6, using: &random) == 0 { try world.restart() }
            world.advance(.milliseconds(UInt64.random(in: 0...50_000, using: &random)))
            if let decided {
                #expect(state(world) == decided)
                if decided == "aborted" {
                    #expect(world.route(credit) != "2=100" && world.state("credit@2") == "rejected")
                }
            }
            if ["promoted", "aborted"].contains(state(world)) { decided = state(world) }
        }
        world.settle()
        for _ in 0..<60 where decided == nil && !["promoted", "aborted"].contains(state(world)) {
            world.advance(.seconds(60))
            world.settle()
        }
        #expect(state(world) == (seed % 2 == 0 ? "aborted" : "promoted"))
        #expect(world.route(credit) == (seed % 2 == 0 ? "1=100" : "2=100"))
    }
}
