public import RoostBasics
public import RoostJSON

/// What the body around a rollout does now, in order, together with storing `Rollout.json`: in one transaction, so
/// that a host that is killed in between finds either none of it or all.
public enum RolloutAction: Hashable, Sendable {
    /// From now on these shares, between canary and stable, in one step.
    case setShares(TrafficShares)
    /// From now on evidence goes into this stratum: within one, both versions had the same shares all the time. `anew`:
    /// what was seen before does not count any more, because it was compared with another stable version.
    case collect(stratum: Int, anew: Bool)
    /// Score the canary against recorded requests, and tell `replayed` with the same number.
    case startReplay(call: Int)
    /// POST, and tell `gateAnswered` with the same number. Calls with lower numbers need no answer any more.
    case callGate(RolloutGateCall)
    /// Into the audit log. Each decision makes exactly one of these.
    case audit(RolloutDecision)
    /// Never to be chosen again until a person restarts it. Durable.
    case reject(VersionNumber, reason: String)
    /// The end: the canary is the stable version from now on. `unproven` says what nobody knows of it.
    case promoted(unproven: [String])
    /// The end of this rollout is the beginning of that one's, if the version can still have one.
    case startQueued(VersionNumber)
}

/// One question to a gate.
public struct RolloutGateCall: Hashable, Sendable {
    /// Names the question; its answer carries the same.
    public let call: Int
    public let gate: RolloutGate
    /// What is sent: `canary`, `stable`, `at`, `from` and `to` in percent, `call`. The host adds the function.
    public let body: JSONValue

    public init(call: Int, gate: RolloutGate, body: JSONValue) {
        self.call = call
        self.gate = gate
        self.body = body
    }
}

/// What a gate said.
public enum RolloutGateAnswer: Hashable, Sendable {
    case passed
    /// Another status than 2xx, or no answer: in words. The gate is asked again at the next look.
    case failed(reason: String)
}

/// What came of scoring the canary against recorded requests.
public enum RolloutReplayResult: Hashable, Sendable {
    /// Nothing speaks against it: in words, with the number of requests.
    case passed(text: String)
    /// So many answers differ that a person should look.
    case alarming(reason: String)
    /// It may not serve.
    case failed(reason: String)
    /// There is no record, or none that fits: in words.
    case unavailable(reason: String)
}

/// One entry for the audit log; the log adds function and wall clock.
public struct RolloutDecision: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable, CaseIterable {
        case started, advanced, pausing, paused, resumed, baking, promoted, aborted, queued
        /// Another version takes the place of the stable one that went.
        case stableReplaced = "stable_replaced"
        /// A gate said no, for a reason that it had not given the time before.
        case gateRefused = "gate_refused"
        /// A replay in place of traffic had nothing to replay, so the rollout waits on.
        case replayUnavailable = "replay_unavailable"
    }

    public let kind: Kind
    /// A person, as the caller of the command named them, or `rollout`.
    public let who: String
    /// The canary's share in percent, before and after.
    public let from: Int
    public let to: Int
    /// In words.
    public let reason: String
    /// What was known: versions, step, times, samples, each finding.
    public let numbers: JSONValue

    public init(kind: Kind, who: String, from: Int, to: Int, reason: String, numbers: JSONValue) {
        self.kind = kind
        self.who = who
        self.from = from
        self.to = to
        self.reason = reason
        self.numbers = numbers
    }
}
