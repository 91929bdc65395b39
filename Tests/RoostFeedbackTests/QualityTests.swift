import Glibc
import RoostBasics
import RoostEvaluation
import RoostFeedback
import Testing

@Suite struct QualityTests {
    private static func row(_ values: [Double], _ decision: Label?, _ label: Label, delay: Int64 = 0) -> LabelledRow {
        LabelledRow(
            predictedAt: 1_000_000, labelledAt: 1_000_000 + delay * 1_000_000, values: values, elements: values.count,
            decision: decision, label: label)
    }

    private static func quality(_ rows: [LabelledRow], of recorded: Int, version: UInt32 = 1) -> VersionQuality {
        VersionQuality(VersionNumber(version), recorded: recorded, labelled: rows.count, rows: rows)
    }

    private func value(_ quality: VersionQuality, _ metric: QualityMetric) -> Double? {
        quality.figures.first { $0.metric == metric }?.value
    }

    @Test func binaryAnswersByNumber() {
        // One positive below one negative of four pairs: AUC 3/4; one wrong decision of four.
        let rows = [(0.9, 1.0, 1.0), (0.4, 0, 1), (0.45, 0, 0), (0.1, 0, 0)].map {
            Self.row([$0.0], .number($0.1), .number($0.2))
        }
        let quality = Self.quality(rows, of: 8)
        #expect(quality.task == .binary && quality.count == 4)
        #expect(value(quality, .auc) == 0.75 && value(quality, .accuracy) == 0.75)
        #expect(quality.losses[.error]?.sum == 1 && quality.losses[.brier]?.count == 4)
    }

    @Test func thePositiveClassOfTwoNamesIsTheOneWithHighValues() {
        let rows = [(0.9, "good", "good"), (0.8, "good", "bad"), (0.2, "bad", "bad"), (0.1, "bad", "good")].map {
            Self.row([$0.0], .text($0.1), .text($0.2))
        }
        // Truth of "good": 0.9 and 0.1 against 0.8 and 0.2: 0.9 beats both, 0.1 neither.
        #expect(value(Self.quality(rows, of: 4), .auc) == 0.5)
        let sure = [Self.row([0.9], .text("no"), .text("no")), Self.row([0.6], .text("no"), .text("yes"))]
        #expect(value(Self.quality(sure, of: 4), .auc) == 1, "only one was ever decided, with high values")
    }

    @Test func severalClassesFindTheirColumns() {
        let names = ["ham", "spam", "eggs"]
        var rows: [LabelledRow] = []
        for truth in 0..<3 {
            for turn in 0..<4 {
                let decided = turn == 0 ? (truth + 1) % 3 : truth
                let values = (0..<3).map { $0 == decided ? 0.7 : 0.15 }
                rows.append(Self.row(values, .text(names[decided]), .text(names[truth])))
            }
        }
        let quality = Self.quality(rows, of: 12)
        #expect(quality.task == .multiclass && value(quality, .accuracy) == 0.75)
        let logLoss = (9 * -0.7.logarithm - 3 * 0.15.logarithm) / 12
        #expect(abs((value(quality, .logLoss) ?? 0) - logLoss) < 1e-9)
        #expect(abs((quality.losses[.brier]?.mean ?? 0) - (9 * 0.135 + 3 * (0.7225 + 0.49 + 0.0225)) / 12) < 1e-12)
    }

    @Test func aClassThatTheModelNeverGivesLeavesDecisionsOnly() {
        let rows = [("a", "a"), ("b", "c"), ("b", "b")].enumerated().map { index, pair in
            Self.row(pair.0 == "a" ? [0.9, 0.1] : [0.1, 0.9], .text(pair.0), .text(pair.1))
        }
        let quality = Self.quality(rows, of: 3)
        #expect(value(quality, .accuracy).map { abs($0 - 2.0 / 3) < 1e-12 } == true && value(quality, .auc) == nil)
    }

