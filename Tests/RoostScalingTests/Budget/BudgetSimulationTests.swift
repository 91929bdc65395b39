import RoostBasics
import RoostScaling
import Testing

/// A host that obeys an instance budget. Each version wants a number of instances and keeps all that it gets busy;
/// an instance that is told to end does so at some later step.
private struct World {
    let limit: Int
    let weights: [Int]
    var wanted: [Int]
    var budget: InstanceBudget<Int>
    var random: SplitMix
    var now = Instant(nanoseconds: 0)
    var held: [Int]
    /// Told to end; not ended yet.
    var ending: [Int]
    var waiting: Set<Int> = []
    var reclaims = 0
    /// Steps since the version last had an instance while it wanted one.
    var without: [Int]

    init(seed: UInt64, versions: Int, limit: Int) {
        var random = SplitMix(state: seed)
        self.limit = limit
        budget = InstanceBudget(limit: limit, turn: .seconds(5))
        weights = (0..<versions).map { _ in Int.random(in: 1...4, using: &random) }
        wanted = weights.map { _ in 0 }
        (held, ending, without) = (wanted, wanted, wanted)
        self.random = random
        for (key, weight) in weights.enumerated() { budget.weigh(key, weight) }
    }

    mutating func changeDemand() {
        let key = Int.random(in: wanted.indices, using: &random)
        wanted[key] = Int.random(in: 0...1, using: &random) * Int.random(in: 1...limit + 2, using: &random)
        budget.idle(key, max(0, held[key] - ending[key] - wanted[key]))
    }

    mutating func step() {
        now = now + .milliseconds(UInt64.random(in: 0...1000, using: &random))
        for key in wanted.indices.shuffled(using: &random) { live(key) }
        obey()
        check()
    }

    /// What one version does of itself: it ends what it was told to, and says what it wants and what is idle.
    private mutating func live(_ key: Int) {
        if ending[key] > 0, Int.random(in: 0..<3, using: &random) == 0 { release(key) }
        let kept = held[key] - ending[key]
        if kept > wanted[key], Int.random(in: 0..<4, using: &random) == 0 {
            budget.idle(key, kept - wanted[key] - 1)
            release(key)
        } else {
            budget.idle(key, max(0, kept - wanted[key]))
        }
        if held[key] - ending[key] < wanted[key] {
            claim(key)
        } else if waiting.remove(key) != nil {
            budget.withdraw(key)
        }
        obey()
    }

    private mutating func claim(_ key: Int) {
        let isNew = waiting.insert(key).inserted
        switch budget.claim(key, at: now) {
        case .granted:
            #expect(isNew, "granted while it waited, past `next`")
            grant(key)
        case .wait(let victim): if let victim { reclaim(victim) }
        }
    }

    private mutating func grant(_ key: Int) {
        let wasWaiting = waiting.remove(key) != nil
        #expect(wasWaiting, "granted to \(key), which does not wait")
        held[key] += 1
        let total = held.reduce(0, +)
        #expect(total <= limit)
    }

    private mutating func reclaim(_ victim: Int) {
        reclaims += 1
        ending[victim] += 1
        #expect(ending[victim] <= held[victim], "more reclaimed from \(victim) than it has")
        let isUseful = ending.reduce(0, +) <= waiting.count
        #expect(isUseful, "reclaimed for nobody")
        let kept = held[victim] - ending[victim]
        guard kept < wanted[victim] else { return }
        // It was busy: somebody has less for its weight than the victim keeps, or takes its turn.
        let isFair = waiting.contains { key in
            let poor = held[key] - ending[key]
            return key != victim && (poor * weights[victim] < kept * weights[key] || poor == 0 && kept == 0)
        }
        #expect(isFair, "a busy instance of \(victim), which keeps \(kept), was reclaimed")
    }

    /// If one was to end, it is this one.
    private mutating func release(_ key: Int) {
        ending[key] = max(0, ending[key] - 1)
        held[key] -= 1
        budget.released(key)
    }

    private mutating func obey() {
        while let outcome = budget.next(at: now) {
            switch outcome {
            case .granted(let key): grant(key)
            case .reclaim(let victim): reclaim(victim)
            }
        }
    }

