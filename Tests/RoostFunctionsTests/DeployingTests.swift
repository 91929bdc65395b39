import RoostBasics
import RoostFunctions
import Testing

/// Each rule of deploying by name, in a world that obeys.
@Suite struct DeployingTests {
    let credit: FunctionName
    init() throws { credit = try #require(FunctionName("credit")) }

    func shares(_ percents: [UInt32: Int]) throws -> TrafficShares {
        try TrafficShares(Dictionary(uniqueKeysWithValues: percents.map { (VersionNumber($0.key), $0.value) }))
    }

    func id(_ number: UInt32) -> VersionID { VersionID(credit, VersionNumber(number)) }

    /// credit@1 and credit@2 dropped one after the other; 2 serves, 1 stays warm.
    func twoVersions() -> World {
        var world = World()
        world.put("credit@1.ubj", Content(name: "a"))
        world.settle()
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        return world
    }

    @Test func aDroppedFileServes() {
        var world = World()
        world.put("credit@3.ubj", Content(name: "a"))
        world.settle()
        #expect(world.route(credit) == "3=100")
        #expect(world.state("credit@3") == "serving")
        #expect(world.log.contains { $0.hasPrefix("credit@3 ready in ") })
        #expect(world.machine.isSettled)
    }

    @Test func aWholeFileWaitsUntilItStandsStillAndASealedOneDoesNot() {
        var world = World()
        world.put("credit@1.ubj", Content(name: "a"))
        world.run(0)
        world.run(0)
        #expect(world.jobs.isEmpty)
        #expect(world.machine.wakeAt == world.now + .milliseconds(50))
        world.advance(.milliseconds(50))
        #expect(world.jobs.count == 1, "it is copied meanwhile")
        world.run(0)
        #expect(world.machine.wakeAt == world.now + .milliseconds(250))
        world.advance(.milliseconds(249))
        #expect(world.jobs.isEmpty && world.machine.functions[credit]?.versions.isEmpty == true)
        world.advance(.milliseconds(1))
        #expect(world.jobs == [.list])
        world.run(0)
        #expect(world.state("credit@1") == "verifying", "the copy is there")
        var sealed = World()
        sealed.put("credit@1.so", Content(name: "a", shape: .sealed))
        sealed.run(0)
        sealed.run(0)
        #expect(sealed.now.nanoseconds == 0)
        guard case .copy = sealed.jobs.first else {
            Issue.record("a sealed file is copied at once")
            return
        }
    }

    @Test(arguments: [false, true]) func aCopyMadeWhileAFileSettlesIsWorthNothingWhenItChanges(isDone: Bool) {
        var world = World()
        world.put("credit@1.ubj", Content(name: "a"))
        world.run(0)
        world.run(0)
        world.advance(.milliseconds(50))
        if isDone { world.run(0) }
        world.put("credit@1.ubj", Content(name: "longer"))
        world.settle()
        #expect(world.machine.functions[credit]?.versions[VersionNumber(1)]?.stored.digest == "longer")
        #expect(world.route(credit) == "1=100")
    }

    @Test func aCopyThatTakesLongerThanSettlingIsWaitedFor() {
        var world = World()
        world.put("credit@1.ubj", Content(name: "a"))
        world.run(0)
        world.run(0)
        world.advance(.milliseconds(50))
        world.advance(.milliseconds(250))
        #expect(world.jobs.count == 2)
        world.run(1)
        #expect(world.machine.wakeAt == nil)
        world.settle()
        #expect(world.route(credit) == "1=100")
    }

    @Test func aGrowingFileIsWaitedForAndThenRefused() {
        var world = World()
        world.put("credit@1.ubj", Content(name: "a", shape: .growing(reason: "truncated: copy it again")))
        for _ in 0..<20 {
            world.advance(.milliseconds(290))
            world.put("credit@1.ubj", Content(name: "aa", shape: .growing(reason: "truncated: copy it again")))
            while !world.jobs.isEmpty { world.run(0) }
        }
        #expect(world.notes.isEmpty)
        world.settle()
        #expect(world.notes["credit@1.ubj"] == "truncated: copy it again")
        #expect(world.state("credit@1") == nil)
        world.put("credit@1.ubj", Content(name: "whole"))
        world.settle()
        #expect(world.notes.isEmpty)
        #expect(world.route(credit) == "1=100")
    }

    @Test func aFileThatChangesWhileItIsCopiedIsCopiedAgain() throws {
        var world = World()
        world.put("credit@1.ubj", Content(name: "a", shape: .sealed))
        world.run(0)
        world.run(0)
        world.put("credit@1.ubj", Content(name: "b", shape: .sealed))
        world.settle()
        #expect(world.machine.functions[credit]?.versions[VersionNumber(1)]?.stored.digest == "b")
        #expect(world.route(credit) == "1=100")
    }

    @Test func aFullDiskIsShownAndTriedAgain() {
        var world = World()
        world.copyFailure = "no space left on the device"
        world.put("credit@1.ubj", Content(name: "a"))
        while world.notes.isEmpty { if world.jobs.isEmpty { world.advance(.milliseconds(300)) } else { world.run(0) } }
        #expect(world.notes["credit@1.ubj"] == "no space left on the device")
        world.copyFailure = nil
        world.settle()
        #expect(world.route(credit) == "1=100")
        #expect(world.notes.isEmpty)
    }

    @Test func theNewerVersionTakesTrafficAndTheOlderStaysWarm() {
        var world = twoVersions()
        #expect(world.route(credit) == "2=100")
        #expect(world.state("credit@1") == "ready")
        #expect(world.machine.functions[credit]?.versions[VersionNumber(1)]?.warmUntil != nil)
        world.advance(.seconds(600))
        world.settle()
        #expect(world.machine.functions[credit]?.versions[VersionNumber(1)]?.warmUntil == nil)
        #expect(world.state("credit@1") == "ready")
    }

    @Test func aLowerVersionBecomesReadyAndTakesNothing() {
        var world = twoVersions()
        world.put("credit@1.5.ubj", Content(name: "c"))
        world.settle()
        #expect(world.route(credit) == "2=100")
        #expect(world.state("credit@1.5") == "ready")
    }

    @Test func trafficMovesOnlyWhenTheNewVersionIsLoaded() {
        var world = twoVersions()
        world.put("credit@3.ubj", Content(name: "c", shape: .sealed))
        while world.jobs.first != .prepare(id(3)) { world.run(0) }
        #expect(world.state("credit@3") == "ready")
        #expect(world.route(credit) == "2=100")
        world.run(0)
        #expect(world.route(credit) == "3=100")
        #expect(world.state("credit@2") == "draining")
    }

    @Test func aVersionThatFailsVerificationTouchesNothing() {
        var world = twoVersions()
        world.put("credit@3.ubj", Content(name: "bad", verifyFailure: "row 1: expected 0.5, got 0.7"))
        world.settle()
        #expect(world.route(credit) == "2=100")
        #expect(world.state("credit@3") == "failed")
        #expect(world.notes["credit@3.ubj"] == "row 1: expected 0.5, got 0.7")
        world.put("credit@3.ubj", Content(name: "good"))
        world.settle()
        #expect(world.route(credit) == "3=100")
        #expect(world.notes.isEmpty)
    }

    @Test func aVersionThatDoesNotLoadFallsBack() {
        var world = twoVersions()
        world.put("credit@3.ubj", Content(name: "c", loads: false))
        world.settle()
        #expect(world.state("credit@3") == "failed")
        #expect(world.route(credit) == "2=100")
    }

    @Test func otherBytesForAVersionAreRefusedWithTheRemedy() {
        var world = twoVersions()
        world.put("credit@2.ubj", Content(name: "other"))
        world.settle()
        #expect(world.notes["credit@2.ubj"]?.contains("immutable: drop it as credit@3") == true)
        #expect(world.route(credit) == "2=100")
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        #expect(world.notes.isEmpty)
        #expect(world.route(credit) == "2=100")
    }

    @Test func aFileRefusedForItsBytesIsTakenUpWhenTheVersionIsGone() {
        var world = twoVersions()
        world.put("credit@1.ubj", Content(name: "other"))
        world.settle()
        #expect(world.notes.count == 1)
        world.store["a"]?.loads = false
        world.advance(.seconds(601))
        world.delete("credit@2.ubj")
        world.settle()
        #expect(world.machine.functions[credit]?.versions[VersionNumber(1)]?.stored.digest == "other")
        #expect(world.route(credit) == "1=100")
        #expect(world.notes.isEmpty)
    }

    @Test func twoFilesForOneVersionAreBothRefused() {
        var world = twoVersions()
        world.put("credit@3.ubj", Content(name: "c"))
        world.put("credit@3.json", Content(name: "d"))
        world.settle()
        #expect(world.route(credit) == "2=100")
        for file in ["credit@3.ubj", "credit@3.json"] {
            #expect(world.notes[file]?.contains("credit@3.json and credit@3.ubj are both credit@3") == true)
        }
        world.delete("credit@3.json")
        world.settle()
        #expect(world.route(credit) == "3=100")
        #expect(world.notes.isEmpty)
    }

    @Test func aRivalDoesNotDisturbAVersionThatServes() {
        var world = twoVersions()
        world.put("credit@2.json", Content(name: "rival"))
        world.settle()
        #expect(world.route(credit) == "2=100")
        #expect(world.notes.count == 2)
        world.delete("credit@2.json")
        world.settle()
        #expect(world.notes.isEmpty)
        #expect(world.route(credit) == "2=100")
    }

    @Test func filesWithoutVersionGetTheNextOne() {
        var world = World()
        world.put("credit.ubj", Content(name: "a"))
        world.settle()
        #expect(world.route(credit) == "1=100")
        world.put("credit.ubj", Content(name: "b"))
        world.settle()
        #expect(world.route(credit) == "2=100")
        world.put("credit.ubj", Content(name: "b"))
        world.settle()
        #expect(world.route(credit) == "2=100")
        world.put("credit@7.2.ubj", Content(name: "c"))
        world.settle()
        world.put("credit.ubj", Content(name: "a"))
        world.settle()
        #expect(world.route(credit) == "8=100")
        world.delete("credit.ubj")
        world.settle()
        #expect(world.route(credit) == "7.2=100")
        for version in ["credit@1", "credit@2", "credit@8"] { #expect(world.state(version) == "retired") }
        world.put("credit.ubj", Content(name: "a"))
        world.settle()
        #expect(world.route(credit) == "9=100")
    }

    @Test func deletingFallsBackToTheNextLowerVersion() {
        var world = twoVersions()
        world.delete("credit@2.ubj")
        world.settle()
        #expect(world.route(credit) == "1=100")
        #expect(world.state("credit@2") == "retired")
        world.delete("credit@1.ubj")
        world.settle()
        #expect(world.route(credit) == "")
        world.put("credit@2.ubj", Content(name: "new bytes"))
        world.settle()
        #expect(world.route(credit) == "2=100")
    }

    @Test func anIncompatibleVersionIsHeldUntilReleased() throws {
        var world = twoVersions()
        world.put("credit@3.ubj", Content(name: "wide", columns: 31))
        world.settle()
        #expect(world.state("credit@3") == "held")
        #expect(world.reason("credit@3").contains("input \"features\" has shape [-1, 31]"))
        #expect(world.route(credit) == "2=100")
        try world.restart()
        world.settle()
        #expect(world.state("credit@3") == "held")
        try world.command { machine, now in machine.allowIncompatible(id(3), by: "test", at: now) }
        world.settle()
        #expect(world.route(credit) == "3=100")
    }

    @Test func incompatibleMayBeAllowedBeforehand() throws {
        var world = twoVersions()
        try world.command { machine, now in machine.allowIncompatible(id(3), by: "test", at: now) }
        world.put("credit@3.ubj", Content(name: "wide", columns: 31))
        world.settle()
        #expect(world.route(credit) == "3=100")
    }

    @Test func rollbackIsOneStepAndIsRemembered() throws {
        var world = twoVersions()
        try world.command { machine, now throws(RoostError) in try machine.rollBack(credit, by: "test", at: now) }
        #expect(world.route(credit) == "1=100")
        world.settle()
        #expect(world.reason("credit@2") == "rolled back")
        try world.restart()
        world.settle()
        #expect(world.route(credit) == "1=100")
        #expect(throws: RoostError.self) { try world.command { try $0.rollBack(credit, by: "test", at: $1) } }
        try world.command { machine, now in try machine.restart(id(2), by: "test", at: now) }
        world.settle()
        #expect(world.route(credit) == "2=100")
    }

    @Test func aRejectedVersionStaysRejectedWhenItsFileComesBack() throws {
        var world = twoVersions()
        try world.command { try $0.rollBack(credit, by: "test", at: $1) }
        world.delete("credit@2.ubj")
        world.settle()
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        #expect(world.state("credit@2") == "rejected")
        world.delete("credit@2.ubj")
        world.settle()
        world.put("credit@2.ubj", Content(name: "mended"))
        world.settle()
        #expect(world.route(credit) == "2=100")
    }

    @Test func aQuarantinedVersionGivesItsTrafficAwayForGood() throws {
        var world = twoVersions()
        world.advance(.seconds(601))
        world.tell(.quarantined(id(2), reason: "8 deaths"))
        world.settle()
        #expect(world.state("credit@2") == "rejected" && world.route(credit) == "1=100")
        #expect(world.reason("credit@2") == "quarantined: 8 deaths; `roost deploy credit@2 --restart` lifts it")
        try world.restart()
        world.settle()
        #expect(world.state("credit@2") == "rejected" && world.route(credit) == "1=100")
        world.tell(.quarantined(id(1), reason: "8 deaths"))
        world.settle()
        #expect(world.routes[credit] == nil)
        try world.command { machine, now in try machine.restart(VersionID("credit@2") ?? id(2), by: "test", at: now) }
        world.settle()
        #expect(world.route(credit) == "2=100")
    }

    @Test func aDeathWithinTheWindowGivesTrafficBack() {
        var world = twoVersions()
        world.tell(.died(id(2), reason: "signal 11"))
        #expect(world.route(credit) == "1=100")
        #expect(world.reason("credit@2").contains("signal 11"))
        var late = twoVersions()
        late.advance(.seconds(601))
        late.tell(.died(id(2), reason: "signal 11"))
        late.settle()
        #expect(late.route(credit) == "2=100")
    }

    @Test func errorsBeyondStablesWithinTheWindowGiveTrafficBack() {
        var world = World()
        world.put("credit@1.ubj", Content(name: "a"))
        world.settle()
        world.tell(.answered(id(1), requests: 1000, errors: 20))
        world.put("credit@2.ubj", Content(name: "b"))
        world.settle()
        world.tell(.answered(id(2), requests: 199, errors: 100))
        #expect(world.route(credit) == "2=100")
        world.tell(.answered(id(2), requests: 4000, errors: 0))
        #expect(world.route(credit) == "2=100")
        world.tell(.answered(id(2), requests: 100, errors: 50))
        #expect(world.route(credit) == "1=100")
        #expect(world.reason("credit@2").contains("150 errors in 4299 requests"))
    }

    @Test func setSharesWinUntilTheManifestChangesOrLatestIsAsked() throws {
        var world = twoVersions()
        let shares = try shares([1: 90, 2: 10])
        try world.command { try $0.setTraffic(credit, shares, by: "test", at: $1) }
        world.settle()
        #expect(world.route(credit) == "1=90 2=10")
        world.put("credit@3.ubj", Content(name: "c"))
        world.settle()
        #expect(world.route(credit) == "1=90 2=10")
        #expect(world.state("credit@3") == "ready")
        #expect(world.log.contains("credit@3 takes no traffic: it is set to 1=90 2=10"))
        var manifest = Manifest()
        manifest.timeout = .seconds(5)
        world.manifest(credit, manifest)
        #expect(world.route(credit) == "1=90 2=10")
        manifest.traffic = try self.shares([2: 100])
        world.manifest(credit, manifest)
        world.settle()
        #expect(world.route(credit) == "2=100")
        try world.command { try $0.followLatest(credit, by: "test", at: $1) }
        world.settle()
        #expect(world.route(credit) == "3=100")
    }

    @Test func sharesForAnAbsentVersionArePendingInTheManifestAndRefusedOtherwise() throws {
        var world = twoVersions()
        let shares = try shares([2: 80, 3: 20])
        let error = try #require(throws: RoostError.self) {
            try world.command { try $0.setTraffic(credit, shares, by: "test", at: $1) }
        }
        #expect(error.code == .notFound)
        #expect(error.message.contains("there is 1, 2"))
        var manifest = Manifest()
        manifest.traffic = shares
        world.manifest(credit, manifest)
        world.settle()
        #expect(world.route(credit) == "2=100")
        #expect(world.machine.functions[credit]?.pendingShares.map(\.version) == [VersionNumber(3)])
        world.put("credit@3.ubj", Content(name: "c"))
        world.settle()
        #expect(world.route(credit) == "2=80 3=20")
        world.delete("credit@3.ubj")
        world.settle()
        #expect(world.route(credit) == "2=100")
    }

    @Test func theShareOfARetiredVersionGoesToTheOthersInProportion() throws {
        var world = twoVersions()
        world.put("credit@3.ubj", Content(name: "c"))
        world.settle()
        let shares = try shares([1: 60, 2: 20, 3: 20])
        try world.command { try $0.setTraffic(credit, shares, by: "test", at: $1) }
        world.delete("credit@3.ubj")
        world.settle()
        #expect(world.route(credit) == "1=75 2=25")
        world.delete("credit@1.ubj")
        world.delete("credit@2.ubj")
        world.settle()
        #expect(world.route(credit) == "")
    }

    @Test func whatHappenedWhileTheHostWasDownCounts() throws {
        var world = twoVersions()
        world.delete("credit@2.ubj")
        world.put("credit@3.ubj", Content(name: "c"))
        try world.restart()
        #expect(world.routes.isEmpty)
        world.settle()
        #expect(world.route(credit) == "3=100")
        #expect(world.state("credit@2") == "retired")
    }

    @Test func aRestartTrustsItsOwnVerificationAndNoOther() throws {
        var world = twoVersions()
        try world.restart()
        world.run(0)
        #expect(world.jobs.isEmpty)
        #expect(world.route(credit) == "2=100")
        try world.restart(hostBuild: "build 2")
        world.run(0)
        #expect(world.jobs.count == 2)
        world.settle()
        #expect(world.route(credit) == "2=100")
    }

    @Test func namesThatCannotBeReadAreShown() throws {
        var world = World()
        world.put("no-extension", Content(name: "a"))
        world.put("credit@x.so", Content(name: "a"))
        world.put(".hidden.so", Content(name: "a"))
        world.settle()
        #expect(world.machine.files.count == 2)
        guard case .refused(let reason) = try #require(world.machine.files["credit@x.so"]).phase else {
            Issue.record("not refused")
            return
        }
        #expect(reason.contains("name it NAME@VERSION.EXT"))
    }

    @Test func aNoteWithoutItsFileIsRemoved() {
        var world = World()
        world.notes["credit@1.ubj"] = "old"
        world.settle()
        #expect(world.notes.isEmpty)
    }

    @Test func overwritingAgainAndAgainKeepsTen() {
        var world = World()
        for round in 0..<40 {
            world.put("credit.ubj", Content(name: "bytes \(round)"))
            world.settle()
        }
        #expect(world.route(credit) == "40=100")
        let versions = world.machine.functions[credit]?.versions.values
        #expect(versions?.count { $0.state == .ready } ?? 0 <= 12)
        #expect(versions?.count { $0.state == .retired } == 10)
        #expect(versions?.count { $0.template == .loaded } == 2)
    }
}
