/// Judges a new version (the canary) against the stable one, from cumulative counts, as often as anybody likes.
///
/// All bounds are confidence sequences: they hold at all times at once, so looking each minute, or stopping when it
/// looks good, does not make them wrong. What is promised, over the whole life of a rollout:
///
/// - A version within all margins is judged `inferior` or `alarming` with a probability of at most `alpha`: each of
///   the four metrics has a quarter of it.
/// - A version beyond the margin of some metric is judged `proven` at 100 percent with a probability of at most β =
///   `alpha`. All metrics have to be proven, so nothing is divided: the one that is beyond has to fail.
///
/// The margin is the part of *all the function's requests* that may be worse. A canary with share s makes s of its
/// excess felt, so going on to s asks for excess × s within the margin: the first steps are quick, and the last one
/// proves the full margin. `inferior` is held against the full margin at each step.
///
/// Exact for errors and agreement when requests are independent; by large-sample approximation for what sticky keys
/// do to errors, for quality, and for the mix of strata in latencies. See docs/ANALYSIS.md.
public enum Analysis {
    /// Differences of latency below this are noise of scheduling on one machine, whatever part of a short latency they
    /// are: never `inferior`, and no obstacle.
    public static let latencyNoiseNanoseconds = 500_000.0
    /// The part of requests beyond the 99th percentile.
    static let tail = 0.01
    /// A row group with a smaller part of the canary's requests cannot hold a rollout up, only end it.
    static let groupPartMin = 0.2
    /// Labelled predictions of each version before sums of them count as normal.
    static let labelsMin = 50
    /// Errors of each version before their difference counts as normal.
    static let errorsNormalMin = 40.0
    /// Pairs after which nobody waits to learn whether a large disagreement is a collapse.
    static let pairsMax = 1000
    /// Coverage by labels may differ by this part of the larger one.
    static let coverageTolerance = 0.2

    /// What the evidence says of going on to `nextShare` percent of traffic (100: of being promoted).
    public static func judge(_ evidence: Evidence, _ settings: AnalysisSettings, nextShare: Int) -> Verdict {
        let question = Question(settings: settings, share: nextShare)
        return Verdict([
            errors(evidence, question), latency(evidence, question), agreement(evidence, question),
            quality(evidence, question),
        ])
    }
}

/// What is asked of the evidence, and how the chances of being wrong are divided.
struct Question {
    let settings: AnalysisSettings
    /// How many times the excess of a canary may exceed the margin at the share that it is to get.
    let scale: Double
    let share: Int

    init(settings: AnalysisSettings, share: Int) {
        self.settings = settings
        self.share = min(100, max(1, share))
        scale = 100 / Double(self.share)
    }

    /// Of ending the rollout by one metric although its margin is kept.
    var falseAbort: Double { settings.alpha / Double(Metric.allCases.count) }
    /// Of proving one metric although its margin is not kept.
    var falseProof: Double { settings.alpha }

    /// `before 5 % of traffic`.
    var goal: String { share == 100 ? "before promotion" : "before \(share) % of traffic" }
}

/// How a chance of error is divided between the two arms of a comparison of rates. The canary has fewer requests in
/// most steps and so the wider interval: it gets the more.
struct Division {
    let canary: Double
    let stable: Double

    init(_ error: Double) { (canary, stable) = (0.75 * error, 0.25 * error) }
}
