import RoostBasics
import Testing

@testable import RoostTraffic

@Suite struct AnalysisBoundTests {
    /// Every sequence of outcomes at once: the probability of each count of errors, without those that were excluded.
    @Test(arguments: [0.003, 0.02, 0.1, 0.5, 0.97])
    func theTrueRateIsEverExcludedWithAtMostTheStatedProbability(_ p: Double) {
        let error = 0.05
        for isBelow in [true, false] {
            var probabilities = [1.0]
            var excluded = 0.0
            for trials in 1...250 {
                var next = [Double](repeating: 0, count: trials + 1)
                for (sum, probability) in probabilities.enumerated() {
                    next[sum] += probability * (1 - p)
                    next[sum + 1] += probability * p
                }
                for sum in 0...trials where next[sum] > 0 {
                    let seen = BoundedMean(trials: Double(trials), sum: Double(sum))
                    let evidence = isBelow ? seen.evidenceBelow(p) : seen.evidenceAbove(p)
                    guard evidence >= seen.threshold(error) else { continue }
                    excluded += next[sum]
                    next[sum] = 0
                }
                probabilities = next
            }
            #expect(excluded <= error)
            // Too careful would be useless: some of the chance is used.
            if (0.02...0.5).contains(p) { #expect(excluded > error / 50) }
        }
    }

    @Test(arguments: [(200.0, 0.0), (200, 1), (200, 7.5), (5000, 40), (5000, 4990), (2e6, 3000), (3, 3)])
    func boundsAreWhereTheEvidenceIsEnough(_ trials: Double, _ sum: Double) {
        let seen = BoundedMean(trials: trials, sum: sum)
        let (lower, upper) = (seen.lower(0.01), seen.upper(0.01))
        #expect(lower <= sum / trials && sum / trials <= upper)
        if upper < 1 { #expect(abs(seen.evidenceBelow(upper) - seen.threshold(0.01)) < 1e-4) }
        if lower > 0 { #expect(abs(seen.evidenceAbove(lower) - seen.threshold(0.01)) < 1e-4) }
    }

    @Test func noErrorsAmongTwoHundredProveLessThanThreePercent() {
        let upper = BoundedMean(trials: 200, sum: 0).upper(0.05)
        // A bound for this count alone would be log(20) / 200, about 1.5 %.
        #expect(upper > 0.0149 && upper < 0.022)
        #expect(BoundedMean(trials: 0, sum: 0).upper(0.05) == 1)
        #expect(BoundedMean(trials: 0, sum: 0).lower(0.05) == 0)
        #expect(BoundedMean(trials: 200, sum: 0).lower(0.05) == 0)
    }

    @Test func boundsTightenWithMoreOfTheSame() {
        var previous = 1.0
        for times in [1.0, 2, 5, 20, 100, 1000] {
            let width = BoundedMean(trials: 300 * times, sum: 6 * times)
            let span = width.upper(0.025) - width.lower(0.025)
            #expect(span < previous)
            previous = span
        }
        #expect(previous < 0.002)
    }

    @Test func growthIsTheFactorAtWhichTheProofSucceeds() throws {
        let seen = BoundedMean(trials: 500, sum: 2)
        func growth(_ p: Double, rate: Double) -> Double? { seen.growth(toBeBelow: p, error: 0.05, rate: rate) }
        for rate in [0.004, 0.001, 0] {
            let times = try #require(growth(0.01, rate: rate))
            func upper(_ times: Double) -> Double {
                BoundedMean(trials: 500 * times, sum: 2 + 500 * (times - 1) * rate).upper(0.05)
            }
            #expect(upper(times) <= 0.01 && upper(times * 0.95) > 0.01)
        }
        #expect(growth(0.004, rate: 0.004) == nil)
        #expect(growth(0.5, rate: 0.004) == 1)
    }

    @Test func normalBoundaryHasItsClosedForm() {
        // √(2 · 100 · ln(√100 / 0.1 + 1)) = √(200 · ln 101)
        #expect(abs(NormalMixture(error: 0.05, tuning: 1).boundary(99) - 30.3813) < 1e-3)
    }

    @Test func randomWalksSeldomCrossTheNormalBoundary() {
        var random = SplitMix(state: 7)
        let mixture = NormalMixture(error: 0.05, tuning: 20)
        let crossed = (0..<400).count { _ in
            var sum = 0.0
            return (1...600).contains { step in
                sum += Bool.random(using: &random) ? 1 : -1
                return sum > mixture.boundary(Double(step))
            }
        }
        #expect((1...25).contains(crossed), "\(crossed) of 400, 20 are allowed on average")
    }
}
