import RoostBasics
import RoostFunctions
import Testing

/// Random histories: files come, change and go, answers come late and out of order, hosts restart; the world
/// checks its invariants after each step, these tests what must hold at rest.
@Suite struct RandomHistoryTests {
    static let names = [
        "credit@1.ubj", "credit@2.ubj", "credit@2.json", "credit@3.so", "credit.ubj", "fraud.ubj", "fraud@1.ubj",
        "junk",
    ]
    static let contents = [
        Content(name: "a"), Content(name: "b"), Content(name: "c", shape: .sealed), Content(name: "wide", columns: 31),
        Content(name: "wrong", verifyFailure: "wrong answer"),
        Content(name: "growing", shape: .growing(reason: "truncated")),
        Content(name: "pickle", shape: .broken(reason: "a pickle")), Content(name: "heavy", loads: false),
    ]

    // 1057 and 1778 found faults once.
    @Test(arguments: Array(0..<100) + [1057, 1778])
    func invariantsHoldAlongRandomHistories(_ seed: UInt64) throws {
        print("seed \(seed)")
        var random = SplitMix(state: seed)
        var world = World()
        for _ in 0..<150 {
            try step(&world, using: &random)
            for _ in 0..<Int.random(in: 0...3, using: &random) where !world.jobs.isEmpty {
                world.run(Int.random(in: world.jobs.indices, using: &random))
            }
        }
        world.settle()
        #expect(world.machine.isSettled)
        for (name, function) in world.machine.functions {
            let hasChoice = function.absence == nil && function.versions.values.contains { $0.state.takesRequests }
            #expect((world.routes[name] != nil) == hasChoice, "\(name) serves when it can")
        }
        let routes = world.routes
        try world.restart()
        world.settle()
        #expect(world.routes == routes, "seed \(seed): the same routes after a restart")
        for file in world.folder.keys { world.delete(file) }
        world.settle()
        #expect(world.routes.isEmpty)
        #expect(world.notes.isEmpty)
        for version in world.machine.functions.values.flatMap(\.versions.values) {
            #expect(["retired", "rejected"].contains(version.state.word), "\(version.id) is \(version.state.word)")
        }
    }

    private func step(_ world: inout World, using random: inout SplitMix) throws {
        let name = Self.names.randomElement(using: &random) ?? ""
        let versions = world.machine.functions.values.flatMap(\.versions.values).sorted { $0.id < $1.id }
        let version = versions.randomElement(using: &random)
        switch Int.random(in: 0..<14, using: &random) {
        case 0...3: world.put(name, Self.contents.randomElement(using: &random) ?? Self.contents[0])
        case 4: world.delete(name)
        case 5: world.advance(.milliseconds(UInt64.random(in: 1...400, using: &random)))
        case 6: world.advance(.seconds(UInt64.random(in: 1...700, using: &random)))
        case 7: try world.restart(hostBuild: Bool.random(using: &random) ? "build \(world.now.nanoseconds % 3)" : nil)
        case 8:
            guard let version else { return }
            switch Int.random(in: 0..<5, using: &random) {
            case 0, 1: world.tell(.died(version.id, reason: "signal 11"))
            case 2: world.tell(.quarantined(version.id, reason: "8 deaths"))
            default:
                world.tell(.answered(version.id, requests: 300, errors: Int.random(in: 0...10, using: &random)))
            }
        case 9:
            guard let version, version.template == .loaded else { return }
            world.tell(.unloaded(version.id))
        case 10:
            var manifest = Manifest()
            manifest.rollbackWindow = .seconds(UInt64.random(in: 0...600, using: &random))
            manifest.traffic = Bool.random(using: &random) ? try shares(using: &random) : nil
            if let function = version?.id.function { world.manifest(function, manifest) }
        default: try command(&world, version, using: &random)
        }
    }

    /// Commands may be refused, but then they change nothing.
    private func command(
        _ world: inout World, _ version: VersionDeployment?, using random: inout SplitMix
    ) throws {
        guard let id = version?.id else { return }
        let shares = try shares(using: &random)
        let kind = Int.random(in: 0..<7, using: &random)
        let before = world.routes
        do {
            try world.command { machine, now throws(RoostError) in
                switch kind {
                case 0: try machine.setTraffic(id.function, shares, by: "test", at: now)
                case 1: try machine.followLatest(id.function, by: "test", at: now)
                case 2: try machine.rollBack(id.function, by: "test", at: now)
                case 3: try machine.restart(id, by: "test", at: now)
                case 4: try machine.unload(id.function, by: "test", at: now)
                case 5: try machine.load(id.function, by: "test", at: now)
                default: machine.allowIncompatible(id, by: "test", at: now)
                }
            }
        } catch {
            #expect(world.routes == before)
        }
    }

    private func shares(using random: inout SplitMix) throws -> TrafficShares {
        let first = Int.random(in: 0...100, using: &random)
        return try TrafficShares([
            VersionNumber(UInt32.random(in: 1...2, using: &random)): first, VersionNumber(3): 100 - first,
        ])
    }

    @Test func everyOrderOfLateReportsEndsTheSame() {
        // Three drops, all of whose jobs are run in each possible order of the first five choices.
        for choice in 0..<243 {
            var world = World()
            for (file, content) in [("credit@1.ubj", "a"), ("credit@2.ubj", "b"), ("credit@3.ubj", "c")] {
                world.put(file, Content(name: content, shape: .sealed))
            }
            var rest = choice
            for _ in 0..<5 where !world.jobs.isEmpty {
                world.run(rest % 3 % world.jobs.count)
                rest /= 3
            }
            world.settle()
            #expect(world.routes.values.map(\.description) == ["3=100"], "choice \(choice)")
        }
    }
}
