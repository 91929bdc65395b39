internal import RoostBasics
internal import RoostJSON

/// From one state to another, each move with its actions. No move decides whether it may be made.
extension Rollout {
    /// Who decided, when no person did.
    static let itself = "rollout"

    mutating func pass(to now: Instant) {
        let passed = now - times.seen
        times.seen = max(times.seen, now)
        times.inStep = times.inStep + passed
        times.inState = times.inState + passed
        times.sinceLook = times.sinceLook + passed
        switch state {
        case .pausing(nil), .paused, .baking, .promoted, .aborted: break
        case .pending, .replaying, .analysing, .waiting, .pausing, .gate: times.total = times.total + passed
        }
    }

    mutating func enter(_ state: RolloutState) {
        self.state = state
        times.inState = .zero
    }

    // MARK: forward

    /// What is still to do before the first share.
    mutating func begin() -> [RolloutAction] {
        switch preparation {
        case .created, .loading:
            enter(.pending)
            return []
        case .loaded: return ask(.start, from: 0)
        case .admitted: return startReplay()
        case .replayed: return goOn()
        }
    }

    /// The plan's next element.
    mutating func goOn() -> [RolloutAction] {
        if shortcut == nil, case .pause(let length) = plan.steps[stage] {
            stage += 1
            enter(.pausing(length))
            return [audit(.pausing, by: Self.itself, from: share, "\(findingsInWords); the plan pauses")]
        }
        return ask(nextShare == 100 ? .beforePromotion : .beforeStep, from: 0)
    }

    /// The gates of this moment, from that index of the plan on; behind the last of them it goes on.
    private mutating func ask(_ moment: RolloutGate.Moment, from index: Int) -> [RolloutAction] {
        if let next = plan.gates.indices.dropFirst(index).first(where: { plan.gates[$0].moment == moment }) {
            return call(gate: next)
        }
        guard moment == .start else { return advance() }
        preparation = .admitted
        return startReplay()
    }

    mutating func call(gate index: Int) -> [RolloutAction] {
        calls += 1
        enter(.gate(index, call: calls))
        return [.callGate(RolloutGateCall(call: calls, gate: plan.gates[index], body: gateBody(plan.gates[index])))]
    }

    mutating func passed(gate index: Int) -> [RolloutAction] {
        // Evidence came while the gate thought.
        if share > 0, shortcut == nil, !missing.isEmpty {
            enter(.waiting(missing: missing))
            return []
        }
        return ask(plan.gates[index].moment, from: index + 1)
    }

    /// It is asked again at the next look, which is an interval from now.
    mutating func refused(by index: Int, _ reason: String) -> [RolloutAction] {
        let text = "gate \(plan.gates[index].url): \(reason)"
        enter(.waiting(missing: [text]))
        times.sinceLook = .zero
        guard refusal != text else { return [] }
        refusal = text
        return [audit(.gateRefused, by: Self.itself, from: share, text)]
    }

    mutating func startReplay() -> [RolloutAction] {
        calls += 1
        enter(.replaying(call: calls))
        return [.startReplay(call: calls)]
    }

    private mutating func advance() -> [RolloutAction] {
        let next = nextShare
        guard next < 100 else {
            return complete(shortcut ?? "proven \(whereabouts): \(findingsInWords)", by: Self.itself, bakes: true)
        }
        let (from, numbers, reason) = (share, numbers, share == 0 ? "the first share" : findingsInWords)
        stage += 1
        beginStep()
        enter(.analysing)
        return [
            audit(.advanced, by: Self.itself, from: from, reason, numbers), .setShares(shares),
            .collect(stratum: stratum, anew: false),
        ]
    }

    /// Evidence of another share.
    private mutating func beginStep() {
        stratum += 1
        (verdict, samples, refusal) = (nil, 0, nil)
        (times.inStep, times.sinceLook) = (.zero, .zero)
    }

    /// 100 % at once.
    mutating func complete(_ reason: String, by who: String, bakes: Bool) -> [RolloutAction] {
        let (from, numbers, verdict) = (share, numbers, verdict)
        if let shortcut { doubts.append(Doubt(metric: nil, text: shortcut)) }
        noteDoubts()
        stage = plan.steps.count
        beginStep()
        self.verdict = verdict
        guard bakes, plan.bake > .zero else { return end(reason, by: who, from: from, numbers) }
        enter(.baking)
        return [
            audit(.baking, by: who, from: from, reason, numbers), .setShares(shares),
            .collect(stratum: stratum, anew: false),
        ]
    }

