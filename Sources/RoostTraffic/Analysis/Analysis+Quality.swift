internal import RoostEvaluation

extension Analysis {
    /// The difference of a metric of quality, by an asymptotic confidence sequence.
    ///
    /// Labels that come for one version more often than for the other are a choice that somebody made, and what was
    /// chosen is not known: no verdict then, whatever the difference.
    static func quality(_ evidence: Evidence, _ question: Question) -> Finding {
        let labels = evidence.labels
        let wanted = question.settings.quality
        func finding(_ judgement: Finding.Judgement, _ text: String) -> Finding {
            Finding(
                .quality, judgement, margin: wanted.margin * question.scale, stableSamples: labels.stable.labelled,
                canarySamples: labels.canary.labelled, text: text)
        }
        if labels.stable.labelled == 0 && labels.canary.labelled == 0 {
            guard wanted.isRequired else {
                return finding(.unproven("0 labels"), "quality unproven: 0 labels")
            }
            return finding(.open(missing: "labels: there are none yet", samples: labelsMin), "quality: no labels yet")
        }
        if let biased = bias(labels, question) {
            return finding(wanted.isRequired ? .open(missing: biased, samples: nil) : .unproven(biased), biased)
        }
        let counts = "\(grouped(labels.canary.labelled)) labels against \(grouped(labels.stable.labelled))"
        guard let stable = labels.stable.estimate, let canary = labels.canary.estimate,
            min(stable.count, canary.count) >= labelsMin
        else {
            let missing = labelsMin - min(labels.stable.labelled, labels.canary.labelled)
            let name = wanted.metric.name
            let why = missing > 0 ? "\(labelsMin) of each needed" : "\(name) cannot be computed from them"
            let few = "\(counts), \(why)"
            let text = "quality unproven: \(few)"
            guard wanted.isRequired else { return finding(.unproven(few), text) }
            guard missing > 0 else { return finding(.open(missing: "labels that give \(name)", samples: nil), text) }
            return finding(.open(missing: "about \(grouped(missing)) more labels", samples: missing), text)
        }
        return QualityComparison(stable: stable, canary: canary, question).finding(question, counts)
    }

    /// In words, that coverage differs beyond chance and beyond a tolerance.
    private static func bias(_ labels: Labels, _ question: Question) -> String? {
        func coverage(_ version: Labels.OfVersion) -> BoundedMean {
            BoundedMean(trials: Double(max(version.recorded, version.labelled)), sum: Double(version.labelled))
        }
        let (stable, canary) = (coverage(labels.stable), coverage(labels.canary))
        let error = question.settings.alpha / 4  // two bounds of two versions
        func isLess(_ one: BoundedMean, _ other: BoundedMean) -> Bool {
            one.upper(error) < (1 - coverageTolerance) * other.lower(error)
        }
        guard isLess(stable, canary) || isLess(canary, stable) else { return nil }
        return "labels cover \(percent(stable.sum / max(1, stable.trials))) of stable's predictions but "
            + "\(percent(canary.sum / max(1, canary.trials))) of the canary's: they may not be compared"
    }
}

/// Two estimates of the same metric; excess is how much worse the canary's is.
private struct QualityComparison {
    let stable: MetricEstimate
    let canary: MetricEstimate
    let excess: Double
    let lower: Double
    let upper: Double
    let allowed: Double
    private let deviation: Double
    private let mixture: NormalMixture

    init(stable: MetricEstimate, canary: MetricEstimate, _ question: Question) {
        self.stable = stable
        self.canary = canary
        let wanted = question.settings.quality
        excess = wanted.metric.isHigherBetter ? stable.value - canary.value : canary.value - stable.value
        allowed = wanted.margin * question.scale
        deviation = (Self.squaredError(stable) + Self.squaredError(canary)).squareRoot()
        // Narrowest for differences of about twice the margin.
        let tuning = 1 / (4 * wanted.margin * wanted.margin)
        mixture = NormalMixture(error: question.falseProof, tuning: tuning)
        upper = excess + mixture.radius(deviation)
        lower = excess - NormalMixture(error: question.falseAbort, tuning: tuning).radius(deviation)
    }

    /// A metric without any spread, such as an accuracy of one, is not known exactly because of that: its next
    /// observation may be the first that differs.
    private static func squaredError(_ estimate: MetricEstimate) -> Double {
        let count = Double(estimate.count)
        return max(estimate.variance, 1 / count) / count
    }

    func finding(_ question: Question, _ counts: String) -> Finding {
        let wanted = question.settings.quality
        let known =
            "\(wanted.metric.name) \(significant(canary.value)) against \(significant(stable.value)) (\(counts))"
        let limits = "at most \(significant(upper)) worse, \(significant(allowed)) allowed \(question.goal)"
        let judgement: Finding.Judgement
        var text = "\(known): \(limits)"
        if lower > wanted.margin {
            judgement = .inferior
            text = "\(known): at least \(significant(lower)) worse, \(significant(wanted.margin)) allowed"
        } else if upper <= allowed {
            judgement = .proven
        } else if wanted.isRequired {
            let more = labelsMissing
            let missing = more.map { "about \(grouped($0)) more labels" } ?? "more labels, and better answers"
            judgement = .open(missing: missing, samples: more)
            text += "; missing: \(missing)"
        } else {
            judgement = .unproven(text)
        }
        return Finding(
            .quality, judgement, excess: excess, lower: lower, upper: upper, margin: allowed,
            stableSamples: stable.count, canarySamples: canary.count, text: text)
    }

    /// If the canary is as good as the stable version from now on, unless it is known to be worse. Nil when it will
    /// not be proven.
    private var labelsMissing: Int? {
        let expected = lower > 0 ? excess : 0
        guard expected < allowed else { return nil }
        func later(_ times: Double) -> Double {
            (excess - expected) / times + expected + mixture.radius(deviation / times.squareRoot())
        }
        var times = 1.0
        while later(times) > allowed {
            times *= 1.1
            if times > 1e6 { return nil }
        }
        return max(1, Int((Double(canary.count) * (times - 1)).rounded(.up)))
    }
}
