internal import RoostEvaluation
internal import RoostTraffic

/// The tables.
enum Scenarios {
    static let identical = [
        Scenario("errors 0.1 %"),
        Scenario("no errors at all") { ($0.stable.errors, $0.canary.errors) = (0, 0) },
        Scenario("errors 2 %") {
            ($0.stable.errors, $0.canary.errors) = (0.02, 0.02)
            $0.isSlow = true
        },
        Scenario("latencies of σ 0.3") { same(&$0, Lognormal(medianMS: 2, sigma: 0.3)) },
        Scenario("latencies of σ 1") { same(&$0, Lognormal(medianMS: 2, sigma: 1)) },
        Scenario("load that comes and goes by half") { $0.tides = 0.5 },
        Scenario("errors of few sticky keys") {
            ($0.stable.errors, $0.canary.errors) = (0.005, 0.005)
            $0.keys = 2000
            $0.isSlow = true
        },
        Scenario("the same, with keys ignored") {
            ($0.stable.errors, $0.canary.errors) = (0.005, 0.005)
            ($0.keys, $0.ignoresKeys, $0.isSlow) = (2000, true, true)
        },
        Scenario("errors of some of many sticky keys") {
            ($0.stable.errors, $0.canary.errors) = (0.002, 0.002)
            $0.keys = 200_000
        },
        Scenario("shadowed, 3 % other decisions") { $0.flips = 0.03 },
        Scenario("labels of 40 %, required") { labels(&$0) },
    ]

    static let errors = [0.001, 0.002, 0.003, 0.004, 0.007, 0.012, 0.052].map { excess in
        Scenario("0.1 % → \((0.1 + excess * 100).short) %\(excess == 0.002 ? " (the margin)" : "")") {
            $0.canary.errors = 0.001 + excess
            $0.isSlow = (0.002...0.003).contains(excess)
        }
    }

    static let latency =
        [1.1, 1.2, 1.3, 1.5, 2].map { factor in
            Scenario("× \(factor.short), σ 0.3\(factor == 1.2 ? " (the margin)" : "")") {
                same(&$0, Lognormal(medianMS: 5, sigma: 0.3))
                $0.canary.latency = Lognormal(medianMS: 5 * factor, sigma: 0.3)
                $0.isSlow = factor == 1.2
            }
        }
        + [1.2, 1.5, 2, 4].map { factor in
            Scenario("× \(factor.short), σ 1\(factor == 1.2 ? " (the margin)" : "")") {
                same(&$0, Lognormal(medianMS: 5, sigma: 1))
                $0.canary.latency = Lognormal(medianMS: 5 * factor, sigma: 1)
                $0.isSlow = factor == 1.2
            }
        }
        + [0.3, 1].map { sigma in
            Scenario("1 ms + 20 ms, σ \(sigma.short)") {
                same(&$0, Lognormal(medianMS: 1, sigma: sigma))
                $0.canary.latency = Lognormal(medianMS: 1, sigma: sigma, shiftMS: 20)
            }
        }
        + [
            Scenario("0.1 ms + 0.3 ms, σ 0.3 (below the noise)") {
                same(&$0, Lognormal(medianMS: 0.1, sigma: 0.3))
                $0.canary.latency = Lognormal(medianMS: 0.1, sigma: 0.3, shiftMS: 0.3)
            }
        ]

    static let agreement =
        [0.03, 0.05, 0.1, 0.25, 0.3, 0.5].map { flips in
            Scenario("\((flips * 100).short) %\(flips == 0.05 ? " (the margin)" : "")") {
                $0.flips = flips
                $0.isSlow = flips == 0.05
            }
        }
        + [
            Scenario("10 %, labels say that it is better") {
                $0.flips = 0.1
                labels(&$0)
                $0.canary.accuracy = 0.95
            },
            Scenario("45 %, labels permuted") {
                $0.flips = 0.45
                labels(&$0)
                $0.canary.accuracy = 0.5
            },
        ]

    static let quality =
        [
            Scenario("0.9 → 0.8, labels optional") {
                labels(&$0, required: false)
                $0.canary.accuracy = 0.8
            },
            Scenario("few labels (0.2 %), required") {
                labels(&$0, coverage: 0.002)
                $0.intervalsMax = 30
            },
            Scenario("few labels (0.2 %), optional") { labels(&$0, coverage: 0.002, required: false) },
            Scenario("biased labels (40 % and 3 %)") {
                labels(&$0)
                $0.canary.coverage = 0.03
                $0.intervalsMax = 30
            },
            Scenario("biased labels, and worse by far") {
                labels(&$0)
                $0.canary.coverage = 0.03
                $0.intervalsMax = 30
                $0.canary.accuracy = 0.6
            },
        ]
        + [0.95, 0.9, 0.895, 0.89, 0.88, 0.86, 0.8].map { accuracy in
            Scenario("accuracy 0.9 → \(accuracy.short)\(accuracy == 0.89 ? " (the margin)" : "")") {
                labels(&$0)
                $0.canary.accuracy = accuracy
                $0.isSlow = (0.88...0.895).contains(accuracy)
            }
        }
        + [(0.95, 2.326), (0.93, 2.087), (0.9, 1.812)].map { auc, separation in
            Scenario("AUC 0.95 → \(auc.short), margin 0.02\(auc == 0.93 ? " (the margin)" : "")") {
                labels(&$0)
                ($0.stable.separation, $0.canary.separation) = (2.326, separation)
                ($0.settings.quality.metric, $0.settings.quality.margin) = (.auc, 0.02)
                ($0.isSlow, $0.intervalsMax) = (true, 40)
            }
        }

    static let traffic = [
        Scenario("none") { $0.requests = 0 },
        Scenario("100 a minute") { $0.requests = 100 },
        Scenario("1,000 a minute") { $0.requests = 1000 },
        Scenario("stops after 3 minutes") { $0.stopsAt = 3 },
        Scenario("stops after 10 minutes") { $0.stopsAt = 10 },
        Scenario("100 a minute, every request fails") {
            $0.requests = 100
            $0.canary.errors = 1
        },
    ]

    private static func same(_ scenario: inout Scenario, _ latency: Lognormal) {
        (scenario.stable.latency, scenario.canary.latency) = (latency, latency)
    }

    private static func labels(_ scenario: inout Scenario, coverage: Double = 0.4, required: Bool = true) {
        (scenario.stable.coverage, scenario.canary.coverage) = (coverage, coverage)
        scenario.settings.quality.isRequired = required
    }
}

extension Double {
    /// Without the digits of binary fractions.
    fileprivate var short: String {
        let rounded = (self * 1000).rounded() / 1000
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }
}
