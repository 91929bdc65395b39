extension Analysis {
    /// The excess of the canary's error rate, by exact confidence sequences of both rates, which hold for zero errors,
    /// and by the normal mixture of their difference, which is narrower where both have many. Both hold at once, so the
    /// tighter one counts; the exact one has three quarters of the chance of error.
    static func errors(_ evidence: Evidence, _ question: Question) -> Finding {
        let stable = ErrorCounts(evidence.strata.map(\.stable), against: evidence.strata.map(\.canary))
        let canary = ErrorCounts(evidence.strata.map(\.canary), against: evidence.strata.map(\.stable))
        let comparison = ErrorComparison(stable: stable, canary: canary)
        let upper = comparison.upper(question.falseProof)
        let lower = comparison.lower(question.falseAbort)
        let margin = question.settings.errorsMargin
        let allowed = min(1, margin * question.scale)
        let known =
            "errors \(percent(canary.rate)) of \(grouped(canary.requests))"
            + " against \(percent(stable.rate)) of \(grouped(stable.requests))"
        let judgement: Finding.Judgement
        let text: String
        if canary.requests == 0 || stable.requests == 0 {
            let missing = canary.requests == 0 ? "the new version" : "the stable version"
            let samples = canary.requests == 0 ? question.settings.samplesMin : nil
            judgement = .open(missing: "no requests of \(missing) yet", samples: samples)
            text = "errors: no requests of \(missing) yet"
        } else if lower > margin {
            judgement = .inferior
            text = "\(known): at least \(percent(lower)) more, \(percent(margin)) allowed"
        } else if upper <= allowed && canary.requests >= question.settings.samplesMin {
            judgement = .proven
            text = "\(known): at most \(percent(upper)) more, \(percent(allowed)) allowed \(question.goal)"
        } else {
            let more = comparison.samplesMissing(question, allowed: allowed)
            let missing = more.map { "about \(grouped($0)) more requests" } ?? "more requests, and fewer errors"
            judgement = .open(missing: missing, samples: more)
            text =
                "\(known): at most \(percent(upper)) more, \(percent(allowed)) allowed \(question.goal);"
                + " missing: \(missing)"
        }
        return Finding(
            .errors, judgement, excess: comparison.excess, lower: lower, upper: upper, margin: allowed,
            stableSamples: stable.requests, canarySamples: canary.requests, text: text)
    }
}

/// Errors of two versions over the same strata.
struct ErrorComparison {
    let stable: ErrorCounts
    let canary: ErrorCounts
    /// Keys behave alike in both versions: the arm with more errors says best how they cluster.
    private let effect: Double
    /// The exact bounds' part of the chance of error.
    private static let exactPart = 0.75
    /// In expected errors: the boundary is narrowest around 70.
    private static let tuning = 8.0

    init(stable: ErrorCounts, canary: ErrorCounts) {
        self.stable = stable
        self.canary = canary
        effect = max(stable.effect, canary.effect)
    }

    var excess: Double { canary.rate - stable.rate }

    func upper(_ error: Double) -> Double {
        let division = Division(error * Self.exactPart)
        let exact =
            canary.standard.upper(canary.sum, effect: effect, error: division.canary)
            - stable.standard.lower(stable.sum, effect: effect, error: division.stable)
        guard let radius = radius(error) else { return exact }
        return min(exact, excess + radius)
    }

    func lower(_ error: Double) -> Double {
        let division = Division(error * Self.exactPart)
        let exact =
            canary.standard.lower(canary.sum, effect: effect, error: division.canary)
            - stable.standard.upper(stable.sum, effect: effect, error: division.stable)
        guard let radius = radius(error) else { return exact }
        return max(exact, excess - radius)
    }

    /// Nil where errors are too few for it.
    private func radius(_ error: Double) -> Double? {
        guard Double(min(canary.errors, stable.errors)) / effect >= Analysis.errorsNormalMin else { return nil }
        let mixture = NormalMixture(error: error * (1 - Self.exactPart), tuning: Self.tuning)
        return mixture.boundary((canary.variance + stable.variance) * effect) / canary.standard.size
    }

    /// If the canary is as the stable version from now on, unless it is known to be worse: a rate that few requests
    /// suggest foretells little. Nil when it will not be proven.
    func samplesMissing(_ question: Question, allowed: Double) -> Int? {
        let now = canary.requests
        let least = max(0, question.settings.samplesMin - now)
        let division = Division(question.falseProof * Self.exactPart)
        let stableLower = stable.standard.lower(stable.sum, effect: effect, error: division.stable)
        let rate = lower(question.falseAbort) > 0 ? canary.rate : stable.rate
        guard
            let times = canary.standard.mean(canary.sum, effect: effect).growth(
                toBeBelow: canary.standard.mean(of: min(1, stableLower + allowed)), error: division.canary,
                rate: canary.standard.mean(of: rate))
        else { return nil }
        return max(least, Int((Double(now) * (times - 1)).rounded(.up)), 1)
    }
}

extension BoundedMean {
    /// How many times as many are needed until the mean is proven to be below `p`, if what comes has the mean `rate`;
    /// nil for more than a million times.
    func growth(toBeBelow p: Double, error: Double, rate: Double) -> Double? {
        let target = threshold(error)
        func isEnough(_ times: Double) -> Bool {
            let later = BoundedMean(trials: trials * times, sum: sum + trials * (times - 1) * rate)
            return later.sum < p * later.trials && later.evidenceBelow(p) >= target
        }
        guard trials > 0, rate < p else { return nil }
        var high = 1.0
        while !isEnough(high) {
            high *= 2
            if high > 1_000_000 { return nil }
        }
        guard high > 1 else { return 1 }
        var low = high / 2
        for _ in 0..<6 {
            let middle = (low + high) / 2
            if isEnough(middle) { high = middle } else { low = middle }
        }
        return high
    }
}
