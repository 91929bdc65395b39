public import RoostBasics

/// What people ask for. Each says at once why it cannot be.
extension Rollout {
    /// `roost rollout promote`: 100 % now, whatever is proven, without asking gates; the promotion says so. It bakes as
    /// any other; while baking this is the end of that.
    /// - Throws: `.conflict` at the end, and before the canary is loaded.
    public mutating func promote(by who: String, at now: Instant) throws(RoostError) -> [RolloutAction] {
        try demandLive("promoted")
        guard isLoaded else {
            throw RoostError(.conflict, "version \(canary) is not loaded yet: it cannot be promoted")
        }
        pass(to: now)
        if share == 100 {
            doubts.append(Doubt(metric: nil, text: "baking ended early by \(who)"))
            return finish("baking ended", by: who)
        }
        doubts.append(Doubt(metric: nil, text: "promoted by \(who) \(whereabouts)"))
        return complete("promoted \(whereabouts)", by: who, bakes: true)
    }

    /// `roost rollout abort`: everything back to the stable version, and the canary is rejected.
    /// - Throws: `.conflict` at the end.
    public mutating func abort(by who: String, reason: String, at now: Instant) throws(RoostError) -> [RolloutAction] {
        try demandLive("aborted")
        pass(to: now)
        return abort(reason.isEmpty ? "by \(who)" : "by \(who): \(reason)", by: who)
    }

    /// `roost rollout pause`: the share stays until `resume`. Deaths and proven inferiority still abort.
    /// - Throws: `.conflict` at the end, and when it is paused already.
    public mutating func pause(by who: String, at now: Instant) throws(RoostError) -> [RolloutAction] {
        try demandLive("paused")
        if case .paused(let hold) = state {
            throw RoostError(.conflict, "the rollout of version \(canary) is paused already: \(hold.reason)")
        }
        pass(to: now)
        return hold(.person(who), "by \(who)", by: who)
    }

    /// `roost rollout resume`: goes on after a pause of whatever cause, accepting an alarm that was its cause; also
    /// ends a pause of the plan. One that was paused within a pause of the plan is in that pause again.
    /// - Throws: `.conflict` when it is not paused.
    public mutating func resume(by who: String, at now: Instant) throws(RoostError) -> [RolloutAction] {
        try demandLive("resumed")
        switch state {
        case .paused(let hold):
            pass(to: now)
            return release(hold, by: who)
        case .pausing:
            pass(to: now)
            enter(.analysing)
            times.sinceLook = plan.interval
            return [audit(.resumed, by: who, from: share, "the plan's pause ended by \(who)")]
        case .pending, .replaying, .analysing, .waiting, .gate, .baking, .promoted, .aborted:
            throw RoostError(.conflict, "the rollout of version \(canary) is not paused, it is \(state.word)")
        }
    }

    private func demandLive(_ act: String) throws(RoostError) {
        switch state {
        case .promoted: throw RoostError(.conflict, "version \(canary) is promoted: it cannot be \(act) any more")
        case .aborted(let reason):
            throw RoostError(
                .conflict, "the rollout of version \(canary) was aborted (\(reason)): it cannot be \(act) any more")
        case .pending, .replaying, .analysing, .waiting, .pausing, .gate, .baking, .paused: break
        }
    }
}