    /// The end of baking.
    mutating func finish(_ reason: String, by who: String) -> [RolloutAction] {
        for finding in verdict?.findings ?? [] where finding.judgement == .proven {
            doubts.removeAll { $0.metric == finding.metric }
        }
        return end(reason, by: who, from: share, numbers)
    }

    private mutating func end(
        _ reason: String, by who: String, from: Int, _ numbers: JSONValue
    ) -> [RolloutAction] {
        let unproven = doubts.map(\.text)
        enter(.promoted(unproven: unproven))
        return [
            audit(.promoted, by: who, from: from, reason, numbers), .setShares(shares), .promoted(unproven: unproven),
        ] + startQueued
    }

    // MARK: aside and back

    mutating func hold(_ cause: RolloutState.Hold.Cause, _ reason: String, by who: String) -> [RolloutAction] {
        let place: RolloutState.Place =
            switch state {
            case .pausing(let length): .pausing(length, over: times.inState)
            case .baking: .baking(over: times.inState)
            case .paused(let hold): hold.place
            case .pending, .replaying, .analysing, .waiting, .gate, .promoted, .aborted: share > 0 ? .step : .beginning
            }
        enter(.paused(RolloutState.Hold(cause: cause, reason: reason, place: place)))
        return [audit(.paused, by: who, from: share, reason)]
    }

    /// Back to where it was; what is due is done at the next look, which is now.
    mutating func release(_ hold: RolloutState.Hold, by who: String) -> [RolloutAction] {
        switch hold.cause {
        case .person: break
        case .alarm(let metrics):
            accepted += metrics
            doubts += metrics.map { metric in
                let text = verdict?.finding(metric)?.text ?? hold.reason
                return Doubt(metric: metric, text: "\(metric.rawValue) accepted by \(who): \(text)")
            }
        case .replay:
            if share == 0 { preparation = .replayed }
            doubts.append(Doubt(metric: nil, text: "accepted by \(who): \(hold.reason)"))
        case .overtime: (times.total, refusal) = (.zero, nil)
        }
        switch hold.place {
        case .beginning: enter(isLoaded ? .waiting(missing: ["the next look"]) : .pending)
        case .step: enter(.analysing)
        case .pausing(let length, let over):
            enter(.pausing(length))
            times.inState = over
        case .baking(let over):
            enter(.baking)
            times.inState = over
        }
        times.sinceLook = plan.interval
        return [audit(.resumed, by: who, from: share, "after: \(hold.reason)")]
    }

    mutating func abort(_ reason: String, by who: String) -> [RolloutAction] {
        let (from, numbers) = (share, numbers)
        enter(.aborted(reason: reason))
        return [
            audit(.aborted, by: who, from: from, reason, numbers), .setShares(shares),
            .reject(canary, reason: reason),
        ] + startQueued
    }

    /// The share stays, since its callers are used to it; what is known does not count any more.
    mutating func compare(with replacement: VersionNumber, _ reason: String) -> [RolloutAction] {
        let (numbers, before) = (numbers, stable)
        stable = replacement
        let text = "stable version \(before) is lost (\(reason)): \(replacement) takes its place"
        guard share > 0 else {
            return [audit(.stableReplaced, by: Self.itself, from: 0, text, numbers), .setShares(shares)]
        }
        beginStep()
        switch state {
        case .replaying, .waiting, .gate: enter(.analysing)
        case .pending, .analysing, .pausing, .baking, .paused, .promoted, .aborted: break
        }
        return [
            audit(.stableReplaced, by: Self.itself, from: share, text, numbers), .setShares(shares),
            .collect(stratum: stratum, anew: true),
        ]
    }

    private var startQueued: [RolloutAction] { queued.map { [.startQueued($0)] } ?? [] }

    /// What the last analysis leaves open.
    private mutating func noteDoubts() {
        let known = Set(doubts.compactMap(\.metric))
        for finding in verdict?.findings ?? [] where !known.contains(finding.metric) {
            switch finding.judgement {
            case .proven: break
            case .unproven(let text):
                doubts.append(Doubt(metric: finding.metric, text: "\(finding.metric.rawValue) unproven: \(text)"))
            case .open(let missing, _):
                doubts.append(Doubt(metric: finding.metric, text: "\(finding.metric.rawValue) unproven: \(missing)"))
            case .alarming, .inferior: doubts.append(Doubt(metric: finding.metric, text: finding.text))
            }
        }
        if verdict?.finding(.errors) == nil {
            doubts.append(Doubt(metric: .errors, text: "errors unproven: nothing analysed in this step"))
        }
    }
}
