import RoostBasics
import Testing

@testable import RoostTraffic

@Suite struct AnalysisJudgingTests {
    typealias Counts = AnalysisCountsTests

    /// A stratum of arms that are warm.
    func stratum(
        stable: (requests: Int, errors: Int), canary: (requests: Int, errors: Int), cluster: UInt32? = nil
    ) -> Stratum {
        var stratum = Stratum(stable: Arm(warmUpLeft: 0), canary: Arm(warmUpLeft: 0))
        Counts.add(stable.requests, to: &stratum.stable, errors: stable.errors, cluster: cluster)
        Counts.add(canary.requests, to: &stratum.canary, errors: canary.errors, cluster: cluster)
        return stratum
    }

    func judge(
        _ evidence: Evidence, _ metric: Metric, share: Int = 5, settings: AnalysisSettings = AnalysisSettings()
    ) throws -> Finding {
        try #require(Analysis.judge(evidence, settings, nextShare: share).finding(metric))
    }

    func isOpen(_ finding: Finding) -> Bool { if case .open = finding.judgement { true } else { false } }

    @Test func aVerdictHasEveryMetricOnceAndSaysSomethingOfEach() {
        let findings = Analysis.judge(Evidence(), AnalysisSettings(), nextShare: 1).findings
        #expect(findings.map(\.metric) == Metric.allCases)
        #expect(findings.allSatisfy { !$0.text.isEmpty })
    }

    @Test func nothingSeenProvesNothing() throws {
        for share in [1, 5, 100] {
            #expect(isOpen(try judge(Evidence(), .errors, share: share)))
            #expect(isOpen(try judge(Evidence(), .latency, share: share)))
        }
        #expect(try judge(Evidence(), .agreement).judgement == .unproven("0 pairs"))
        #expect(try judge(Evidence(), .quality).judgement == .unproven("0 labels"))
    }

