public import RoostBasics
public import RoostJSON

/// What a rollout says of itself.
extension Rollout {
    /// For people, in a sentence: `step 2 of 5: 5 % of traffic since 3 min 20 s; waiting: 212 of 900 requests; next
    /// look in 40 s`.
    public func explanation(at now: Instant) -> String {
        var copy = self
        copy.pass(to: now)
        return copy.explanation
    }

    /// For machines. Times in seconds; `next_look_s` is absent when only a person can go on.
    public func status(at now: Instant) -> JSONValue {
        var copy = self
        copy.pass(to: now)
        var status = JSONObject([
            ("canary", .string(canary.description)), ("stable", .string(stable.description)),
            ("state", .string(state.word)), ("step", .integer(step)), ("steps", .integer(plan.shares.count)),
            ("share", .integer(share)), ("next_share", .integer(nextShare)),
            ("step_s", .real(copy.times.inStep.seconds)), ("state_s", .real(copy.times.inState.seconds)),
            ("samples", .integer(samples)), ("min_samples", .integer(plan.minSamples)),
            ("findings", .array((verdict?.findings ?? []).map(\.json))),
            ("missing", .array(missingNow.map(JSONValue.string))),
            ("unproven", .array(unproven.map(JSONValue.string))),
            ("manifest_changed", .bool(isManifestChanged)), ("explanation", .string(copy.explanation)),
        ])
        status["reason"] = reason.map(JSONValue.string)
        status["queued"] = queued.map { .string($0.description) }
        status["next_look_s"] = copy.wakeAt.map { .real(($0 - copy.times.seen).seconds) }
        return .object(status)
    }

    /// Why it is paused or was aborted.
    public var reason: String? {
        switch state {
        case .paused(let hold): hold.reason
        case .aborted(let reason): reason
        case .pending, .replaying, .analysing, .waiting, .pausing, .gate, .baking, .promoted: nil
        }
    }

    /// What nobody knows of the canary: all of it once it is promoted, what is certain by now before.
    public var unproven: [String] { doubts.map(\.text) }

    private var missingNow: [String] { if case .waiting(let missing) = state { missing } else { [] } }

    /// `in step 2 of 5 (5 %)`.
    var whereabouts: String {
        share == 0 ? "before the first share" : "in step \(step) of \(plan.shares.count) (\(share) %)"
    }

    var findingsInWords: String {
        let findings = verdict?.findings ?? []
        return findings.isEmpty ? "nothing analysed" : findings.map(\.text).joined(separator: "; ")
    }

    private var explanation: String {
        var parts: [String] = []
        switch state {
        case .promoted, .aborted: break
        case .pending, .replaying, .analysing, .waiting, .pausing, .gate, .baking, .paused:
            if share > 0, share < 100 {
                parts.append(
                    "step \(step) of \(plan.shares.count): \(share) % of traffic since \(times.inStep.inWords)")
            }
        }
        parts.append(stateInWords)
        if overtimes > 0, share < 100 {
            parts.append(
                "\(plan.maxDuration) passed \(overtimes == 1 ? "once" : "\(overtimes) times") without enough traffic")
        }
        if let wakeAt, state != .pending { parts.append("next look in \((wakeAt - times.seen).inWords)") }
        if let queued { parts.append("version \(queued) is next") }
        if isManifestChanged, !state.isFinal {
            parts.append("the manifest's plan changed: it applies to the next rollout")
        }
        return parts.joined(separator: "; ")
    }

    private var stateInWords: String {
        switch state {
        case .pending: return "version \(canary) is being loaded, all traffic is \(stable)'s"
        case .replaying: return "version \(canary) answers recorded requests for \(times.inState.inWords)"
        case .analysing: return "analysing until it is \(plan.interval.inWords) old"
        case .waiting(let missing): return "waiting: \(missing.joined(separator: "; "))"
        case .pausing(let length?):
            return "the plan pauses for \(left(length, after: times.inState).inWords) more"
        case .pausing(nil): return "the plan pauses until `roost rollout resume`"
        case .gate(let index, _): return "gate \(plan.gates[index].url) was asked \(times.inState.inWords) ago"
        case .baking:
            return "all traffic is \(canary)'s, reversible for \(left(plan.bake, after: times.inState).inWords) more"
        case .paused(let hold): return "paused: \(hold.reason); resume, promote or abort it"
        case .promoted(let unproven):
            return "promoted" + (unproven.isEmpty ? "" : ": \(unproven.joined(separator: "; "))")
        case .aborted(let reason): return "aborted: \(reason); all traffic is \(stable)'s"
        }
    }

    func audit(
        _ kind: RolloutDecision.Kind, by who: String, from: Int, _ reason: String, _ numbers: JSONValue? = nil
    ) -> RolloutAction {
        .audit(
            RolloutDecision(
                kind: kind, who: who, from: from, to: share, reason: reason, numbers: numbers ?? self.numbers))
    }

    /// What a decision is based on.
    var numbers: JSONValue {
        [
            "canary": .string(canary.description), "stable": .string(stable.description), "step": .integer(step),
            "steps": .integer(plan.shares.count), "stratum": .integer(stratum), "samples": .integer(samples),
            "step_s": .real(times.inStep.seconds), "findings": .array((verdict?.findings ?? []).map(\.json)),
        ]
    }

    func gateBody(_ gate: RolloutGate) -> JSONValue {
        [
            "canary": .string(canary.description), "stable": .string(stable.description),
            "at": .string(gate.moment.rawValue), "from": .integer(share),
            "to": .integer(gate.moment == .start ? 0 : nextShare), "call": .integer(calls),
        ]
    }
}

extension Instant.Span {
    /// The two largest units, for sentences: `3 min 20 s`, `2 d`, `40 s`.
    var inWords: String {
        let units: [(name: String, seconds: UInt64)] = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)]
        var rest = nanoseconds / 1_000_000_000
        guard let first = units.firstIndex(where: { rest >= $0.seconds }) else { return "0 s" }
        var parts: [String] = []
        for unit in units[first...].prefix(2) {
            if rest >= unit.seconds { parts.append("\(rest / unit.seconds) \(unit.name)") }
            rest %= unit.seconds
        }
        return parts.joined(separator: " ")
    }
}
