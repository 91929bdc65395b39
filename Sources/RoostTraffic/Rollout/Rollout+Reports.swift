public import RoostBasics

/// What the host tells. Nothing of it is an error: what does not fit any more is ignored.
extension Rollout {
    /// The beginning. All traffic stays with the stable version, and the canary is waited for.
    public mutating func started(by who: String, at now: Instant) -> [RolloutAction] {
        guard !state.isFinal, preparation == .created else { return [] }
        pass(to: now)
        preparation = .loading
        return [audit(.started, by: who, from: 0, "from \(stable) to \(canary)"), .setShares(shares)]
    }

    /// A host has read the rollout from its record: what must be in force, and what was asked and is not answered.
    /// No decision, so nothing for the audit; evidence goes on in the same stratum.
    public mutating func restored(at now: Instant) -> [RolloutAction] {
        guard !state.isFinal else { return [] }
        pass(to: now)
        var actions: [RolloutAction] = [.setShares(shares)]
        switch state {
        case .replaying: actions += startReplay()
        case .gate(let index, _): actions += call(gate: index)
        case .pending, .analysing, .waiting, .pausing, .baking, .paused, .promoted, .aborted: break
        }
        return actions
    }

    /// The canary's template is loaded: it can answer.
    public mutating func canaryReady(at now: Instant) -> [RolloutAction] {
        guard !state.isFinal, preparation == .loading else { return [] }
        pass(to: now)
        preparation = .loaded
        return state == .pending ? begin() : []
    }

    /// The canary cannot answer any more: its file is gone, it does not load, it is quarantined. Aborts.
    public mutating func canaryLost(_ reason: String, at now: Instant) -> [RolloutAction] {
        guard !state.isFinal else { return [] }
        pass(to: now)
        return abort("the canary is lost: \(reason)", by: Self.itself)
    }

    /// A process of the canary died. Aborts, also when paused or baking.
    public mutating func died(_ reason: String, at now: Instant) -> [RolloutAction] {
        guard !state.isFinal else { return [] }
        pass(to: now)
        return abort("it died: \(reason)", by: Self.itself)
    }

    /// The stable version cannot answer any more. `replacement` is the version that the host would fall back on.
    ///
    /// With one, the rollout keeps its share and begins its proof anew against that: what is known was compared with
    /// another. Without one the canary gets everything at once and the rollout ends, since an unproven answer is
    /// better than none; the promotion says so. A replacement that is the canary itself is none.
    public mutating func stableLost(
        _ reason: String, replacement: VersionNumber?, at now: Instant
    ) -> [RolloutAction] {
        guard !state.isFinal, replacement != stable else { return [] }
        pass(to: now)
        if let replacement, replacement != canary { return compare(with: replacement, reason) }
        let text = "stable version \(stable) is lost (\(reason)) and there is no other"
        doubts.append(Doubt(metric: nil, text: "\(text): promoted \(whereabouts)"))
        return share == 100 ? finish(text, by: Self.itself) : complete(text, by: Self.itself, bakes: false)
    }

    /// Answer to `.startReplay` with this number.
    public mutating func replayed(
        call: Int, _ result: RolloutReplayResult, at now: Instant
    ) -> [RolloutAction] {
        guard state == .replaying(call: call) else { return [] }
        pass(to: now)
        switch result {
        case .failed(let reason): return abort("replay: \(reason)", by: Self.itself)
        case .alarming(let reason): return hold(.replay, "replay: \(reason)", by: Self.itself)
        case .passed(let text):
            guard share == 0 else { return shorten("\(tooLittleTraffic()); replay: \(text)") }
        case .unavailable(let reason):
            guard share == 0 else { return waitOn(withoutReplay: reason) }
            doubts.append(Doubt(metric: nil, text: "replay unproven: \(reason)"))
        }
        preparation = .replayed
        return begin()
    }

    /// Answer to `.callGate` with this number.
    public mutating func gateAnswered(call: Int, _ answer: RolloutGateAnswer, at now: Instant) -> [RolloutAction] {
        guard case .gate(let index, call) = state else { return [] }
        pass(to: now)
        switch answer {
        case .failed(let reason): return refused(by: index, reason)
        case .passed: return passed(gate: index)
        }
    }

    /// A higher version became ready, and may have a rollout. One that is not higher than canary and queue is ignored.
    public mutating func newerVersion(_ number: VersionNumber, at now: Instant) -> [RolloutAction] {
        guard !state.isFinal, number > canary, queued.map({ number > $0 }) ?? true else { return [] }
        pass(to: now)
        queued = number
        switch plan.onNewer {
        case .queue: return [audit(.queued, by: Self.itself, from: share, "\(number) waits for the end")]
        case .supersede where share == 100:
            doubts.append(Doubt(metric: nil, text: "baking ended early, \(number) came"))
            return finish("\(number) came while baking", by: Self.itself)
        case .supersede: return abort("superseded by \(number) before it was proven", by: Self.itself)
        }
    }

    /// The plan of the manifest in force; nil when it has none. This rollout keeps its own, and says that there is
    /// another.
    public mutating func manifestChanged(_ plan: RolloutPlan?) { isManifestChanged = plan != self.plan }
}
