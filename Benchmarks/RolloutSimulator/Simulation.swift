internal import RoostBasics
internal import RoostTesting
internal import RoostTraffic

/// How a rollout ended.
enum Ending: Int, CaseIterable {
    case promoted, aborted, paused, waiting
}

struct Outcome {
    var ending = Ending.waiting
    var canaryRequests = 0
    var requests = 0
    var intervals = 0
    /// Whatever metric ended it.
    var metric: Metric?
}

/// One rollout by the steps of the default plan, looked at after every interval.
struct Simulation {
    static let steps = [1, 5, 25, 50, 100]
    /// Four hours.
    static let intervalsMax = 240

    let scenario: Scenario
    private var random: Seeded
    private var evidence = Evidence()
    private var scores = (stable: MeanScore(), canary: MeanScore())

    init(_ scenario: Scenario, seed: UInt64) {
        self.scenario = scenario
        random = Seeded(seed)
    }

    mutating func run() -> Outcome {
        var outcome = Outcome()
        var step = 0
        for interval in 0..<Self.intervalsMax {
            outcome.intervals = interval + 1
            let requests = interval < scenario.stopsAt ? scenario.requests : 0
            let canary = requests * Self.steps[step] / 100
            serve(requests - canary, canary, interval)
            outcome.canaryRequests += canary
            outcome.requests += requests
            // Counts do not change without traffic, and neither does what is said of them.
            guard requests > 0 else { continue }
            let verdict = Analysis.judge(evidence, scenario.settings, nextShare: Self.steps[step + 1])
            switch decision(verdict) {
            case nil: continue
            case .promoted?:
                step += 1
                evidence.beginStratum()
                if step + 1 < Self.steps.count { continue }
                outcome.ending = .promoted
            case let ending?:
                outcome.ending = ending
                outcome.metric =
                    verdict.findings.first { $0.judgement == (ending == .aborted ? .inferior : .alarming) }?.metric
            }
            return outcome
        }
        return outcome
    }

    /// `promoted` for going on, nil for waiting.
    private func decision(_ verdict: Verdict) -> Ending? {
        var isOpen = false
        var alarm = false
        for finding in verdict.findings {
            switch finding.judgement {
            case .inferior: return .aborted
            case .alarming: alarm = true
            case .open: isOpen = true
            case .proven, .unproven: continue
            }
        }
        return alarm ? .paused : isOpen ? nil : .promoted
    }

    private mutating func serve(_ stable: Int, _ canary: Int, _ interval: Int) {
        let tide = scenario.tides == 0 ? 1 : wave(interval, height: scenario.tides, period: 37)
        Self.answer(stable, scenario.stable, scenario, tide, &random, &evidence.stable)
        Self.answer(canary, scenario.canary, scenario, tide, &random, &evidence.canary)
        label(stable, scenario.stable, \.stable, \.stable)
        label(canary, scenario.canary, \.canary, \.canary)
        guard let flips = scenario.flips else { return }
        for _ in 0..<(stable + canary) / 50 {
            let isFlip = random.unit() < flips
            evidence.pairs.add(isFlip: isFlip, difference: isFlip ? 0.3 : 0)
        }
    }

    private static func answer(
        _ requests: Int, _ behaviour: Behaviour, _ scenario: Scenario, _ tide: Double, _ random: inout Seeded,
        _ arm: inout Arm
    ) {
        let limit = UInt64(behaviour.errors * tide * 0x1p32)
        for _ in 0..<requests {
            let bits = random.next()
            var (isError, cluster) = (bits >> 32 < limit, UInt32?.none)
            if let keys = scenario.keys {
                let key = random.next() % UInt64(keys)
                cluster = UInt32(truncatingIfNeeded: SplitMix.mix(key))
                isError = key.isMultiple(of: 50) && bits >> 32 < limit * 50
            }
            var latency = behaviour.latency.value(bits)
            if tide != 1 { latency = UInt64(Double(latency) * tide) }
            arm.add(
                isError: isError, latency: Instant.Span(nanoseconds: latency), rows: 1, cluster: cluster,
                paysForStart: false)
        }
    }

    private mutating func label(
        _ requests: Int, _ behaviour: Behaviour, _ version: WritableKeyPath<Labels, Labels.OfVersion>,
        _ score: WritableKeyPath<(stable: MeanScore, canary: MeanScore), MeanScore>
    ) {
        evidence.labels[keyPath: version].recorded += requests
        guard behaviour.coverage > 0 else { return }
        for _ in 0..<requests where random.unit() < behaviour.coverage {
            evidence.labels[keyPath: version].labelled += 1
            scores[keyPath: score].add(random.unit() < behaviour.accuracy ? 1 : 0)
        }
        evidence.labels[keyPath: version].estimate = scores[keyPath: score].estimate
    }
}
