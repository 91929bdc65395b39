import RoostBasics
import RoostFunctions
import RoostJSON
import RoostTraffic
import Testing

/// A manifest that nobody has been able to read may have a gate, and a rollout.
@Suite struct UnreadableManifestTests {
    let credit: FunctionName
    init() throws { credit = try #require(FunctionName("credit")) }

    private func planned() throws -> Manifest {
        let text = #"{"rollout": {"steps": [5, 100], "interval": "60s"}}"#
        return try Manifest(JSONDocument(parsing: text, source: "functions/credit.json"))
    }

    private func serving() -> World {
        var world = World()
        world.put("credit@1.ubj", Content(name: "a"))
        world.settle()
        return world
    }

    private func problem(_ world: World, _ number: UInt32) -> String? {
        guard let function = world.machine.functions[credit], let version = function.versions[VersionNumber(number)]
        else { return nil }
        return function.problem(of: version)
    }

    @Test func newVersionsWaitAndThenComeAsItSays() throws {
        var world = serving()
        world.breakManifest(credit, "line 3: unknown key")
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        #expect(world.state("credit@2") == "stored" && world.route(credit) == "1=100")
        #expect(problem(world, 2) == "it waits until the manifest of credit can be read: line 3: unknown key")
        #expect(problem(world, 1) == nil)
        #expect(world.log.contains { $0.hasPrefix("credit@2: it waits") })
        #expect(world.machine.isSettled, "waiting for a person keeps nobody from starting")
        world.manifest(credit, try planned())
        world.settle()
        #expect(world.route(credit) == "1=95 2=5" && problem(world, 2) == nil)
    }

    @Test func theFirstVersionWaitsToo() throws {
        var world = World()
        world.breakManifest(credit, "line 1")
        world.put("credit@1.ubj", Content(name: "a"))
        world.settle()
        #expect(world.state("credit@1") == "stored" && world.route(credit).isEmpty)
        world.manifest(credit, Manifest())
        world.settle()
        #expect(world.route(credit) == "1=100")
    }

    @Test func oneThatIsBeingVerifiedMeanwhileIsVerifiedAgain() throws {
        var world = serving()
        world.put("credit@2.ubj", Content(name: "b"))
        while world.state("credit@2") != "verifying" {
            if world.jobs.isEmpty { world.advance(.milliseconds(100)) } else { world.run(0) }
        }
        world.breakManifest(credit, "line 1")
        world.settle()
        #expect(world.state("credit@2") == "stored" && world.route(credit) == "1=100")
        world.manifest(credit, try planned())
        world.settle()
        #expect(world.route(credit) == "1=95 2=5")
    }

    @Test(arguments: ["build 1", "build 2"])
    func whatServedServesAfterARestart(_ build: String) throws {
        var world = serving()
        world.breakManifest(credit, "line 1")
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        try world.restart(hostBuild: build)
        world.settle()
        #expect(world.route(credit) == "1=100" && world.state("credit@2") == "stored")
        world.manifest(credit, try planned())
        world.settle()
        #expect(world.route(credit) == "1=95 2=5")
    }

    @Test func whoHasProvenItselfKeepsTheTrafficOverARestart() throws {
        var world = World()
        world.manifest(credit, try planned())
        world.put("credit@1.ubj", Content(name: "a"))
        world.settle()
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        try world.command { machine, now in
            try machine.steerRollout(credit, at: now) { rollout throws(RoostError) in
                try rollout.abort(by: "eva", reason: "", at: now)
            }
        }
        world.breakManifest(credit, "line 1")
        try world.restart()
        // It may be chosen again, but without its plan nobody knows by which steps.
        try world.command { machine, now in
            try machine.restart(VersionID(credit, VersionNumber(2)), by: "eva", at: now)
        }
        world.settle()
        #expect(world.route(credit) == "1=100" && world.state("credit@2") == "ready")
    }
}
