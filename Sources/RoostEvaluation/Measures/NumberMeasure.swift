/// Metrics of predicted numbers.
struct NumberMeasure: Measure {
    private let truths: [Double]
    /// Prediction less truth.
    private let errors: [Double]
    private let areFinite: Bool

    var count: Int { truths.count }

    init(_ observations: NumberObservations) {
        truths = observations.truths
        errors = zip(observations.predictions, observations.truths).map { $0 - $1 }
        areFinite = errors.allSatisfy(\.isFinite)
    }

    func value(_ metric: QualityMetric, weights: [Int]) throws(UndefinedMetric) -> Double {
        try check(metric)
        switch metric {
        case .mse: return meanSquare(weights)
        case .rmse: return meanSquare(weights).squareRoot()
        case .mae: return weightedSum(errors.map(abs), weights) / Double(count)
        case .r2: return explained(weights)
        default: throw .notFor(.regression, metric)
        }
    }

    func estimate(_ metric: QualityMetric) throws(UndefinedMetric) -> MetricEstimate {
        try check(metric)
        switch metric {
        case .mse: return try mean(metric, of: errors.map { $0 * $0 })
        case .mae: return try mean(metric, of: errors.map(abs))
        case .rmse:
            let square = try mean(metric, of: errors.map { $0 * $0 })
            // The slope of the root at the mean square; without errors there is nothing to vary.
            let slope = square.value > 0 ? 1 / (4 * square.value) : 0
            return MetricEstimate(
                value: square.value.squareRoot(), variance: square.variance * slope, count: square.count)
        case .r2: return linearised(explained(once), explainedInfluences())
        default: throw .notFor(.regression, metric)
        }
    }

    private func meanSquare(_ weights: [Int]) -> Double {
        var sum = 0.0
        for row in errors.indices { sum += errors[row] * errors[row] * Double(weights[row]) }
        return sum / Double(count)
    }

    /// The mean squared distance of the labels from their mean.
    private func spread(_ weights: [Int]) -> (mean: Double, square: Double) {
        let mean = weightedSum(truths, weights) / Double(count)
        var sum = 0.0
        for row in truths.indices { sum += (truths[row] - mean) * (truths[row] - mean) * Double(weights[row]) }
        return (mean, sum / Double(count))
    }

    /// R². Of labels that are all the same, all is explained or nothing.
    private func explained(_ weights: [Int]) -> Double {
        let (square, spread) = (meanSquare(weights), spread(weights).square)
        guard spread > 0 else { return square > 0 ? 0 : 1 }
        return 1 - square / spread
    }

    private func explainedInfluences() -> [Double] {
        let (mean, spread) = spread(once)
        guard spread > 0 else { return truths.map { _ in 0 } }
        let square = meanSquare(once)
        return truths.indices.map { row in
            let distance = (truths[row] - mean) * (truths[row] - mean)
            return square / (spread * spread) * (distance - spread) - (errors[row] * errors[row] - square) / spread
        }
    }

    private func check(_ metric: QualityMetric) throws(UndefinedMetric) {
        guard count > 0 else { throw UndefinedMetric(metric, "there are no observations") }
        guard areFinite else { throw UndefinedMetric(metric, "some predictions are not finite numbers") }
        guard metric != .r2 || count > 1 else { throw UndefinedMetric(metric, "it needs two observations, there is 1") }
    }
}
