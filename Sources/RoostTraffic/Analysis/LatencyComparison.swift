/// Latencies of one version and row group over all strata, standardised: how many requests took how long, or longer.
struct LatencyTails {
    let standard: Standardised
    /// The weights of the requests that fell into each bucket or a later one; one more place than buckets.
    let tails: [Double]
    let samples: Int

    init(_ arms: [Arm], against others: [Arm], _ group: RowGroup) {
        let standard = Standardised(
            arms.map { $0.latencies.total(group) }, against: others.map { $0.latencies.total(group) })
        var tails = [Double](repeating: 0, count: LatencyCounts.buckets + 1)
        let lowest = arms.reduce(LatencyCounts.buckets) { min($0, $1.latencies.lowest) }
        let highest = arms.reduce(-1) { max($0, $1.latencies.highest) }
        for (arm, weight) in zip(arms, standard.weights) where weight > 0 {
            let counts = arm.latencies.counts(group)
            let start = counts.startIndex
            for bucket in lowest...highest { tails[bucket] += weight * Double(counts[start + bucket]) }
        }
        for bucket in stride(from: highest, through: 0, by: -1) {
            tails[bucket] = bucket < lowest ? tails[bucket + 1] : tails[bucket] + tails[bucket + 1]
        }
        self.standard = standard
        self.tails = tails
        samples = Int(standard.trials)
    }

    /// The time that a part `tail` of the requests took, or longer; in nanoseconds.
    func quantile(tail: Double) -> Double {
        let above = partition { tails[$0] > tail * standard.size }
        return LatencyCounts.edge(of: above)
    }

    /// Never above the time that a part `tail` of the requests takes or exceeds, but for a probability of `error`:
    /// the quantile is where the true part is `tail`, and a bound on that one part is a bound on the quantile
    /// (Howard and Ramdas, "Sequential estimation of quantiles", 2022). Zero when nothing is known.
    func quantileLower(tail: Double, error: Double) -> Double {
        let mean = standard.mean(of: tail)
        let first = partition {
            let exceeding = standard.mean(tails[$0])
            return exceeding.evidenceAbove(mean) >= exceeding.threshold(error)
                && exceeding.sum > mean * exceeding.trials
        }
        return first == 0 ? 0 : LatencyCounts.edge(of: first - 1)
    }

    /// Never below it; nil when too little is known.
    func quantileUpper(tail: Double, error: Double) -> Double? {
        let mean = standard.mean(of: tail)
        let first = partition {
            let exceeding = standard.mean(tails[$0])
            return exceeding.evidenceBelow(mean) < exceeding.threshold(error) || exceeding.sum > mean * exceeding.trials
        }
        // The last bucket has no end: what lies beyond it is unknown.
        return first < LatencyCounts.buckets ? LatencyCounts.edge(of: first) : nil
    }

    /// At most how large a part takes `time` or longer, given that buckets are counted whole.
    func upperPart(atLeast time: Double, error: Double) -> Double {
        standard.upper(tails[LatencyCounts.bucket(of: UInt64(time))], error: error)
    }

    /// At least how large a part does.
    func lowerPart(atLeast time: Double, error: Double) -> Double {
        standard.lower(tails[bucketAfter(time)], error: error)
    }

    func part(atLeast time: Double) -> Double {
        standard.size > 0 ? tails[bucketAfter(time)] / standard.size : 0
    }

    private func bucketAfter(_ time: Double) -> Int {
        let bucket = LatencyCounts.bucket(of: UInt64(min(time, 1e18)))
        return LatencyCounts.edge(of: bucket) >= time ? bucket : bucket + 1
    }

