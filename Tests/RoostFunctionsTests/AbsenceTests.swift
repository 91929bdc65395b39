import RoostBasics
import RoostFunctions
import RoostJSON
import RoostTraffic
import Testing

/// Functions that people take out of service, and back.
@Suite struct AbsenceTests {
    let credit: FunctionName
    init() throws { credit = try #require(FunctionName("credit")) }

    private func id(_ number: UInt32) -> VersionID { VersionID(credit, VersionNumber(number)) }

    private func drop(_ number: Int, _ content: Content, _ world: inout World) {
        world.put("credit@\(number).ubj", content)
        world.settle()
    }

    private func twoVersions() -> World {
        var world = World()
        for (number, name) in [(1, "a"), (2, "b")] { drop(number, Content(name: name), &world) }
        return world
    }

    private func unload(_ world: inout World) throws {
        try world.command { try $0.unload(credit, by: "ann", at: $1) }
        world.settle()
    }

    private func load(_ world: inout World) throws {
        try world.command { try $0.load(credit, by: "ben", at: $1) }
        world.settle()
    }

    @Test func nothingOfItServesOrStaysInMemory() throws {
        var world = twoVersions()
        try unload(&world)
        #expect(world.route(credit) == "" && world.machine.functions[credit]?.absenceReason != nil)
        for number in [1, 2] {
            let version = try #require(world.machine.functions[credit]?.versions[VersionNumber(UInt32(number))])
            #expect(version.state == .ready && version.template == .absent && version.warmUntil == nil)
        }
        #expect(world.machine.isSettled)
        try load(&world)
        #expect(world.route(credit) == "2=100")
        let acts = world.audit.filter { ["ann", "ben"].contains($0.who) }.map { "\($0.who) \($0.act) \($0.from)" }
        #expect(acts == ["ann unloaded 2=100", "ben loaded "])
    }

    @Test func doneAgainItChangesNothing() throws {
        var world = twoVersions()
        try load(&world)
        try unload(&world)
        let (audit, log) = (world.audit.count, world.log.count)
        try unload(&world)
        #expect(world.audit.count == audit && world.log.count == log)
        try load(&world)
        try load(&world)
        #expect(world.audit.count { $0.act == "loaded" } == 1)
    }

    @Test func itOutlivesTheHostAndItsBuild() throws {
        var world = twoVersions()
        try unload(&world)
        for build in [nil, "build 2"] {
            try world.restart(hostBuild: build)
            world.settle()
            #expect(world.route(credit) == "" && world.machine.isSettled)
        }
        try load(&world)
        #expect(world.route(credit) == "2=100")
        try world.restart()
        world.settle()
        #expect(world.route(credit) == "2=100")
    }

    @Test func whoeverWantsToChangeTrafficHasToLoadItFirst() throws {
        var world = twoVersions()
        try unload(&world)
        let shares = try TrafficShares([VersionNumber(1): 100])
        let refusals: [RoostError?] = [
            #expect(throws: RoostError.self) {
                try world.command { try $0.setTraffic(credit, shares, by: "ann", at: $1) }
            },
            #expect(throws: RoostError.self) { try world.command { try $0.followLatest(credit, by: "ann", at: $1) } },
            #expect(throws: RoostError.self) { try world.command { try $0.rollBack(credit, by: "ann", at: $1) } },
        ]
        for refusal in refusals { #expect(refusal?.code == .conflict && refusal?.message.contains("unloaded") == true) }
        let unknown = try #require(FunctionName("nix"))
        #expect(throws: RoostError.self) { try world.command { try $0.unload(unknown, by: "ann", at: $1) } }
        #expect(throws: RoostError.self) { try world.command { try $0.load(unknown, by: "ann", at: $1) } }
    }

    @Test func setSharesComeBack() throws {
        var world = twoVersions()
        let shares = try TrafficShares([VersionNumber(1): 30, VersionNumber(2): 70])
        try world.command { try $0.setTraffic(credit, shares, by: "ann", at: $1) }
        world.settle()
        try unload(&world)
        try world.restart()
        world.settle()
        try load(&world)
        #expect(world.route(credit) == "1=30 2=70")
    }

    @Test func whatComesMeanwhileIsTriedAndComparedWithWhoServedLast() throws {
        var world = twoVersions()
        try unload(&world)
        drop(3, Content(name: "c"), &world)
        drop(4, Content(name: "wide", columns: 31), &world)
        #expect(world.state("credit@3") == "ready" && world.state("credit@4") == "held" && world.route(credit) == "")
        #expect(world.log.contains { $0.hasPrefix("credit@3 takes no traffic: credit is unloaded") })
        world.delete("credit@2.ubj")
        world.settle()
        #expect(world.state("credit@2") == "retired")
        try load(&world)
        #expect(world.route(credit) == "3=100")
    }

    @Test func underAPlanWhatCameMeanwhileHasToEarnItsTraffic() throws {
        var world = World()
        let text = #"{"rollout": {"steps": [5, 100], "interval": "60s"}}"#
        world.manifest(credit, try Manifest(JSONDocument(parsing: text, source: "functions/credit.json")))
        drop(1, Content(name: "a"), &world)
        try unload(&world)
        drop(2, Content(name: "b"), &world)
        try world.restart()
        world.settle()
        #expect(world.route(credit) == "" && world.machine.functions[credit]?.liveRollout == nil)
        try load(&world)
        #expect(world.route(credit) == "1=95 2=5")
        // And while it decides, nobody takes the function away from it.
        let refusal = #expect(throws: RoostError.self) {
            try world.command { try $0.unload(credit, by: "ann", at: $1) }
        }
        #expect(refusal?.code == .conflict)
    }
}
