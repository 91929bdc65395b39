public import RoostBasics

/// How a new version comes to its traffic: the manifest's `rollout`, and its `bake`.
///
/// Made from JSON only, so that every plan there is can finish; see `RolloutPlan.init(_:bake:)` for what is refused.
public struct RolloutPlan: Hashable, Sendable {
    /// One element of `steps`.
    public enum Step: Hashable, Sendable {
        /// The new version answers so many percent, 1 to 100, until what comes next is allowed.
        case share(Int)
        /// The share stays for so long after it was found good enough for the next; nil: until a person resumes.
        case pause(Instant.Span?)
    }

    /// What becomes of a rollout that has had fewer than `minSamples` requests in its step when `maxDuration` is over.
    public enum WithoutTraffic: String, Hashable, Sendable, CaseIterable {
        /// It stays where it is and says so.
        case wait
        /// Recorded requests decide: it is promoted when the new version stands the replay; without a record it waits.
        case replay
        /// It is promoted, and the promotion says that nothing was proven.
        case promote
        /// It is aborted, and the version rejected.
        case abort
    }

    /// What a version does that becomes ready while another one is in its rollout.
    public enum OnNewer: String, Hashable, Sendable, CaseIterable {
        /// It waits for the end of this rollout. Of several that wait, the highest is next.
        case queue
        /// It takes the place of the other, which is aborted and rejected: nobody has proven it, so no rule may fall
        /// back on it. One that only bakes is promoted at once instead.
        case supersede
    }

    /// Shares, strictly ascending and ending at 100; between them pauses. At least one share is below 100.
    public let steps: [Step]
    /// A step lasts at least so long, and is looked at so often.
    public let interval: Instant.Span
    /// So many requests the new version answers in each step before the analysis is listened to; deaths, proven
    /// inferiority and alarms are listened to at once.
    public let minSamples: Int
    /// Margins and error rates. Unless it says another, its smallest number of samples is `minSamples`.
    public let analysis: AnalysisSettings
    /// A rollout that is undecided for so long pauses for a person, or does what `withoutTraffic` says. Pauses of the
    /// plan that have an end count; time in which a person is waited for does not, nor does time without a host.
    public let maxDuration: Instant.Span
    public let withoutTraffic: WithoutTraffic
    public let onNewer: OnNewer
    /// Asked in this order.
    public let gates: [RolloutGate]
    /// After 100 % the promotion stays reversible for so long. From the manifest's key of that name.
    public let bake: Instant.Span

    init(
        steps: [Step], interval: Instant.Span, minSamples: Int, analysis: AnalysisSettings, maxDuration: Instant.Span,
        withoutTraffic: WithoutTraffic, onNewer: OnNewer, gates: [RolloutGate], bake: Instant.Span
    ) {
        self.steps = steps
        self.interval = interval
        self.minSamples = minSamples
        self.analysis = analysis
        self.maxDuration = maxDuration
        self.withoutTraffic = withoutTraffic
        self.onNewer = onNewer
        self.gates = gates
        self.bake = bake
    }

    /// The plan of `"rollout": true`: 1, 5, 25, 50 and 100 %, each for at least a minute and 200 requests.
    public static func standard(bake: Instant.Span = .zero) -> RolloutPlan {
        RolloutPlan(
            steps: [1, 5, 25, 50, 100].map(Step.share), interval: .seconds(60), minSamples: 200,
            analysis: AnalysisSettings(),
            maxDuration: .seconds(86_400), withoutTraffic: .wait, onNewer: .queue, gates: [], bake: bake)
    }

    /// The shares alone, 100 last.
    public var shares: [Int] {
        steps.compactMap { if case .share(let percent) = $0 { percent } else { nil } }
    }
}

/// Somebody else who is asked before a rollout goes on: an HTTP POST that must be answered with 2xx.
public struct RolloutGate: Hashable, Sendable {
    /// Before what it is asked.
    public enum Moment: String, Hashable, Sendable, CaseIterable {
        /// Once, when the version is ready, before the replay and the first share.
        case start
        /// Each share below 100 %, also the first.
        case beforeStep = "before-step"
        /// 100 %.
        case beforePromotion = "before-promotion"
    }

    public let url: WebhookURL
    public let moment: Moment
    /// No answer within this is a refusal.
    public let timeout: Instant.Span

    public init(url: WebhookURL, moment: Moment, timeout: Instant.Span) {
        self.url = url
        self.moment = moment
        self.timeout = timeout
    }
}
