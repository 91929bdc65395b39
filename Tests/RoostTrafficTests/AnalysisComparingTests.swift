import RoostBasics
import RoostEvaluation
import Testing

@testable import RoostTraffic

/// Latency, agreement and quality.
@Suite struct AnalysisComparingTests {
    typealias Counts = AnalysisCountsTests

    func judge(
        _ evidence: Evidence, _ metric: Metric, share: Int = 5, settings: AnalysisSettings = AnalysisSettings()
    ) throws -> Finding {
        try #require(Analysis.judge(evidence, settings, nextShare: share).finding(metric))
    }

    func isOpen(_ finding: Finding) -> Bool { if case .open = finding.judgement { true } else { false } }

    /// 0.5 to 1.5 times `milliseconds`, evenly spread.
    func fill(_ arm: inout Arm, _ requests: Int, milliseconds: Double, rows: Int = 1) {
        for number in 0..<requests {
            let part = 0.5 + Double(number * 7919 % requests) / Double(requests)
            Counts.add(1, to: &arm, milliseconds: milliseconds * part, rows: rows)
        }
    }

    func warm() -> Stratum { Stratum(stable: Arm(warmUpLeft: 0), canary: Arm(warmUpLeft: 0)) }

    @Test(arguments: [
        (1.0, 1.0, 300, false), (1, 21, 60, true), (10, 20, 300, true), (10, 10.5, 3000, false),
        (0.1, 0.4, 3000, false), (10, 11.5, 3000, false), (10, 13, 3000, true),
    ])
    func latencyIsInferiorBeyondMarginAndNoise(
        _ stable: Double, _ canary: Double, _ requests: Int, _ isInferior: Bool
    ) throws {
        var stratum = warm()
        fill(&stratum.stable, 8000, milliseconds: stable)
        fill(&stratum.canary, requests, milliseconds: canary)
        let finding = try judge(Evidence(stratum), .latency, share: 100)
        #expect((finding.judgement == .inferior) == isInferior, "\(finding.text)")
    }

    /// As on a machine in use: two requests in a hundred wait for the machine itself, whatever answers them.
    @Test(arguments: [(0.2, 20.2, true), (10.0, 18.0, true), (10, 11.0, false), (0.2, 0.6, false)])
    func whatATailOfTheMachinesHidesTheMedianShows(_ stable: Double, _ canary: Double, _ isInferior: Bool) throws {
        var stratum = warm()
        fill(&stratum.stable, 8000, milliseconds: stable)
        fill(&stratum.stable, 160, milliseconds: 100)
        fill(&stratum.canary, 98, milliseconds: canary)
        fill(&stratum.canary, 2, milliseconds: 100)
        let finding = try judge(Evidence(stratum), .latency, share: 25)
        #expect((finding.judgement == .inferior) == isInferior, "\(finding.text)")
        #expect(finding.text.hasPrefix(isInferior ? "p50 of 1 row" : "p99 of 1 row"), "\(finding.text)")
    }

    @Test func equalLatencyIsProvenStepByStep() throws {
        var stratum = warm()
        fill(&stratum.stable, 20_000, milliseconds: 10)
        fill(&stratum.canary, 250, milliseconds: 10)
        let early = try judge(Evidence(stratum), .latency)
        #expect(early.judgement == .proven && early.margin == 0.2, "\(early.text)")
        #expect(isOpen(try judge(Evidence(stratum), .latency, share: 100)))
        fill(&stratum.canary, 2000, milliseconds: 10)
        #expect(try judge(Evidence(stratum), .latency, share: 100).judgement == .proven)
    }

    @Test func largerRequestsAreComparedWithLargerRequests() throws {
        var stratum = warm()
        fill(&stratum.stable, 8000, milliseconds: 1)
        fill(&stratum.stable, 1000, milliseconds: 40, rows: 500)
        fill(&stratum.canary, 300, milliseconds: 1)
        fill(&stratum.canary, 300, milliseconds: 40, rows: 500)
        #expect(try judge(Evidence(stratum), .latency).judgement != .inferior)
        fill(&stratum.canary, 200, milliseconds: 90, rows: 500)
        let finding = try judge(Evidence(stratum), .latency)
        #expect(finding.judgement == .inferior && finding.text.contains(">64 rows"), "\(finding.text)")
    }

    @Test func aSlowHourIsNoFaultOfTheCanary() throws {
        var (quiet, busy) = (warm(), warm())
        fill(&quiet.stable, 9900, milliseconds: 2)
        fill(&quiet.canary, 100, milliseconds: 2)
        fill(&busy.stable, 3000, milliseconds: 30)
        fill(&busy.canary, 3000, milliseconds: 30)
        var evidence = Evidence(quiet)
        evidence.strata.append(busy)
        #expect(try judge(evidence, .latency, share: 100).judgement == .proven)
    }

    @Test(arguments: [
        (0, 100, 25, Finding.Judgement.proven), (0, 300, 100, .proven), (60, 600, 100, .alarming),
        (250, 500, 5, .inferior), (100, 200, 5, .inferior), (1300, 5000, 100, .alarming),
    ])
    func disagreementInformsPausesOrEnds(
        _ flips: Int, _ count: Int, _ share: Int, _ judgement: Finding.Judgement
    ) throws {
        var evidence = Evidence()
        for number in 0..<count { evidence.pairs.add(isFlip: number < flips, difference: 0) }
        let finding = try judge(evidence, .agreement, share: share)
        #expect(finding.judgement == judgement, "\(finding.text)")
    }

