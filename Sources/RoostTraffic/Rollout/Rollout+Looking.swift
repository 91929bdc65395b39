public import RoostBasics

/// The regular look at the evidence, and what it leads to.
extension Rollout {
    /// `wakeAt` has come. Calling it earlier does no harm: the analysis may be looked at any number of times.
    ///
    /// - Parameters:
    ///   - verdict: the analysis for going on to `nextShare`; not listened to before the first share. One that says
    ///     nothing of errors proves nothing.
    ///   - samples: how many requests the canary has answered since the last `.collect`.
    public mutating func tick(_ verdict: Verdict, samples: Int, at now: Instant) -> [RolloutAction] {
        guard !state.isFinal else { return [] }
        pass(to: now)
        guard share > 0 else { return lookBeforeTraffic() }
        self.verdict = verdict
        self.samples = samples
        times.sinceLook = .zero
        let inferior = verdict.findings.filter { $0.judgement == .inferior }
        if !inferior.isEmpty {
            return abort(inferior.map(\.text).joined(separator: "; "), by: Self.itself)
        }
        if case .paused = state { return [] }
        let alarms = verdict.findings.filter { $0.judgement == .alarming && !accepted.contains($0.metric) }
        if !alarms.isEmpty {
            return hold(
                .alarm(alarms.map(\.metric)), alarms.map(\.text).joined(separator: "; "), by: Self.itself)
        }
        return goOnIfDue()
    }

    private mutating func goOnIfDue() -> [RolloutAction] {
        switch state {
        case .analysing, .waiting: return consider()
        case .pausing(let length):
            guard let length, times.inState >= length else { return [] }
            enter(.analysing)
            return consider()
        case .gate(let index, _): return times.inState >= plan.gates[index].timeout ? unanswered(by: index) : []
        case .replaying:
            return times.total >= plan.maxDuration ? holdForOvertime("the replay does not end") : []
        case .baking:
            return times.inState >= plan.bake ? finish("baked for \(plan.bake)", by: Self.itself) : []
        case .pending, .paused, .promoted, .aborted: return []
        }
    }

    private mutating func lookBeforeTraffic() -> [RolloutAction] {
        let isOvertime = times.total >= plan.maxDuration
        switch state {
        case .pending: return isOvertime ? holdForOvertime("version \(canary) is not loaded") : []
        case .replaying: return isOvertime ? holdForOvertime("the replay does not end") : []
        case .gate(let index, _): return times.inState >= plan.gates[index].timeout ? unanswered(by: index) : []
        case .waiting(let missing):
            if isOvertime { return holdForOvertime(missing.joined(separator: "; ")) }
            return times.sinceLook >= plan.interval ? begin() : []
        case .paused, .analysing, .pausing, .baking, .promoted, .aborted: return []
        }
    }

    /// In a step: on, if nothing is missing.
    mutating func consider() -> [RolloutAction] {
        let missing = shortcut == nil ? self.missing : []
        if shortcut == nil, times.inStep < plan.interval {
            if state != .analysing { enter(.analysing) }
            return []
        }
        if missing.isEmpty {
            if let refusal, times.total >= plan.maxDuration { return holdForOvertime(refusal) }
            return goOn()
        }
        wait(for: missing)
        guard times.total >= plan.maxDuration else { return [] }
        return samples < plan.minSamples ? withoutTraffic() : holdForOvertime(missing.joined(separator: "; "))
    }

    /// What stands between this step and the next share, in words; the time apart.
    var missing: [String] {
        var parts: [String] = []
        if samples < plan.minSamples { parts.append("\(samples) of \(plan.minSamples) requests in this step") }
        for finding in verdict?.findings ?? [] {
            switch finding.judgement {
            case .open(let missing, _): parts.append("\(finding.metric.rawValue): \(missing)")
            case .alarming where !accepted.contains(finding.metric): parts.append(finding.text)
            case .inferior: parts.append(finding.text)
            case .proven, .alarming, .unproven: break
            }
        }
        if verdict?.finding(.errors) == nil { parts.append("errors: nothing analysed yet") }
        return parts
    }

    private mutating func withoutTraffic() -> [RolloutAction] {
        switch plan.withoutTraffic {
        case .wait:
            times.total = .zero
            overtimes += 1
            return []
        case .replay:
            times.total = .zero
            return startReplay()
        case .promote: return shorten("\(tooLittleTraffic()), and without_traffic is promote")
        case .abort: return abort(tooLittleTraffic(), by: Self.itself)
        }
    }

    func tooLittleTraffic() -> String {
        "too little traffic: \(samples) of \(plan.minSamples) requests \(whereabouts) within \(plan.maxDuration)"
    }

    /// 100 % comes next, for this reason instead of proof.
    mutating func shorten(_ reason: String) -> [RolloutAction] {
        shortcut = reason
        times.total = .zero
        return goOn()
    }

    mutating func waitOn(withoutReplay reason: String) -> [RolloutAction] {
        overtimes += 1
        enter(.waiting(missing: missing))
        return [
            audit(
                .replayUnavailable, by: Self.itself, from: share,
                "\(tooLittleTraffic()), and no replay (\(reason)): waits on")
        ]
    }

    private mutating func wait(for missing: [String]) {
        if case .waiting = state { state = .waiting(missing: missing) } else { enter(.waiting(missing: missing)) }
    }

    private mutating func holdForOvertime(_ missing: String) -> [RolloutAction] {
        hold(.overtime, "undecided after \(plan.maxDuration): \(missing)", by: Self.itself)
    }

    private mutating func unanswered(by index: Int) -> [RolloutAction] {
        refused(by: index, "no answer within \(plan.gates[index].timeout)")
    }
}
