internal import RoostEvaluation
internal import RoostBasics
internal import Testing

struct EstimateTests {
    /// DeLong's variance as the article has it, from the components of both sides.
    @Test(arguments: 1...10)
    func theAreasVarianceIsDeLongs(seed: Int) throws {
        let data = ClassMetricTests.binary(50, seed: UInt64(seed))
        let positives = data.scores.indices.filter { data.truths[$0] == 1 }
        let negatives = data.scores.indices.filter { data.truths[$0] == 0 }
        func kernel(_ one: Int, _ other: Int) -> Double {
            data.scores[one] > data.scores[other] ? 1 : data.scores[one] == data.scores[other] ? 0.5 : 0
        }
        func variance(_ values: [Double]) -> Double {
            let mean = values.reduce(0, +) / Double(values.count)
            return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
        }
        let first = positives.map { one in negatives.reduce(0) { $0 + kernel(one, $1) } / Double(negatives.count) }
        let second = negatives.map { other in positives.reduce(0) { $0 + kernel($1, other) } / Double(positives.count) }
        let delong = variance(first) / Double(positives.count) + variance(second) / Double(negatives.count)
        let estimate = try Observations.classes(data).estimate(of: .auc)
        #expect(abs(estimate.standardError - delong.squareRoot()) < 1e-12)
        #expect(estimate.count == 50)
    }

    static let binary = Observations.classes(ClassMetricTests.binary(400, seed: 7, levels: 1000))
    static let several = Observations.classes(ClassMetricTests.several(400, classes: 3, seed: 8))
    static let numbers: Observations = {
        var random = SplitMix(state: 9)
        let truths = (0..<400).map { _ in Double.random(in: -5...5, using: &random) }
        return .numbers(
            NumberObservations(
                predictions: truths.map { $0 + Double.random(in: -2...2.5, using: &random) }, truths: truths))
    }()

    /// Variances of two kinds must agree: the linearised one, and that of resamples (whose quantiles of a normal
    /// distribution are 3.92 standard errors apart).
    @Test(arguments: [binary, several, numbers])
    func variancesAgreeWithResampling(data: Observations) throws {
        let metrics = QualityMetric.all(for: data.task).filter(\.hasEstimate)
        let intervals = data.intervals(of: metrics, resamples: 800, seed: 4)
        for metric in metrics {
            let estimate = try data.estimate(of: metric)
            let interval = try #require(intervals[metric])
            #expect(abs(estimate.value - (try data.value(of: metric))) < 1e-12, "\(metric.name)")
            let width = (interval.upperBound - interval.lowerBound) / 3.92
            #expect((0.88...1.12).contains(estimate.standardError / width), "\(metric.name): \(estimate) \(interval)")
            #expect(interval.contains(estimate.value))
        }
    }

    @Test func aMeansVarianceIsTheSamples() throws {
        let data = Observations.numbers(NumberObservations(predictions: [1, 2, 4], truths: [0, 0, 0]))
        let estimate = try data.estimate(of: .mae)
        #expect(abs(estimate.value - 7.0 / 3) < 1e-15 && abs(estimate.variance - 7.0 / 3) < 1e-15)
        #expect(estimate.count == 3)
    }

    @Test func tooFewObservationsHaveNoVariance() {
        let one = Observations.classes(ClassObservations(scores: [0.1, 0.4, 0.7], truths: [false, false, true]))
        #expect(throws: UndefinedMetric(.auc, "only one of the labels is positive")) { try one.estimate(of: .auc) }
        let single = Observations.numbers(NumberObservations(predictions: [1], truths: [2]))
        #expect(throws: UndefinedMetric.self) { try single.estimate(of: .mse) }
        #expect(single.intervals(of: [.mse]).isEmpty)
    }

    @Test func onlyMetricsThatSaySoAreWithoutAnEstimate() {
        for data in [Self.binary, Self.several, Self.numbers] {
            for metric in QualityMetric.all(for: data.task) {
                #expect(((try? data.estimate(of: metric)) != nil) == metric.hasEstimate, "\(metric.name)")
            }
        }
    }

    @Test func intervalsRepeatWithTheirSeed() {
        let metrics: [QualityMetric] = [.auc, .f1]
        let first = Self.binary.intervals(of: metrics, resamples: 200, seed: 1)
        #expect(first == Self.binary.intervals(of: metrics, resamples: 200, seed: 1))
        #expect(first != Self.binary.intervals(of: metrics, resamples: 200, seed: 2))
    }

    /// Of 95 % intervals about 95 % hold the truth: the mean of a uniform distribution's squares.
    @Test func intervalsHoldTheTruthAsOftenAsTheySay() throws {
        var random = SplitMix(state: 12)
        var held = 0
        for seed in 1...400 {
            let errors = (0..<80).map { _ in Double.random(in: 0..<1, using: &random) }
            let data = Observations.numbers(NumberObservations(predictions: errors, truths: errors.map { _ in 0 }))
            let interval = try #require(data.intervals(of: [.mse], resamples: 300, seed: UInt64(seed))[.mse])
            if interval.contains(1.0 / 3) { held += 1 }
        }
        #expect((360...396).contains(held), "\(held) of 400")
    }
}
