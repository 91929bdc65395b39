/// What a rollout compares between the new version and the stable one.
public enum Metric: String, Hashable, Sendable, CaseIterable {
    /// Model errors, deaths and timeouts, as a part of all requests.
    case errors
    /// The 99th percentile of the time from request to reply.
    case latency
    /// How often the two decide differently on the same input.
    case agreement
    /// The model's own quality, from labels that came late.
    case quality
}

/// What the analysis says of one metric, for going on to a given share of traffic.
public struct Finding: Hashable, Sendable {
    public enum Judgement: Hashable, Sendable {
        /// Proven not to be worse by more than the margin at the share asked about.
        case proven
        /// Proven to be worse by more than the margin: the rollout ends.
        case inferior
        /// So far from anything that was agreed to that a person should look: the rollout pauses.
        case alarming
        /// Not enough is known. `missing` says what, in words; `samples` how many more requests (or labels) of the
        /// new version are expected to decide, where that can be said.
        case open(missing: String, samples: Int?)
        /// There is nothing to judge and nothing that demands it: noted in the promotion, and no obstacle. Why, in
        /// words that do not name the metric.
        case unproven(String)
    }

    public let metric: Metric
    public let judgement: Judgement
    /// How much worse the new version is, in the metric's own unit: estimate, and confidence sequence at all times.
    public let excess: Double?
    public let lower: Double?
    public let upper: Double?
    /// What `upper` is held against.
    public let margin: Double
    public let stableSamples: Int
    public let canarySamples: Int
    /// The same in a sentence, with its numbers: "errors 0.31 % against 0.12 %, …".
    public let text: String

    public init(
        _ metric: Metric, _ judgement: Judgement, excess: Double? = nil, lower: Double? = nil, upper: Double? = nil,
        margin: Double, stableSamples: Int, canarySamples: Int, text: String
    ) {
        self.metric = metric
        self.judgement = judgement
        (self.excess, self.lower, self.upper) = (excess, lower, upper)
        self.margin = margin
        self.stableSamples = stableSamples
        self.canarySamples = canarySamples
        self.text = text
    }
}

/// The analysis of everything seen so far, for going on to one share.
public struct Verdict: Hashable, Sendable {
    public let findings: [Finding]

    public init(_ findings: [Finding]) { self.findings = findings }

    public func finding(_ metric: Metric) -> Finding? { findings.first { $0.metric == metric } }
}
