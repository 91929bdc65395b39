import RoostBasics
@testable import RoostTraffic

/// One event on one rollout, and what must be true of every such.
struct RolloutTransition {
    let before: Rollout
    let event: RolloutEvent
    let now: Instant
    let after: Rollout
    let actions: [RolloutAction]
    let isRefused: Bool

    /// Nil when everything is as it must be.
    var fault: String? {
        if after == before, actions.isEmpty, event.isQuiet { return nil }
        if before.state.isFinal || isRefused {
            return after == before && actions.isEmpty || event == .manifestChanged
                ? nil : "something happened after the end"
        }
        return shareFault ?? endFault ?? proofFault ?? auditFault ?? wakeFault
    }

    private var isShortened: Bool { before.shortcut != nil || after.shortcut != nil }

    /// Shares sum to 100 by their type; here: between whom, and which way they go.
    private var shareFault: String? {
        let set = actions.compactMap { if case .setShares(let shares) = $0 { shares } else { nil } }
        if set.count > 1 { return "more than one table in one step" }
        if before.share != after.share, set.isEmpty { return "the share changed in secret" }
        if let shares = set.first {
            if !Set(shares.versions).isSubset(of: [after.canary, after.stable]) { return "a third version" }
            if shares[after.canary] != after.share { return "the table is not what the rollout says" }
        }
        if after.share < before.share, after.share != 0 { return "the share shrank without an abort" }
        if after.share == 0, before.share != 0, after.state.word != "aborted" {
            return "the share went without an abort"
        }
        let isNewStratum = actions.contains { if case .collect = $0 { true } else { false } }
        let grows = after.share > before.share && !after.state.isFinal
        return grows && !isNewStratum ? "a new share without a new stratum" : nil
    }

    /// Abort and promotion come with everything that belongs to them, and nothing else does.
    private var endFault: String? {
        let rejects = actions.contains { if case .reject(after.canary, _) = $0 { true } else { false } }
        let promotes = actions.contains { if case .promoted = $0 { true } else { false } }
        let starts = actions.contains { if case .startQueued = $0 { true } else { false } }
        let isAborted = after.state.word == "aborted", isPromoted = after.state.word == "promoted"
        if rejects != isAborted { return "reject and abort do not go together" }
        if promotes != isPromoted { return "promoted is said and is not, or the other way" }
        if starts != (after.state.isFinal && after.queued != nil) {
            return "the next version is forgotten or too early"
        }
        if isAborted, !actions.contains(.setShares(TrafficShares(all: after.stable))) {
            return "an abort without a table"
        }
        if [.died, .lost, .inferior, .abort].contains(event), before.share > 0 || event != .inferior, !isAborted {
            return "it should be aborted"
        }
        return nil
    }

    /// More traffic by itself only on proof, or by what the plan says for the lack of traffic.
    private var proofFault: String? {
        guard after.share > before.share else { return nil }
        if event == .promote || event == .stableLost { return after.share == 100 ? nil : "not wholly promoted" }
        if isShortened {
            let isPlanned = [.promote, .replay].contains(before.plan.withoutTraffic)
            return isPlanned && after.share == 100 && !after.unproven.isEmpty ? nil : "a shortcut that nobody planned"
        }
        if after.share != before.nextShare { return "a share that is not the next" }
        guard before.share > 0 else { return nil }
        let verdict = event.verdict ?? before.verdict, samples = event.verdict == nil ? before.samples : event.samples
        let isProven = verdict?.findings.allSatisfy {
            switch $0.judgement {
            case .proven, .unproven: true
            case .alarming: before.accepted.contains($0.metric)
            case .inferior, .open: false
            }
        }
        guard isProven == true, verdict?.finding(.errors) != nil else { return "unproven: \(verdict?.findings ?? [])" }
        guard samples >= before.plan.minSamples else { return "with \(samples) requests" }
        let age = before.times.inStep + (now - before.times.seen)
        return age >= before.plan.interval ? nil : "too young"
    }

    /// Exactly one entry for each decision.
    private var auditFault: String? {
        let decisions = actions.compactMap { if case .audit(let decision) = $0 { decision } else { nil } }
        if decisions.count > 1 { return "\(decisions.count) entries for one decision" }
        guard let decision = decisions.first else {
            return isDecisive ? "a decision without an entry" : nil
        }
        if decision.from != before.share || decision.to != after.share { return "an entry with other shares" }
        if (decision.who == "ada") != event.isByPerson { return "an entry by \(decision.who)" }
        let isQuiet = decision.kind == .gateRefused || decision.kind == .replayUnavailable
        return isDecisive || isQuiet ? nil : "an entry without a decision"
    }

    private var isDecisive: Bool {
        if event == .started { return before.preparation == .created }
        if before.share != after.share || before.queued != after.queued || before.stable != after.stable { return true }
        if before.stage != after.stage { return true }
        // The end of a pause with an end was decided at its beginning.
        if case .pausing(.some) = before.state, event != .resume {
            return ofTheSameKind(ignoring: ["pausing"]) == false
        }
        return ofTheSameKind(ignoring: []) == false
    }

    /// Whether both states are of the kind that needs no decision in between.
    private func ofTheSameKind(ignoring others: Set<String>) -> Bool {
        let onTheWay = others.union(["pending", "replaying", "analysing", "waiting", "gate"])
        return before.state.word == after.state.word
            || onTheWay.contains(before.state.word) && onTheWay.contains(after.state.word)
    }

    /// It never asks to be woken in the past, and a look at that moment brings it further.
    private var wakeFault: String? {
        guard !after.state.isFinal else { return after.wakeAt == nil ? nil : "an end that wakes" }
        guard let wakeAt = after.wakeAt else {
            return after.state.word == "paused" && after.share == 0 ? nil : "nothing wakes it"
        }
        if wakeAt < now { return "it wakes in the past" }
        var later = after
        _ = later.tick(RolloutEvent.open.verdict ?? Verdict([]), samples: 5000, at: wakeAt)
        if later.state.isFinal || later.state.word != after.state.word { return nil }
        return later.wakeAt.map { $0 > now } ?? true ? nil : "it wakes again and again"
    }
}
