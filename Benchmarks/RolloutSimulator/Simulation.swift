internal import RoostBasics
internal import RoostEvaluation
internal import RoostTraffic

/// How a rollout ended.
enum Ending: Int, CaseIterable {
    case promoted, aborted, paused, waiting
}

struct Outcome {
    var ending = Ending.waiting
    /// That the canary answered before the end.
    var canaryRequests = 0
    var requests = 0
    var intervals = 0
    /// What ended it, when it was not promoted.
    var metric: Metric?
}

/// One rollout by the standard plan: the product's machine and analysis, looked at after each interval.
struct Simulation {
    let scenario: Scenario
    private var rollout: Rollout
    private var now = Instant(nanoseconds: 0)
    private var random: SplitMix
    private var evidence = Evidence()
    private var scores = (stable: Scores(), canary: Scores())

    init(_ scenario: Scenario, plan: RolloutPlan, seed: UInt64) {
        self.scenario = scenario
        random = SplitMix(state: seed)
        rollout = Rollout(
            canary: VersionNumber(2), stable: VersionNumber(1), plan: plan, at: Instant(nanoseconds: 0))
    }

    mutating func run() -> Outcome {
        carryOut(rollout.started(by: "simulator", at: now))
        carryOut(rollout.canaryReady(at: now))
        var outcome = Outcome()
        var verdict = Verdict([])
        while outcome.intervals < scenario.intervalsMax {
            let requests = outcome.intervals < scenario.stopsAt ? scenario.requests : 0
            let canary = requests * rollout.share / 100
            serve(requests - canary, canary, outcome.intervals)
            outcome.intervals += 1
            outcome.canaryRequests += canary
            outcome.requests += requests
            now = now + rollout.plan.interval
            // Without requests nothing changes in what is said of them.
            if requests > 0 {
                verdict = Analysis.judge(evidence, rollout.plan.analysis, nextShare: rollout.nextShare)
            }
            carryOut(rollout.tick(verdict, samples: evidence.canary.requests, at: now))
            switch rollout.state {
            case .promoted: outcome.ending = .promoted
            case .aborted: (outcome.ending, outcome.metric) = (.aborted, metric(verdict, .inferior))
            case .paused: (outcome.ending, outcome.metric) = (.paused, metric(verdict, .alarming))
            case .pending, .replaying, .analysing, .waiting, .pausing, .gate, .baking: continue
            }
            return outcome
        }
        return outcome
    }

    private func metric(_ verdict: Verdict, _ judgement: Finding.Judgement) -> Metric? {
        verdict.findings.first { $0.judgement == judgement }?.metric
    }

    private mutating func carryOut(_ actions: [RolloutAction]) {
        for action in actions {
            switch action {
            case .collect: evidence.beginStratum()
            case .setShares, .audit, .reject, .promoted: continue  // the share is asked for, the end is seen
            case .startReplay(let call):
                carryOut(rollout.replayed(call: call, .unavailable(reason: "nothing was recorded"), at: now))
            case .callGate, .startQueued: preconditionFailure("not in the standard plan: \(action)")
            }
        }
    }

    private mutating func serve(_ stable: Int, _ canary: Int, _ interval: Int) {
        let tide = scenario.tides == 0 ? 1 : wave(interval, height: scenario.tides, period: 37)
        let share = rollout.share
        var callers = scenario.keys.map { Callers(keys: $0, slots: share..<100) }
        answer(stable, scenario.stable, tide, callers, \.stable)
        callers?.slots = 0..<share
        answer(canary, scenario.canary, tide, callers, \.canary)
        label(stable, scenario.stable, \.stable, \.stable)
        label(canary, scenario.canary, \.canary, \.canary)
        guard let flips = scenario.flips else { return }
        for _ in 0..<(stable + canary) / 50 {
            let isFlip = random.unit() < flips
            evidence.pairs.add(isFlip: isFlip, difference: isFlip ? 0.3 : 0)
        }
    }

    private mutating func answer(
        _ requests: Int, _ behaviour: Behaviour, _ tide: Double, _ callers: Callers?,
        _ path: WritableKeyPath<Evidence, Arm>
    ) {
        guard requests > 0 else { return }
        let limit = UInt64(behaviour.errors * tide * 0x1p32)
        // A copy that nobody else has: a key path would look the arm up for each request.
        var arm = evidence[keyPath: path]
        evidence[keyPath: path] = Arm()
        for _ in 0..<requests {
            let bits = random.next()
            var (isError, cluster) = (bits >> 32 < limit, UInt32?.none)
            if let callers {
                let key = callers.next(&random)
                cluster = scenario.ignoresKeys ? nil : UInt32(truncatingIfNeeded: SplitMix.mix(key))
                isError = callers.isUnlucky(key) && bits >> 32 < limit * Callers.unlucky
            }
            var latency = behaviour.latency.value(bits)
            if tide != 1 { latency = UInt64(Double(latency) * tide) }
            arm.add(
                isError: isError, latency: Instant.Span(nanoseconds: latency), rows: 1, cluster: cluster,
                paysForStart: false)
        }
        evidence[keyPath: path] = arm
    }

    private mutating func label(
        _ requests: Int, _ behaviour: Behaviour, _ version: WritableKeyPath<Labels, Labels.OfVersion>,
        _ path: WritableKeyPath<(stable: Scores, canary: Scores), Scores>
    ) {
        guard behaviour.coverage > 0 else { return }
        var (labels, scores) = (evidence.labels[keyPath: version], scores[keyPath: path])
        self.scores[keyPath: path] = Scores()
        labels.recorded += requests
        for _ in 0..<requests where random.unit() < behaviour.coverage {
            labels.labelled += 1
            scores.add(behaviour, &random)
        }
        labels.estimate = scores.estimate
        (evidence.labels[keyPath: version], self.scores[keyPath: path]) = (labels, scores)
    }
}

/// What labels have said of one version's answers.
struct Scores {
    private var decided = (count: 0, right: 0)
    private var scores: [Double] = []
    private var truths: [Bool] = []

    mutating func add(_ behaviour: Behaviour, _ random: inout SplitMix) {
        guard let separation = behaviour.separation else {
            decided.count += 1
            decided.right += random.unit() < behaviour.accuracy ? 1 : 0
            return
        }
        let isPositive = random.unit() < 0.2
        truths.append(isPositive)
        scores.append(isPositive ? random.normal() + separation : random.normal())
    }

    /// The accuracy, or the area under the curve where there are scores.
    var estimate: MetricEstimate? {
        guard scores.isEmpty else {
            return try? Observations.classes(ClassObservations(scores: scores, truths: truths)).estimate(of: .auc)
        }
        guard decided.count >= 2 else { return nil }
        let (count, rate) = (Double(decided.count), Double(decided.right) / Double(decided.count))
        return MetricEstimate(value: rate, variance: rate * (1 - rate) * count / (count - 1), count: decided.count)
    }
}

/// Callers whose sticky keys belong to a range of a hundred slots.
struct Callers {
    let keys: Int
    var slots: Range<Int>
    /// One key in so many makes all errors, at so many times the rate.
    static let unlucky: UInt64 = 20

    func next(_ random: inout SplitMix) -> UInt64 {
        let bits = random.next()
        let slot = UInt64(slots.lowerBound) + (bits >> 32) % UInt64(slots.count)
        return (bits & 0xFFFF_FFFF) % UInt64(keys / 100) * 100 + slot
    }

    func isUnlucky(_ key: UInt64) -> Bool { SplitMix.mix(key &+ 1).isMultiple(of: Self.unlucky) }
}