    @Test func twoHundredWithoutErrorsAreEnoughForFivePercentAndNotForAll() throws {
        let evidence = Evidence(stratum(stable: (19_800, 0), canary: (200, 0)))
        let finding = try judge(evidence, .errors)
        #expect(finding.judgement == .proven && finding.margin == 0.04)
        #expect(
            finding.text
                == "errors 0 % of 200 against 0 % of 19,800: at most 2.2 % more, 4 % allowed before 5 % of traffic")
        let all = try judge(evidence, .errors, share: 100)
        #expect(isOpen(all) && all.margin == 0.002)
        guard case .open(let missing, let samples?) = all.judgement else { return }
        #expect(missing == "about \(grouped(samples)) more requests")
        let later = Evidence(stratum(stable: (19_800, 0), canary: (200 + samples, 0)))
        #expect(try judge(later, .errors, share: 100).judgement == .proven)
    }

    @Test func fewerThanTheLeastSamplesProveNothing() throws {
        var settings = AnalysisSettings()
        settings.samplesMin = 500
        let evidence = Evidence(stratum(stable: (49_000, 0), canary: (499, 0)))
        #expect(isOpen(try judge(evidence, .errors, share: 1, settings: settings)))
        #expect(try judge(evidence, .errors, share: 1).judgement == .proven)
    }

    @Test func aVersionThatFailsAlwaysIsCaughtByItsFirstRequests() throws {
        #expect(try judge(Evidence(stratum(stable: (400, 0), canary: (4, 4))), .errors).judgement == .inferior)
        #expect(try judge(Evidence(stratum(stable: (400, 0), canary: (1, 1))), .errors).judgement != .inferior)
    }

    @Test func boundsEncloseTheExcess() throws {
        for (stable, canary) in [((5000, 50), (5000, 75)), ((99_000, 200), (1000, 2)), ((300, 3), (300, 0))] {
            let finding = try judge(Evidence(stratum(stable: stable, canary: canary)), .errors)
            let (excess, lower, upper) = (finding.excess ?? .nan, finding.lower ?? .nan, finding.upper ?? .nan)
            #expect(lower < excess && excess < upper)
            #expect(abs(excess - (Double(canary.1) / Double(canary.0) - Double(stable.1) / Double(stable.0))) < 1e-12)
        }
    }

    /// A bad hour that the canary had more of is no fault of the canary's.
    @Test func sharesThatGrowInABadHourAreNoExcess() throws {
        var evidence = Evidence(stratum(stable: (99_000, 99), canary: (1000, 1)))
        evidence.strata.append(stratum(stable: (5000, 500), canary: (5000, 500)))
        let finding = try judge(evidence, .errors)
        // Pooled, the canary fails 8.4 % and the stable version 0.6 %.
        #expect(abs(finding.excess ?? 1) < 1e-9)
        #expect(finding.judgement != .inferior)
        let alone = Evidence(stratum(stable: (104_000, 599), canary: (6000, 501)))
        #expect(try judge(alone, .errors).judgement == .inferior)
    }

    @Test func oneCallersErrorsEndNoRollout() throws {
        var stratum = stratum(stable: (0, 0), canary: (0, 0))
        for key in 0..<240 {
            Counts.add(100, to: &stratum.stable, errors: 0, cluster: UInt32(key))
            Counts.add(10, to: &stratum.canary, errors: key == 17 ? 10 : 0, cluster: UInt32(key))
        }
        var settings = AnalysisSettings()
        settings.errorsMargin = 0.0005
        #expect(isOpen(try judge(Evidence(stratum), .errors, share: 100, settings: settings)))
        let independent = Evidence(self.stratum(stable: (24_000, 0), canary: (2400, 10)))
        #expect(try judge(independent, .errors, share: 100, settings: settings).judgement == .inferior)
    }

    /// Margin next to nothing, so that `inferior` is what the lower bound excludes.
    @Test func equalVersionsAreSeldomFoundInferiorHoweverOftenOneLooks() {
        var random = SplitMix(state: 5)
        var settings = AnalysisSettings()
        (settings.errorsMargin, settings.alpha) = (1e-9, 0.4)
        let wrong = (0..<150).count { _ in
            var evidence = Evidence(stratum(stable: (0, 0), canary: (0, 0)))
            for look in 0..<40 {
                if look == 20 { evidence.beginStratum() }
                for number in 0..<50 {
                    let isError = Int.random(in: 0..<20, using: &random) == 0
                    let isCanary = number.isMultiple(of: look < 20 ? 10 : 2)
                    if isCanary {
                        evidence.canary.add(
                            isError: isError, latency: .zero, rows: 1, cluster: nil, paysForStart: false)
                    } else {
                        evidence.stable.add(
                            isError: isError, latency: .zero, rows: 1, cluster: nil, paysForStart: false)
                    }
                }
                let finding = Analysis.errors(evidence, Question(settings: settings, share: 100))
                if finding.judgement == .inferior { return true }
            }
            return false
        }
        // A tenth is allowed on average (a quarter of alpha), which would be 15.
        #expect(wrong <= 15, "\(wrong) of 150")
    }

    @Test func samplesNeededAreAboutWhatTheProofTakes() throws {
        let settings = AnalysisSettings()
        var stable = Arm(warmUpLeft: 0)
        Counts.add(10_000, to: &stable, errors: 10)
        for share in [5, 25, 50, 100] {
            let needed = try #require(Analysis.samplesNeeded(settings, nextShare: share, stable: stable))
            let proven = { requests in
                try judge(
                    Evidence(stratum(stable: (1_000_000, 1000), canary: (requests, requests / 1000))), .errors,
                    share: share
                ).judgement == .proven
            }
            #expect(try proven(needed * 6 / 5))
            if share > 5 { #expect(try !proven(needed / 2)) }
        }
        #expect(Analysis.samplesNeeded(settings, nextShare: 1) == 250)
        var hopeless = settings
        hopeless.errorsMargin = 1e-9
        #expect(Analysis.samplesNeeded(hopeless, nextShare: 100, stable: stable) == nil)
    }
}
