extension Analysis {
    /// The part of the canary's requests that takes longer than the stable version's p99 and the margin, for each row
    /// group: one group that is proven to be slower ends the rollout, and all that matter have to be proven. So does one
    /// whose median is proven to be longer by more than the margin.
    static func latency(_ evidence: Evidence, _ question: Question) -> Finding {
        let all = RowGroup.allCases.compactMap { LatencyComparison(evidence, $0, question) }
        let samples = all.reduce(0) { $0 + $1.canary.samples }
        let allowed = min(0.5, tail * question.scale)
        guard samples > 0 else {
            let missing = "no latencies of both versions in one step yet"
            return Finding(
                .latency, .open(missing: missing, samples: question.settings.samplesMin), margin: allowed,
                stableSamples: 0, canarySamples: 0, text: "latency: \(missing)")
        }
        let matter = all.filter { Double($0.canary.samples) >= groupPartMin * Double(samples) }
        func finding(_ judgement: Finding.Judgement, _ of: LatencyComparison, _ rest: String) -> Finding {
            Finding(
                .latency, judgement, excess: of.slow, lower: of.lower, upper: of.upper, margin: of.allowed,
                stableSamples: of.stable.samples, canarySamples: of.canary.samples,
                text: "\(of.words): \(rest)")
        }
        if let slower = all.first(where: \.isInferior) {
            return finding(
                .inferior, slower,
                "at least \(percent(slower.lower)) above \(time(slower.limit)), \(percent(tail)) allowed")
        }
        if let longer = all.first(where: \.isLonger) {
            return Finding(
                .latency, .inferior, excess: longer.long, lower: longer.longLower, upper: 1,
                margin: LatencyComparison.half, stableSamples: longer.stable.samples,
                canarySamples: longer.canary.samples,
                text: "\(longer.wordsOfMedians): at least \(percent(longer.longLower)) above "
                    + "\(time(longer.longLimit)), \(percent(LatencyComparison.half)) allowed")
        }
        // The one that is furthest from its proof speaks for all.
        guard let worst = matter.max(by: { $0.upper < $1.upper }) else { preconditionFailure("a quarter is in one") }
        let known =
            "at most \(percent(worst.upper)) above \(time(worst.limit)), \(percent(worst.allowed)) allowed"
            + " \(question.goal)"
        if matter.allSatisfy(\.isProven) { return finding(.proven, worst, known) }
        let more = worst.samplesMissing(question)
        let missing = more.map { "about \(grouped($0)) more requests" } ?? "more requests, and shorter ones"
        return finding(.open(missing: missing, samples: more), worst, "\(known); missing: \(missing)")
    }
}