    @Test func aCollapseIsToldFromADisagreementBeforeAnybodyIsCalled() throws {
        var evidence = Evidence()
        for number in 0..<60 { evidence.pairs.add(isFlip: number.isMultiple(of: 3), difference: 0) }
        #expect(isOpen(try judge(evidence, .agreement)))
    }

    func labels(
        stable: Double, canary: Double, variance: Double = 0.09, count: Int = 5000, recorded: Int = 10_000,
        canaryRecorded: Int? = nil
    ) -> Evidence {
        var evidence = Evidence()
        evidence.labels = Labels(
            stable: Labels.OfVersion(
                recorded: recorded, labelled: count,
                estimate: MetricEstimate(value: stable, variance: variance, count: count)),
            canary: Labels.OfVersion(
                recorded: canaryRecorded ?? recorded, labelled: count,
                estimate: MetricEstimate(value: canary, variance: variance, count: count)))
        return evidence
    }

    func settings(_ metric: QualityMetric, required: Bool = true, margin: Double = 0.01) -> AnalysisSettings {
        var settings = AnalysisSettings()
        settings.quality.metric = metric
        settings.quality.margin = margin
        settings.quality.isRequired = required
        return settings
    }

    @Test func worseMeansLowerOrHigherAsTheMetricHasIt() throws {
        let higher = settings(.accuracy, margin: 0.03), lower = settings(.logLoss, margin: 0.03)
        let falls = labels(stable: 0.9, canary: 0.8), rises = labels(stable: 0.8, canary: 0.9)
        #expect(try judge(falls, .quality, share: 100, settings: higher).judgement == .inferior)
        #expect(try judge(rises, .quality, share: 100, settings: higher).judgement == .proven)
        #expect(try judge(falls, .quality, share: 100, settings: lower).judgement == .proven)
        #expect(try judge(rises, .quality, share: 100, settings: lower).judgement == .inferior)
    }

    @Test func undecidedLabelsHoldUpOnlyWhoRequiresThem() throws {
        let same = labels(stable: 0.9, canary: 0.9, count: 200)
        let open = try judge(same, .quality, share: 100, settings: settings(.accuracy))
        guard case .open(_, let samples?) = open.judgement else { return #expect(isOpen(open), "no samples") }
        let enough = labels(stable: 0.9, canary: 0.9, count: 200 + samples + samples / 5, recorded: 1_000_000)
        #expect(try judge(enough, .quality, share: 100, settings: settings(.accuracy)).judgement == .proven)
        let optional = try judge(same, .quality, share: 100, settings: settings(.accuracy, required: false))
        guard case .unproven = optional.judgement else { return #expect(Bool(false), "\(optional.judgement)") }
    }

    @Test func noLabelsAreNotedOrWaitedFor() throws {
        #expect(isOpen(try judge(Evidence(), .quality, settings: settings(.auc))))
        let few = labels(stable: 0.9, canary: 0.5, count: 20, recorded: 40)
        #expect(isOpen(try judge(few, .quality, settings: settings(.auc))))
    }

    @Test func aMetricThatLabelsCannotGiveIsSaidToBe() throws {
        var evidence = labels(stable: 0.9, canary: 0.9)
        evidence.labels.canary.estimate = nil
        let open = try judge(evidence, .quality, settings: settings(.auc))
        #expect(open.judgement == .open(missing: "labels that give auc", samples: nil))
        #expect(open.text.hasSuffix("auc cannot be computed from them"))
        let optional = try judge(evidence, .quality, settings: settings(.auc, required: false))
        #expect(optional.text.hasSuffix("auc cannot be computed from them"))
        guard case .unproven = optional.judgement else { return #expect(Bool(false), "\(optional.judgement)") }
    }

    @Test func labelsThatPreferAVersionGiveNoVerdict() throws {
        for required in [true, false] {
            let evidence = labels(stable: 0.9, canary: 0.2, count: 400, recorded: 1000, canaryRecorded: 13_333)
            let finding = try judge(evidence, .quality, settings: settings(.accuracy, required: required))
            let missing: String
            switch finding.judgement {
            case .open(let words, nil) where required: missing = words
            // What need not come cannot hold a rollout up by coming unevenly.
            case .unproven(let words) where !required: missing = words
            default: return #expect(Bool(false), "\(finding.judgement)")
            }
            #expect(missing.hasPrefix("labels cover 40 % of stable's predictions but 3 % of the canary's"))
        }
        let chance = labels(stable: 0.9, canary: 0.9, count: 400, recorded: 1000, canaryRecorded: 1050)
        let finding = try judge(chance, .quality, settings: settings(.accuracy, margin: 0.1))
        #expect(finding.judgement == .proven, "\(finding.text)")
    }

    @Test func aPerfectScoreOfFewIsNotKnownExactly() throws {
        let perfect = labels(stable: 1, canary: 1, variance: 0, count: 60, recorded: 100)
        #expect(isOpen(try judge(perfect, .quality, share: 100, settings: settings(.accuracy))))
    }
}
