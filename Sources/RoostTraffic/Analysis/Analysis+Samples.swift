extension Analysis {
    /// About how many requests the new version needs in all until it may get `nextShare` percent, if it is as good as
    /// the stable one: for telling how long a step will take. Agreement and quality need pairs and labels, which have
    /// a rate of their own, and are not included.
    /// - Parameter stable: what is known of the stable version; where it is empty, no errors are expected and no
    ///   request that is slow.
    /// - Returns: nil for more than ten million.
    public static func samplesNeeded(
        _ settings: AnalysisSettings, nextShare: Int, stable: Arm = Arm(warmUpLeft: 0)
    ) -> Int? {
        let question = Question(settings: settings, share: nextShare)
        let rate = Double(stable.errors) / Double(max(1, stable.requests))
        guard
            let errors = samples(
                rate: rate, toBeBelow: rate + min(1, settings.errorsMargin * question.scale),
                error: Division(question.falseProof * 0.75).canary)
        else { return nil }
        var most = max(settings.samplesMin, errors)
        let total = RowGroup.allCases.reduce(0) { $0 + stable.latencies.total($1) }
        for group in RowGroup.allCases {
            let here = stable.latencies.total(group)
            guard Double(here) >= groupPartMin * Double(max(1, total)) else { continue }
            // Against itself, with as many requests.
            let tails = LatencyTails([stable], against: [stable], group)
            let p99 = tails.quantile(tail: tail)
            let slow = tails.part(
                atLeast: max(p99 * (1 + settings.latencyMargin), p99 + latencyNoiseNanoseconds))
            guard
                let needed = samples(
                    rate: slow, toBeBelow: min(0.5, tail * question.scale), error: Division(question.falseProof).canary)
            else { return nil }
            most = max(most, Int(Double(needed) * Double(total) / Double(here)))
        }
        return most + Arm.warmUp
    }

    private static func samples(rate: Double, toBeBelow bound: Double, error: Double) -> Int? {
        let times = BoundedMean(trials: 10, sum: 10 * rate).growth(
            toBeBelow: bound, error: error, rate: rate)
        return times.map { Int((10 * $0).rounded(.up)) }
    }
}
