internal import RoostEvaluation
internal import RoostBasics
internal import Testing

/// Values by scikit-learn 1.9 stand in Tests/clients/test_evaluate.py; here are the definitions, on data of every kind.
struct ClassMetricTests {
    /// Random scores with many ties, and labels that follow them a little.
    static func binary(_ count: Int, seed: UInt64, levels: Int = 10) -> ClassObservations {
        var random = SplitMix(state: seed)
        let scores = (0..<count).map { _ in Double(Int.random(in: 0...levels, using: &random)) / Double(levels) }
        let truths = scores.map { Double.random(in: 0..<1, using: &random) < 0.2 + 0.6 * $0 }
        return ClassObservations(scores: scores, truths: truths)
    }

    static func several(_ count: Int, classes: Int, seed: UInt64) -> ClassObservations {
        var random = SplitMix(state: seed)
        var (scores, truths): ([Double], [Int]) = ([], [])
        for _ in 0..<count {
            let truth = Int.random(in: 0..<classes, using: &random)
            var row = (0..<classes).map { _ in Double(Int.random(in: 1...5, using: &random)) }
            row[truth] += 2
            let sum = row.reduce(0, +)
            scores += row.map { $0 / sum }
            truths.append(truth)
        }
        return ClassObservations(classCount: classes, scores: scores, truths: truths)
    }

    @Test(arguments: 1...20)
    func theAreaCountsPairs(seed: Int) throws {
        let data = Self.binary(60, seed: UInt64(seed))
        var (wins, pairs) = (0.0, 0.0)
        for one in 0..<data.count where data.truths[one] == 1 {
            for other in 0..<data.count where data.truths[other] == 0 {
                pairs += 1
                wins += data.scores[one] > data.scores[other] ? 1 : data.scores[one] == data.scores[other] ? 0.5 : 0
            }
        }
        #expect(abs(try Observations.classes(data).value(of: .auc) - wins / pairs) < 1e-14)
    }

    @Test func severalClassesAreEachHeldAgainstTheRest() throws {
        let data = Self.several(200, classes: 4, seed: 3)
        for metric in [QualityMetric.auc, .averagePrecision] {
            var sum = 0.0
            for place in 0..<4 {
                let scores = (0..<data.count).map { data.scores[4 * $0 + place] }
                let one = ClassObservations(scores: scores, truths: data.truths.map { $0 == place })
                sum += try Observations.classes(one).value(of: metric)
            }
            #expect(abs(try Observations.classes(data).value(of: metric) - sum / 4) < 1e-14)
        }
    }

    @Test func handCalculatedValues() throws {
        // 3 true and 1 false positives, 2 missed, 4 true negatives.
        let scores = [0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.1, 0.1, 0.1]
        let truths = [true, true, true, false, true, true, false, false, false, false]
        let data = Observations.classes(ClassObservations(scores: scores, truths: truths))
        let expected: [(QualityMetric, Double)] = [
            (.accuracy, 0.7), (.precision, 0.75), (.recall, 0.6), (.f1, 2.0 / 3), (.balancedAccuracy, 0.7),
            (.precisionMacro, (0.75 + 4.0 / 6) / 2), (.f1Macro, (2.0 / 3 + 8.0 / 11) / 2), (.f1Micro, 0.7),
            (.auc, 23.0 / 25), (.averagePrecision, (3 + 4.0 / 5 + 5.0 / 6) / 5), (.brier, 0.145 + 0.017),
            (.mcc, (3 * 4 - 1 * 2) / (4.0 * 5 * 5 * 6).squareRoot()),
        ]
        for (metric, value) in expected where metric != .brier {
            #expect(abs(try data.value(of: metric) - value) < 1e-12, "\(metric.name)")
        }
        let squares = zip(scores, truths).map { ($0 - ($1 ? 1 : 0)) * ($0 - ($1 ? 1 : 0)) }
        #expect(abs(try data.value(of: .brier) - squares.reduce(0, +) / 10) < 1e-15)
        let matrix = ConfusionMatrix(ClassObservations(scores: scores, truths: truths))
        #expect(matrix.counts == [4, 1, 2, 3])
    }

    @Test func aClassThatNeverOccursIsLeftOutOfMeans() throws {
        let seen = ClassObservations(classCount: 2, scores: [], truths: [0, 0, 1, 1], decisions: [0, 1, 1, 1])
        let wider = ClassObservations(classCount: 5, scores: [], truths: [0, 0, 1, 1], decisions: [0, 1, 1, 1])
        for metric in [QualityMetric.f1Macro, .precisionMacro, .recallMacro, .balancedAccuracy, .mcc] {
            #expect(try Observations.classes(seen).value(of: metric) == Observations.classes(wider).value(of: metric))
        }
    }

    @Test func zeroProbabilityOfTheTruthIsALargeLossNotAnInfiniteOne() throws {
        let data = Observations.classes(ClassObservations(scores: [0, 1], truths: [true, false]))
        #expect(abs(try data.value(of: .logLoss) - 36.04365338911715) < 1e-12)
    }

    @Test func withoutBothClassesThereIsNoArea() throws {
        for truth in [true, false] {
            let data = Observations.classes(ClassObservations(scores: [0.1, 0.7], truths: [truth, truth]))
            let error = try #require(throws: UndefinedMetric.self) { try data.value(of: .auc) }
            #expect(
                error.description == "auc is undefined: none of the labels is \(truth ? "not positive" : "positive")")
            #expect(try data.value(of: .mcc) == 0)
            #expect(try data.value(of: .balancedAccuracy) == 0.5)
        }
    }

    @Test func whatCannotBeMeasuredIsSaid() throws {
        func reason(_ data: ClassObservations, _ metric: QualityMetric) throws -> String {
            try #require(throws: UndefinedMetric.self) { try Observations.classes(data).value(of: metric) }.reason
        }
        let margins = ClassObservations(scores: [-1, 2], truths: [false, true])
        #expect(try reason(margins, .logLoss) == "the scores are not probabilities")
        #expect(try Observations.classes(margins).value(of: .auc) == 1)
        let broken = ClassObservations(scores: [.nan, 0.5], truths: [false, true])
        #expect(try reason(broken, .auc) == "some scores are not finite numbers")
        let bare = ClassObservations(scores: [], truths: [false, true], decisions: [false, true])
        #expect(try reason(bare, .averagePrecision) == "the model gives decisions, no scores")
        #expect(try reason(margins, .rmse).hasPrefix("a binary model has accuracy, "))
        #expect(try reason(ClassObservations(scores: [], truths: [Bool]()), .accuracy) == "there are no observations")
        let several = ClassObservations(classCount: 3, scores: [], truths: [0, 2], decisions: [0, 1])
        #expect(try reason(several, .f1).hasPrefix("a multiclass model has "))
    }
}
