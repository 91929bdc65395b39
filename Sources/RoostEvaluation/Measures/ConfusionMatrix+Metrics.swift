/// Metrics that follow from counts alone.
///
/// Each is a function of the cells' shares, so that an observation's influence on it depends on its cell only: the
/// derivative of the metric in the direction of that cell.
extension ConfusionMatrix {
    /// The metric, nil when it does not follow from counts. Where scikit-learn would divide by zero and warns, it is
    /// zero as there.
    func value(_ metric: QualityMetric) -> Double? {
        switch metric {
        case .accuracy, .precisionMicro, .recallMicro, .f1Micro: Double(hits) / Double(total)
        case .mcc: correlation
        default: shares(metric).map { shares in shares.reduce(0) { $0 + value($1) } / Double(shares.count) }
        }
    }

    /// How much one observation more in a cell moves the metric, times the number of observations.
    func influence(_ metric: QualityMetric, truth: Int, decision: Int) -> Double? {
        switch metric {
        case .accuracy, .precisionMicro, .recallMicro, .f1Micro:
            (truth == decision ? 1 : 0) - Double(hits) / Double(total)
        case .mcc: correlationInfluence(truth, decision)
        default:
            shares(metric).map { shares in
                shares.reduce(0) { $0 + influence($1, truth, decision) } / Double(shares.count)
            }
        }
    }

    /// The part of a class's decisions or truths that is right.
    private struct Share {
        let place: Int
        /// How often a true and a decided member of the class count in the denominator: precision counts decided ones,
        /// recall true ones, F1 both. The numerator counts hits as often.
        let (actual, decided): (Int, Int)
    }

    /// What the metric is the mean of; nil for other metrics.
    private func shares(_ metric: QualityMetric) -> [Share]? {
        switch metric {
        case .precision: [Share(place: 1, actual: 0, decided: 1)]
        case .recall: [Share(place: 1, actual: 1, decided: 0)]
        case .f1: [Share(place: 1, actual: 1, decided: 1)]
        case .precisionMacro: present.map { Share(place: $0, actual: 0, decided: 1) }
        case .recallMacro: present.map { Share(place: $0, actual: 1, decided: 0) }
        case .f1Macro: present.map { Share(place: $0, actual: 1, decided: 1) }
        case .balancedAccuracy:
            present.filter { actual[$0] > 0 }.map { Share(place: $0, actual: 1, decided: 0) }
        default: nil
        }
    }

    private func denominator(_ share: Share) -> Double {
        Double(share.actual * actual[share.place] + share.decided * decided[share.place])
    }

    private func value(_ share: Share) -> Double {
        let denominator = denominator(share)
        guard denominator > 0 else { return 0 }
        return Double((share.actual + share.decided) * self[share.place, share.place]) / denominator
    }

    private func influence(_ share: Share, _ truth: Int, _ decision: Int) -> Double {
        let denominator = denominator(share)
        guard denominator > 0 else { return 0 }
        let (isActual, isDecided) = (truth == share.place ? 1 : 0, decision == share.place ? 1 : 0)
        let hit = Double((share.actual + share.decided) * isActual * isDecided)
        let counted = Double(share.actual * isActual + share.decided * isDecided)
        return (hit - value(share) * counted) * Double(total) / denominator
    }
}

/// Gorodkin's correlation of truth and decision ("Comparing two K-category assignments by a K-category correlation
/// coefficient", 2004); with two classes it is Matthews'.
extension ConfusionMatrix {
    /// Shares of hits, of agreement by chance, and what of truth and of decisions is not concentrated in one class.
    private var parts: (hits: Double, chance: Double, actual: Double, decided: Double) {
        let count = Double(total)
        var (chance, actualSquares, decidedSquares) = (0.0, 0.0, 0.0)
        for place in 0..<classCount {
            let (truth, decision) = (Double(actual[place]) / count, Double(decided[place]) / count)
            chance += truth * decision
            actualSquares += truth * truth
            decidedSquares += decision * decision
        }
        return (Double(hits) / count, chance, 1 - actualSquares, 1 - decidedSquares)
    }

    /// Whether truth and decisions both have more than one class; otherwise nothing correlates.
    private var varies: Bool {
        actual.count { $0 > 0 } > 1 && decided.count { $0 > 0 } > 1
    }

    private var correlation: Double {
        guard varies else { return 0 }
        let parts = parts
        return (parts.hits - parts.chance) / (parts.actual * parts.decided).squareRoot()
    }

    private func correlationInfluence(_ truth: Int, _ decision: Int) -> Double {
        guard varies else { return 0 }
        let parts = parts
        let count = Double(total)
        let (truthShare, decisionShare) = (Double(actual[truth]) / count, Double(decided[decision]) / count)
        let crossing = Double(decided[truth] + actual[decision]) / count
        let agreement = (truth == decision ? 1 : 0) - parts.hits - crossing + 2 * parts.chance
        let actualSlope = -2 * (truthShare - (1 - parts.actual))
        let decidedSlope = -2 * (decisionShare - (1 - parts.decided))
        return agreement / (parts.actual * parts.decided).squareRoot()
            - correlation / 2 * (actualSlope / parts.actual + decidedSlope / parts.decided)
    }
}
