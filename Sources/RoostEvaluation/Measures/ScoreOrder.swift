/// The observations in order of their scores for one class, which is held against all others.
struct ScoreOrder: Sendable {
    /// Whether each observation belongs to the class.
    private let isPositive: [Bool]
    /// Observations, lowest score first.
    private let order: [Int]
    /// Where a run of equal scores begins in `order`, and at last where the order ends.
    private let runs: [Int]

    init(_ observations: ClassObservations, _ place: Int) {
        let scores = observations.truths.indices.map { observations.score($0, place) }
        let order = scores.indices.sorted { scores[$0] < scores[$1] }
        isPositive = observations.truths.map { $0 == place }
        runs = order.indices.filter { $0 == 0 || scores[order[$0]] != scores[order[$0 - 1]] } + [order.count]
        self.order = order
    }

    /// Positives and negatives in a run of equal scores.
    private func counts(_ run: Int, _ weights: [Int]) -> (positives: Int, negatives: Int) {
        var (positives, negatives) = (0, 0)
        for row in order[runs[run]..<runs[run + 1]] {
            if isPositive[row] { positives += weights[row] } else { negatives += weights[row] }
        }
        return (positives, negatives)
    }

    /// Positives and negatives in all.
    func totals(_ weights: [Int]) -> (positives: Int, negatives: Int) {
        var (positives, negatives) = (0, 0)
        for row in weights.indices {
            if isPositive[row] { positives += weights[row] } else { negatives += weights[row] }
        }
        return (positives, negatives)
    }

    /// The area under the ROC curve: of all pairs of a positive and a negative, the part in which the positive has the
    /// higher score, ties counting half (Mann-Whitney). There must be both.
    func area(_ weights: [Int]) -> Double {
        // Twice the number of such pairs: whole numbers, exact far beyond what can be evaluated.
        var (twice, negativesBelow, positivesAll) = (0, 0, 0)
        for run in 0..<runs.count - 1 {
            let (positives, negatives) = counts(run, weights)
            twice += positives * (2 * negativesBelow + negatives)
            negativesBelow += negatives
            positivesAll += positives
        }
        return Double(twice) / 2 / (Double(positivesAll) * Double(negativesBelow))
    }

    /// Precision at each threshold, weighted by the recall that it adds. There must be positives.
    func averagePrecision(_ weights: [Int]) -> Double {
        var (above, positivesAbove, sum) = (0, 0, 0.0)
        for run in (0..<runs.count - 1).reversed() {
            let (positives, negatives) = counts(run, weights)
            above += positives + negatives
            positivesAbove += positives
            if positives > 0 { sum += Double(positives) * Double(positivesAbove) / Double(above) }
        }
        return sum / Double(positivesAbove)
    }

    /// Each observation's influence on the area, from DeLong's structural components: the part of the other side that
    /// it is on the right side of. Scaled so that their mean square is the variance of one observation, with each
    /// side's own degrees of freedom. There must be two of both sides.
    func areaInfluences() -> [Double] {
        let weights = [Int](repeating: 1, count: order.count)
        let totals = totals(weights)
        let (positivesAll, negativesAll) = (Double(totals.positives), Double(totals.negatives))
        let area = area(weights)
        let count = Double(order.count)
        let positiveScale = count / (positivesAll * (positivesAll - 1)).squareRoot()
        let negativeScale = count / (negativesAll * (negativesAll - 1)).squareRoot()
        var influences = [Double](repeating: 0, count: order.count)
        var (positivesBelow, negativesBelow) = (0.0, 0.0)
        for run in 0..<runs.count - 1 {
            let counts = counts(run, weights)
            let (positives, negatives) = (Double(counts.positives), Double(counts.negatives))
            for row in order[runs[run]..<runs[run + 1]] {
                influences[row] =
                    isPositive[row]
                    ? positiveScale * ((negativesBelow + negatives / 2) / negativesAll - area)
                    : negativeScale * ((positivesAll - positivesBelow - positives / 2) / positivesAll - area)
            }
            positivesBelow += positives
            negativesBelow += negatives
        }
        return influences
    }
}
