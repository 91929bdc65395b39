import RoostBasics
import RoostFunctions
import RoostJSON
import RoostTraffic
import Testing

/// Tags, bound callers and the guard: what of traffic is more than shares, and what of it survives a restart.
@Suite struct TrafficTests {
    let credit: FunctionName
    init() throws { credit = try #require(FunctionName("credit")) }

    func shares(_ percents: [UInt32: Int]) throws -> TrafficShares {
        try TrafficShares(Dictionary(uniqueKeysWithValues: percents.map { (VersionNumber($0.key), $0.value) }))
    }

    func id(_ number: UInt32) -> VersionID { VersionID(credit, VersionNumber(number)) }

    func manifest(_ text: String) throws -> Manifest { try Manifest(JSONDocument(parsing: text, source: "test")) }

    func versions(_ count: Int, _ text: String = "{}") throws -> World {
        var world = World()
        world.manifest(credit, try manifest(text))
        for number in 1...count {
            world.put("credit@\(number).ubj", Content(name: "\(number)"))
            world.settle()
        }
        return world
    }

    func set(_ world: inout World, _ percents: [UInt32: Int]) throws {
        let shares = try shares(percents)
        try world.command { try $0.setTraffic(credit, shares, by: "test", at: $1) }
        world.settle()
    }

    // MARK: tags

    func tags(_ world: World) -> [String] {
        (world.machine.functions[credit]?.tags ?? []).map { "\($0.tag)=\($0.version)" }
    }

    func refusal(_ world: World, _ name: String) throws -> String {
        let error = try #require(throws: RoostError.self) { try world.machine.known(credit, name) }
        #expect(error.code == .notFound)
        return error.message
    }

    @Test func stableAndCanaryFollowFromShares() throws {
        var world = try versions(3)
        #expect(tags(world) == ["stable=3"])
        try set(&world, [1: 5, 2: 85, 3: 10])
        #expect(tags(world) == ["stable=2", "canary=3"])
        #expect(try world.machine.known(credit, "canary").id == id(3))
        #expect(try world.machine.known(credit, "1").id == id(1))
        try set(&world, [2: 50, 3: 50])
        #expect(tags(world) == ["stable=3"])
        #expect(
            try refusal(world, "canary") == "credit has no canary now: nobody has a smaller share (there is stable)")
    }

    @Test func aManifestNamesVersionsAndWhatIsNotThereIsShown() throws {
        let world = try versions(2, #"{"tags": {"champion": "1", "next-one": "7"}}"#)
        #expect(tags(world) == ["stable=2", "champion=1", "next-one=7"])
        #expect(try world.machine.known(credit, "champion").id == id(1))
        #expect(try refusal(world, "next-one").contains("no version credit@7"))
        #expect(try refusal(world, "loser") == "credit has no tag \"loser\" (there is stable, champion, next-one)")
        #expect(try refusal(world, "no tag") == "\"no tag\" is neither a version number nor a tag")
        #expect(
            world.machine.functions[credit]?.tagProblems == ["tag next-one names version 7, which is not there"])
    }

    @Test(arguments: [
        (#"{"tags": {"canary": "2"}}"#, "the tag \"canary\" follows from traffic"),
        (#"{"tags": {"2": "2"}}"#, "\"2\" is no tag"), (#"{"tags": {"latest": "2"}}"#, "\"latest\" is no tag"),
        (#"{"tags": {"best": 2}}"#, "tags.best must be a string"), (#"{"tags": {"best": "v2"}}"#, "no version number"),
    ])
    func badTagsAreRefused(_ text: String, _ words: String) throws {
        let error = try #require(throws: JSONError.self) { try manifest(text) }
        #expect(error.description.contains(words), "\(error)")
    }

    // MARK: bound callers

    func owners(_ world: World) throws -> [VersionNumber] {
        let slots = try #require(world.machine.functions[credit]?.slots)
        return (0..<StickySlots.count).map(slots.owner)
    }

    @Test func slotsFollowSharesAndSurviveARestart() throws {
        var world = try versions(3, #"{"sticky": "header:X-User"}"#)
        try set(&world, [2: 70, 3: 30])
        try set(&world, [1: 20, 2: 60, 3: 20])
        let before = try owners(world)
        #expect(before.count { $0 == VersionNumber(1) } == 2000)
        try world.restart()
        world.settle()
        #expect(world.route(credit) == "1=20 2=60 3=20")
        #expect(try owners(world) == before)
    }

    @Test func slotsAreOnlyKeptWhileTheManifestAsksForThem() throws {
        var world = try versions(2)
        #expect(world.machine.functions[credit]?.slots == nil)
        world.manifest(credit, try manifest(#"{"sticky": "cookie:sid"}"#))
        #expect(try Set(owners(world)) == [VersionNumber(2)])
        world.manifest(credit, Manifest())
        #expect(world.machine.functions[credit]?.slots == nil && world.records[credit]?.slots == nil)
    }

    @Test func recordsOfDamagedSlotsAreRefused() throws {
        let world = try versions(1, #"{"sticky": "query:user"}"#)
        let text = try #require(world.records[credit]).json.compact
        let damaged = text.replacing("10000*1", with: "9000*1")
        #expect(damaged != text)
        #expect(throws: JSONError.self) { try FunctionRecord(JSONDocument(parsing: damaged, source: "record")) }
    }

    // MARK: the guard

    @Test func theGuardGoesOnAfterARestartForWhatIsLeftOfItsWindow() throws {
        var world = try versions(2)
        world.advance(.seconds(400))
        try world.restart()
        world.settle()
        var late = world
        world.advance(.seconds(190))
        world.tell(.died(id(2), reason: "signal 11"))
        world.settle()
        #expect(world.route(credit) == "1=100")
        late.advance(.seconds(210))
        late.tell(.died(id(2), reason: "signal 11"))
        late.settle()
        #expect(late.route(credit) == "2=100")
    }

    @Test func aWindowThatEndedWhileTheHostWasDownIsOver() throws {
        var world = try versions(2)
        world.now = world.now + .seconds(700)
        try world.restart()
        world.settle()
        #expect(world.machine.functions[credit]?.isWatched == false)
    }

    @Test func aClockThatWasSetBackDoesNotLengthenTheWindow() throws {
        var world = try versions(2)
        world.clockError = -1_000_000
        try world.restart()
        world.settle()
        #expect(world.machine.functions[credit]?.isWatched == true)
        world.advance(.seconds(601))
        #expect(world.machine.functions[credit]?.isWatched == false)
    }

    // MARK: bad shares

    @Test func sharesForWhoCannotServeAreRefusedAndChangeNothing() throws {
        var world = try versions(2)
        world.put("credit@3.ubj", Content(name: "3", verifyFailure: "no"))
        world.settle()
        try world.command { try $0.rollBack(credit, by: "test", at: $1) }
        world.settle()
        for (number, code, words) in [
            (9, RoostError.Code.notFound, "no version credit@9 (there is 1, 2, 3)"),
            (3, .conflict, "credit@3 cannot take traffic, it is failed: no"),
            (2, .conflict, "credit@2 cannot take traffic, it is rejected: rolled back"),
        ] {
            let wanted = try shares([1: 90, UInt32(number): 10])
            let before = world.machine.functions[credit]
            let error = try #require(throws: RoostError.self) {
                try world.machine.setTraffic(credit, wanted, by: "test", at: world.now)
            }
            #expect(error.code == code && error.message == words, "\(error)")
            #expect(world.machine.functions[credit] == before)
        }
    }
}