    private mutating func check() {
        for key in wanted.indices {
            #expect(budget.held(by: key) == held[key])
            #expect(budget.isWaiting(key) == waiting.contains(key))
            without[key] = wanted[key] > 0 && held[key] == 0 ? without[key] + 1 : 0
        }
        #expect(budget.free == limit - held.reduce(0, +))
        #expect(budget.free == 0 || waiting.isEmpty, "places are free, and \(waiting) wait")
        if let wakeUp = budget.wakeUp { #expect(wakeUp > now, "what is due was not done") }
    }

    /// Weighted max-min shares by filling up: each place in turn to whoever has fewest for its weight and wants more.
    func fairShares() -> [Int] {
        var shares = wanted.map { _ in 0 }
        for _ in 0..<limit {
            let poor = shares.indices.filter { shares[$0] < wanted[$0] }
            guard let next = poor.min(by: { shares[$0] * weights[$1] < shares[$1] * weights[$0] }) else { break }
            shares[next] += 1
        }
        return shares
    }

    /// Whether two ways of sharing differ only in who of several with equally many for their weights has the last ones.
    func isAsFair(_ shares: [Int]) -> Bool {
        let isComplete = shares.reduce(0, +) == min(limit, wanted.reduce(0, +))
        return isComplete
            && shares.indices.allSatisfy { poor in
                shares[poor] == wanted[poor]
                    || shares.indices.allSatisfy { (shares[$0] - 1) * weights[poor] <= shares[poor] * weights[$0] }
            }
    }
}

@Suite struct BudgetSimulationTests {
    @Test(arguments: 0..<150 as Range<UInt64>)
    func rulesHoldWhateverHappens(seed: UInt64) {
        var world = World(seed: seed, versions: 2 + Int(seed % 9), limit: 1 + Int(seed % 13))
        for step in 0..<400 {
            if step % 7 == 0 { world.changeDemand() }
            world.step()
        }
    }

    @Test(arguments: 0..<150 as Range<UInt64>)
    func constantDemandEndsInWeightedMaxMinSharesAndStaysThere(seed: UInt64) {
        let versions = 2 + Int(seed % 7)
        var world = World(seed: seed, versions: versions, limit: versions + Int(seed % 17))
        for _ in 0..<40 {
            world.changeDemand()
            world.step()
        }
        for _ in 0..<400 { world.step() }
        #expect(world.ending.reduce(0, +) == 0)
        #expect(world.isAsFair(world.held), "\(world.held) of \(world.wanted) by \(world.weights)")
        #expect(world.isAsFair(world.fairShares()))
        // Without ties there is one answer only: each version gets what filling up gives it, give or take a tie.
        for (held, fair) in zip(world.held, world.fairShares()) { #expect(abs(held - fair) <= 1) }
        let (settled, reclaims) = (world.held, world.reclaims)
        for _ in 0..<300 { world.step() }
        #expect(world.held == settled && world.reclaims == reclaims, "instances move though demand does not")
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func withTooFewPlacesNobodyWaitsForever(seed: UInt64) {
        let versions = 4 + Int(seed % 6)
        var world = World(seed: seed, versions: versions, limit: 1 + Int(seed % 3))
        world.wanted = world.wanted.map { _ in 2 }
        var longest = 0
        for _ in 0..<2000 {
            world.step()
            longest = max(longest, world.without.max() ?? 0)
        }
        // A turn is 5 s × weight, a step half a second: 40 steps at most, and a few to end, for each one before it.
        #expect(longest < 60 * versions, "somebody waited \(longest) steps")
        #expect(longest > 0)
    }

    @Test(arguments: 0..<60 as Range<UInt64>)
    func withEnoughPlacesEveryoneSoonHasOne(seed: UInt64) {
        let versions = 3 + Int(seed % 6)
        var world = World(seed: seed, versions: versions, limit: versions)
        world.wanted[0] = versions
        for _ in 0..<50 { world.step() }
        world.wanted = world.wanted.map { _ in versions }
        for _ in 0..<100 { world.step() }
        #expect(world.held.allSatisfy { $0 == 1 }, "\(world.held)")
    }
}
