public import RoostBasics

/// One version on its way to all of a function's traffic: canary analysis over growing shares.
///
/// A value without I/O. What happened goes in, with the time; what is to be done comes out. The body around it
/// stores `json` together with carrying out the actions, calls `tick` when `wakeAt` comes, and tells everything else
/// when it happens. Reports that come late, twice, or about what is no longer true change nothing.
///
/// **Forward** it goes only when the analysis finds nothing that is open, alarming or inferior for the next share, the
/// step has lasted for `interval`, and the canary has answered `minSamples` requests in it; never because time passed,
/// unless the plan says so, and then the promotion says what nobody knows. **Back** it goes at once and wholly: an
/// abort gives everything to the stable version in one action and rejects the canary.
///
/// **A restart** goes on at the same step with the times that were left: instants of the monotonic clock mean nothing
/// to the next host, so lengths of time are kept, and only they make two rollouts differ. The time in which no host ran
/// does not count.
public struct Rollout: Hashable, Sendable {
    /// The version that is being released.
    public let canary: VersionNumber
    /// The one that it is compared with, and that gets everything back.
    public internal(set) var stable: VersionNumber
    /// As it was at the start; edits of the manifest apply to the next rollout.
    public let plan: RolloutPlan
    public internal(set) var state = RolloutState.pending
    /// The number of the evidence that is collected now; 0 before there is any.
    public internal(set) var stratum = 0
    /// The version that has its turn after this one.
    public internal(set) var queued: VersionNumber?
    /// The manifest in force has another plan, or none.
    public internal(set) var isManifestChanged = false
    /// The last analysis for going on, in this step. While baking the last before, until there is another.
    public internal(set) var verdict: Verdict?
    /// How many requests the canary had answered in this stratum, when that was last told.
    public internal(set) var samples = 0

    /// So many elements of the plan's steps were entered.
    var stage = 0
    var preparation = Preparation.created
    /// How often gate and replay were called; the last answers alone count.
    var calls = 0
    /// Why 100 % come next, whatever is proven.
    var shortcut: String?
    /// Alarms that a person has accepted.
    var accepted: [Metric] = []
    /// What a promotion will say.
    var doubts: [Doubt] = []
    /// What a gate said last, until one passes.
    var refusal: String?
    /// How often the longest duration was over with too little traffic.
    var overtimes = 0
    var times: Times

    /// How far the canary is before its first share.
    enum Preparation: String, Hashable, CaseIterable {
        /// `started` has not been called.
        case created
        case loading, loaded
        /// The gates of the start have let it in.
        case admitted
        case replayed
    }

    /// Something that a promotion did not prove.
    struct Doubt: Hashable {
        /// Gone when this turns out to be proven while baking.
        let metric: Metric?
        let text: String
    }

    /// Whether the canary could answer, as far as anybody has said.
    var isLoaded: Bool {
        switch preparation {
        case .created, .loading: false
        case .loaded, .admitted, .replayed: true
        }
    }

    /// Lengths of time as of `seen`.
    struct Times: Hashable {
        /// When anything was last heard.
        var seen: Instant
        /// What counts for the longest duration.
        var total = Instant.Span.zero
        /// Since the share was set.
        var inStep = Instant.Span.zero
        var inState = Instant.Span.zero
        var sinceLook = Instant.Span.zero

        /// Whose clock it is does not count: a rollout that another host goes on with is the same.
        static func == (left: Self, right: Self) -> Bool {
            left.total == right.total && left.inStep == right.inStep && left.inState == right.inState
                && left.sinceLook == right.sinceLook
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(inStep)
            hasher.combine(inState)
        }
    }

    /// Nothing happens before `started`. Canary and stable differ.
    public init(canary: VersionNumber, stable: VersionNumber, plan: RolloutPlan, at now: Instant) {
        precondition(canary != stable, "version \(canary) cannot be compared with itself")
        self.canary = canary
        self.stable = stable
        self.plan = plan
        times = Times(seen: now)
    }

    /// What the canary has of the traffic, in percent.
    public var share: Int {
        switch state {
        case .aborted: 0
        case .promoted: 100
        case .pending, .replaying, .analysing, .waiting, .pausing, .gate, .baking, .paused: share(at: stage)
        }
    }

    /// The share that the analysis is asked about: the next one, 100 while baking.
    public var nextShare: Int {
        guard shortcut == nil else { return 100 }
        for step in plan.steps.dropFirst(stage) { if case .share(let percent) = step { return percent } }
        return 100
    }

    /// Counted from one; 0 before the first share.
    public var step: Int { plan.steps.prefix(stage).count { if case .share = $0 { true } else { false } } }

    /// The table that should be in force.
    public var shares: TrafficShares {
        do { return try TrafficShares([canary: share, stable: 100 - share]) } catch {
            preconditionFailure("the shares of a plan are 1 to 100: \(error)")
        }
    }

    /// When to call `tick`. Nil at the end, and when nothing but a person can go on: paused before the first share.
    public var wakeAt: Instant? {
        let look = times.seen + left(plan.interval, after: times.sinceLook)
        let overtime = times.seen + left(plan.maxDuration, after: times.total)
        switch state {
        case .promoted, .aborted: return nil
        case .pending: return overtime
        case .replaying: return share > 0 ? min(look, overtime) : overtime
        case .analysing, .waiting: return look
        case .pausing(let length):
            return length.map { min(look, times.seen + left($0, after: times.inState)) } ?? look
        case .gate(let index, _):
            let timeout = times.seen + left(plan.gates[index].timeout, after: times.inState)
            return share > 0 ? min(look, timeout) : timeout
        case .baking: return min(look, times.seen + left(plan.bake, after: times.inState))
        case .paused: return share > 0 ? look : nil
        }
    }

    private func share(at stage: Int) -> Int {
        for step in plan.steps.prefix(stage).reversed() { if case .share(let percent) = step { return percent } }
        return 0
    }

    func left(_ length: Instant.Span, after passed: Instant.Span) -> Instant.Span {
        Instant.Span(nanoseconds: length > passed ? length.nanoseconds - passed.nanoseconds : 0)
    }
}