    @Test func aModelThatDecidesNothingIsARegression() {
        let rows = [(1.0, 2.0), (3, 3), (5, 3)].map { Self.row([$0.0], nil, .number($0.1)) }
        let quality = Self.quality(rows, of: 3)
        #expect(quality.task == .regression && value(quality, .mae) == 1)
        #expect(quality.losses[.squaredError]?.sum == 5 && quality.losses[.absoluteError]?.sum == 3)
        let broken = rows + [Self.row([.nan], nil, .number(1)), Self.row([1, 2], nil, .number(1))]
        #expect(Self.quality(broken.reversed(), of: 5).count == 3, "rows that do not fit are left out")
    }

    @Test func withoutLabelsThereIsCoverageAndNothingElse() {
        let quality = Self.quality([], of: 40_112)
        #expect(
            quality.task == nil && quality.figures.isEmpty && quality.coverage.description == "0 of 40,112 labelled")
    }

    @Test(
        arguments: [
            (276_480, "3.2 d"), (5400, "1.5 h"), (90, "1.5 min"), (3, "3.0 s"), (0, "0.0 s"),
        ] as [(Int64, String)])
    func coverageIsSaidInWords(_ delay: Int64, _ words: String) {
        let rows = (0..<3).map { Self.row([1], nil, .number(1), delay: delay + $0 - 1) }
        let text = VersionQuality(VersionNumber(1), recorded: 1_234_567, labelled: 1312, rows: rows).coverage
            .description
        #expect(text == "1,312 of 1,234,567 labelled, median delay \(words)")
    }

    @Test func coverageThatDiffersByChanceIsTheSame() {
        var generator = SplitMix(state: 7)
        var alarms = 0
        for _ in 0..<4000 {
            let counts = (0..<2).map { _ in (0..<400).count { _ in Double.random(in: 0..<1, using: &generator) < 0.3 } }
            if Coverage(recorded: 400, labelled: counts[0]).differs(from: Coverage(recorded: 400, labelled: counts[1]))
            {
                alarms += 1
            }
        }
        #expect((10...75).contains(alarms), "\(alarms) of 4,000, about 40 expected")
        #expect(Coverage(recorded: 1000, labelled: 100).differs(from: Coverage(recorded: 1000, labelled: 200)))
        #expect(!Coverage(recorded: 0, labelled: 0).differs(from: Coverage(recorded: 1000, labelled: 200)))
    }

    /// A version that errs in every `each`-th row.
    private func version(_ number: UInt32, errsEvery each: Int, labels: Int, of recorded: Int) -> VersionQuality {
        let rows = (0..<labels).map { index in
            Self.row([0.2], .number(0), .number(index % each == 0 ? 1 : 0))
        }
        return Self.quality(rows, of: recorded, version: number)
    }

    @Test func versionsAreComparedOnlyWhereLabelsComeAlike() {
        let base = version(1, errsEvery: 10, labels: 1000, of: 10_000)
        let bad = version(2, errsEvery: 3, labels: 300, of: 3000)
        let verdict = QualityComparison(bad, against: base)
        #expect(verdict.verdict == .worse && verdict.loss == .brier && verdict.interval?.contains(0) == false)
        #expect(QualityComparison(base, against: bad).verdict == .better)
        #expect(
            QualityComparison(version(3, errsEvery: 10, labels: 300, of: 3000), against: base).verdict == .undecided)
        for (other, words) in [
            (version(2, errsEvery: 3, labels: 600, of: 3000), "20.0 % of 2's rows are labelled, 10.0 % of 1's"),
            (version(2, errsEvery: 3, labels: 29, of: 290), "30 labels of each are needed, there are 29 and 1000"),
            (version(2, errsEvery: 3, labels: 0, of: 10), "there are no labels of both"),
        ] {
            guard case .none(let reason) = QualityComparison(other, against: base).verdict else {
                Issue.record("a verdict where there is none: \(words)")
                continue
            }
            #expect(reason.contains(words), "\(reason)")
        }
    }
}

extension Double {
    fileprivate var logarithm: Double { log(self) }
}
