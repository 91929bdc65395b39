extension Analysis {
    /// How often both versions decide differently on the same request, by an exact confidence sequence.
    ///
    /// Disagreement is not error: beyond `flips` a person should look, and only beyond `collapse` the rollout ends.
    static func agreement(_ evidence: Evidence, _ question: Question) -> Finding {
        let pairs = evidence.pairs
        let settings = question.settings
        guard pairs.count > 0 else {
            return Finding(
                .agreement, .unproven("0 pairs"), margin: settings.flips, stableSamples: 0,
                canarySamples: 0, text: "agreement unproven: 0 pairs")
        }
        let flips = BoundedMean(trials: Double(pairs.count), sum: Double(pairs.flips))
        let (lower, upper) = (flips.lower(question.falseAbort), flips.upper(question.falseProof))
        let allowed = min(max(settings.collapse, settings.flips), settings.flips * question.scale)
        let known = "other decisions in \(percent(flips.sum / flips.trials)) of \(grouped(pairs.count)) pairs"
        let judgement: Finding.Judgement
        let rest: String
        if lower > settings.collapse {
            judgement = .inferior
            rest = "at least \(percent(lower)), \(percent(settings.collapse)) allowed at all"
        } else if lower > settings.flips && (upper <= settings.collapse || pairs.count >= pairsMax) {
            judgement = .alarming
            rest = "at least \(percent(lower)), \(percent(settings.flips)) allowed without a look"
        } else if lower > settings.flips {
            // Whether this is a matter for a person or the end of the rollout is worth a few pairs more.
            judgement = .open(missing: "more pairs, to tell whether they collapse", samples: nil)
            rest = "\(percent(lower)) to \(percent(upper)), \(percent(settings.flips)) allowed without a look"
        } else if upper <= allowed {
            judgement = .proven
            rest = "at most \(percent(upper)), \(percent(allowed)) allowed \(question.goal)"
        } else {
            let times = flips.growth(
                toBeBelow: allowed, error: question.falseProof, rate: flips.sum / flips.trials)
            let more = times.map { max(1, Int((flips.trials * ($0 - 1)).rounded(.up))) }
            let missing = more.map { "about \(grouped($0)) more pairs" } ?? "more pairs"
            judgement = .open(missing: missing, samples: more)
            rest = "at most \(percent(upper)), \(percent(allowed)) allowed \(question.goal); missing: \(missing)"
        }
        let mean = pairs.sum / flips.trials
        let numbers = pairs.sumOfSquares == 0 ? "" : "; outputs differ by \(significant(mean)) on average"
        return Finding(
            .agreement, judgement, excess: flips.sum / flips.trials, lower: lower, upper: upper, margin: allowed,
            stableSamples: pairs.count, canarySamples: pairs.count, text: "\(known): \(rest)\(numbers)")
    }
}
