import RoostBasics
import RoostTraffic
import Testing

@Suite struct SplitTests {
    /// Numbers 1, 2, 3, … with these percents.
    func shares(_ percents: [Int]) throws -> TrafficShares {
        try TrafficShares(
            Dictionary(uniqueKeysWithValues: percents.enumerated().map { (VersionNumber(UInt32($0 + 1)), $1) }))
    }

    static let tables: [[Int]] = [
        [90, 10], [99, 1], [50, 50], [93, 7], [33, 67], [1, 99], [34, 33, 33], [80, 15, 5], [97, 1, 1, 1],
        [25, 25, 25, 25],
        [10, 20, 30, 40], [1, 2, 3, 4, 5, 85], [Int](repeating: 1, count: 100), [13, 17, 19, 23, 28],
    ]

    @Test(arguments: tables)
    func everyWindowOfHundredIsWithinOne(_ percents: [Int]) throws {
        for seed: UInt64 in [0, 1, 0xDEAD_BEEF] {
            let split = Split(try shares(percents), seed: seed)
            let chosen = (0..<5000).map { split.choose($0) }
            var counts = [Int](repeating: 0, count: percents.count)
            for (at, version) in chosen.enumerated() {
                counts[version] += 1
                if at >= 100 { counts[chosen[at - 100]] -= 1 }
                guard at >= 99 else { continue }
                let isFair = zip(counts, percents).allSatisfy { abs($0 - $1) <= 1 }
                try #require(isFair, "seed \(seed), window ending at \(at): \(counts) for \(percents)")
            }
        }
    }

    @Test(arguments: [2, 3, 5, 7, 10, 20, 25, 50, 100, 101])
    func aPeriodicCallerMeetsTheCanaryLikeAnyone(_ period: UInt64) throws {
        let split = Split(try shares([90, 10]), seed: 42)
        for phase in 0..<min(period, 20) {
            let calls: UInt64 = 20_000
            let hits = (0..<calls).count { split.choose(phase + $0 * period) == 1 }
            let percent = Double(hits) * 100 / Double(calls)
            #expect((4...16).contains(percent), "period \(period), phase \(phase): \(percent) %")
        }
    }

    @Test func patternsDifferFromBlockToBlockAndFromSeedToSeed() throws {
        let split = Split(try shares([90, 10]), seed: 1)
        let blocks = (0..<50).map { block in (0..<100).map { split.choose(UInt64(block * 100 + $0)) } }
        #expect(Set(blocks).count > 30)
        let other = Split(try shares([90, 10]), seed: 2)
        #expect((0..<100).map { other.choose($0) } != blocks[0])
    }

    @Test func theSameSeedAndCounterChooseTheSame() throws {
        let one = Split(try shares([60, 30, 10]), seed: 9), two = Split(try shares([60, 30, 10]), seed: 9)
        #expect((0..<1000).allSatisfy { one.choose($0) == two.choose($0) })
        #expect((UInt64.max - 50...UInt64.max).allSatisfy { (0..<3).contains(one.choose($0)) })
    }

    @Test func aSingleVersionAlwaysAnswers() {
        let split = Split(TrafficShares(all: VersionNumber(3)), seed: 5)
        #expect((0..<200).allSatisfy { split.choose($0) == 0 })
        #expect(split.versions == [VersionNumber(3)])
    }

    @Test func theCounterRestartsOnlyWhenSharesChange() throws {
        var counter = SplitCounter(try shares([90, 10]), seed: 3)
        for _ in 0..<150 { _ = counter.next() }
        counter.replace(try shares([90, 10]))
        #expect(counter.counter == 150)
        counter.replace(try shares([50, 50]))
        #expect(counter.counter == 0)
        var second = 0
        for _ in 0..<100 { second += counter.next() }
        #expect(second == 50)
    }
}

/// What is promised to users in numbers.
@Suite struct SharesInWindowsTests {
    func canaryHits(_ requests: Int) throws -> [Bool] {
        let split = Split(try TrafficShares([VersionNumber(2): 90, VersionNumber(3): 10]), seed: 0x5EED)
        return (0..<requests).map { split.choose(UInt64($0)) == 1 }
    }

    @Test func ninetyTenIsExactOverTenThousandAndNineToElevenInEveryWindow() throws {
        let hits = try canaryHits(10_000)
        #expect(hits.count { $0 } == 1000)
        var window = hits.prefix(100).count { $0 }
        for end in 100...10_000 {
            #expect((9...11).contains(window), "\(window) in the window that ends at \(end)")
            if end < 10_000 { window += (hits[end] ? 1 : 0) - (hits[end - 100] ? 1 : 0) }
        }
    }

    /// Somebody whose requests come at every tenth, hundredth or thousandth place gets a fair part of both.
    @Test(arguments: [10, 100, 1000])
    func aPeriodicCallerGetsAFairShareOfBoth(_ period: Int) throws {
        let calls = 2000
        let hits = try canaryHits(period * calls)
        for phase in stride(from: 0, to: period, by: max(1, period / 10)) {
            let own = (0..<calls).count { hits[phase + $0 * period] }
            #expect((80...320).contains(own), "period \(period), phase \(phase): \(own) of \(calls), due 200")
        }
    }

    @Test(arguments: [1, 10, 50, 100])
    func aSamplerChoosesItsPercentage(_ percent: Int) throws {
        var sampler = try Sampler(percent: percent, seed: 3)
        #expect((0..<10_000).count { _ in sampler.next() } == percent * 100)
    }
}