    /// The first bucket for which `holds` is false, where it holds for all before that one.
    private func partition(_ holds: (Int) -> Bool) -> Int {
        var (low, high) = (0, LatencyCounts.buckets)
        while low < high {
            let middle = (low + high) / 2
            if holds(middle) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// The latencies of two versions in one row group.
///
/// The canary's p99 is within the margin when at most one of a hundred of its requests takes longer than the stable
/// version's p99 and the margin together. This part of requests, "the slow ones", is what is bounded: a share s of
/// traffic makes s of it felt, so before going on to s it may be as many times larger, at most one half.
///
/// Where the machine itself makes one request in a hundred slow, a p99 hides a version that makes all of them slower:
/// the medians are compared besides, with the same margin. That ends a rollout and holds up none.
struct LatencyComparison {
    let group: RowGroup
    let stable: LatencyTails
    let canary: LatencyTails
    /// The point estimate of what is slow, in nanoseconds.
    let limit: Double
    /// The part of the canary's requests that is slow: estimate and bounds.
    let slow: Double
    let lower: Double
    let upper: Double
    let allowed: Double
    /// The same of the medians: what is long, the part of the canary's requests that is, and at least how large it is.
    let longLimit: Double
    let long: Double
    let longLower: Double

    /// Nil when one of the versions has no latencies in this group.
    init?(_ evidence: Evidence, _ group: RowGroup, _ question: Question) {
        let (stables, canaries) = (evidence.strata.map(\.stable), evidence.strata.map(\.canary))
        guard zip(stables, canaries).contains(where: { $0.latencies.total(group) > 0 && $1.latencies.total(group) > 0 })
        else { return nil }
        canary = LatencyTails(canaries, against: stables, group)
        stable = LatencyTails(stables, against: canaries, group)
        self.group = group
        let margin = question.settings.latencyMargin
        func slow(_ time: Double) -> Double { max(time * (1 + margin), time + Analysis.latencyNoiseNanoseconds) }
        limit = slow(stable.quantile(tail: Analysis.tail))
        self.slow = canary.part(atLeast: limit)
        allowed = min(0.5, Analysis.tail * question.scale)
        let proof = Division(question.falseProof)
        upper = canary.upperPart(
            atLeast: slow(stable.quantileLower(tail: Analysis.tail, error: proof.stable)), error: proof.canary)
        // Any group can end the rollout.
        let error = question.falseAbort / Double(RowGroup.allCases.count)
        let (stable, canary) = (stable, canary)
        func atLeast(beyond tail: Double, error: Double) -> Double {
            let abort = Division(error)
            guard let time = stable.quantileUpper(tail: tail, error: abort.stable) else { return 0 }
            return canary.lowerPart(atLeast: slow(time), error: abort.canary)
        }
        // What the median shows it shows at once: the p99 needs the chance of error more.
        lower = atLeast(beyond: Analysis.tail, error: 0.9 * error)
        longLower = atLeast(beyond: Self.half, error: 0.1 * error)
        longLimit = slow(stable.quantile(tail: Self.half))
        long = canary.part(atLeast: longLimit)
    }

    /// What is beyond a median.
    static let half = 0.5

    var isLonger: Bool { longLower > Self.half }
    var isInferior: Bool { lower > Analysis.tail }
    var isProven: Bool { upper <= allowed }

    /// If the canary is as the stable version from now on, unless it is known to be slower. Nil when it will not be
    /// proven.
    func samplesMissing(_ question: Question) -> Int? {
        let usual = stable.part(atLeast: limit)
        let mean = canary.standard.mean(slow * canary.standard.size)
        // Both arms have to grow: what the stable version's quantile lacks is made up for by half as much again.
        let times = mean.growth(
            toBeBelow: canary.standard.mean(of: allowed), error: Division(question.falseProof).canary,
            rate: canary.standard.mean(of: lower > usual ? slow : usual))
        return times.map { max(Int(Double(canary.samples) * ($0 - 1) * 1.5), canary.samples / 10, 1) }
    }

    var words: String { words("p99", Analysis.tail) }
    var wordsOfMedians: String { words("p50", Self.half) }

    private func words(_ name: String, _ tail: Double) -> String {
        let rows = group == .one ? "1 row" : "\(group.name) rows"
        return "\(name) of \(rows) \(time(canary.quantile(tail: tail))) of \(grouped(canary.samples))"
            + " against \(time(stable.quantile(tail: tail))) of \(grouped(stable.samples))"
    }
}
