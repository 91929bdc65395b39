/// One kind of observations, prepared so that metrics of them, and of resamples of them, are quickly found.
protocol Measure {
    /// Observations.
    var count: Int { get }

    /// - Parameter weights: how often each observation counts; their sum is `count`.
    func value(_ metric: QualityMetric, weights: [Int]) throws(UndefinedMetric) -> Double

    /// All of the metrics that are defined for a resample, at less cost than one by one.
    func values(_ metrics: [QualityMetric], weights: [Int]) -> [QualityMetric: Double]

    /// The value with its variance.
    func estimate(_ metric: QualityMetric) throws(UndefinedMetric) -> MetricEstimate
}

extension Measure {
    func values(_ metrics: [QualityMetric], weights: [Int]) -> [QualityMetric: Double] {
        var values: [QualityMetric: Double] = [:]
        for metric in metrics { values[metric] = try? value(metric, weights: weights) }
        return values
    }

    /// Each observation once.
    var once: [Int] { [Int](repeating: 1, count: count) }

    /// The mean of `values`, and the sample's variance.
    func mean(_ metric: QualityMetric, of values: [Double]) throws(UndefinedMetric) -> MetricEstimate {
        guard values.count > 1 else {
            throw UndefinedMetric(metric, "a variance needs two observations, there is \(values.count)")
        }
        let mean = values.reduce(0, +) / Double(values.count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return MetricEstimate(value: mean, variance: squares / Double(values.count - 1), count: values.count)
    }

    /// A value with the mean square of its influences, which have the mean zero.
    func linearised(_ value: Double, _ influences: [Double]) -> MetricEstimate {
        let squares = influences.reduce(0) { $0 + $1 * $1 }
        return MetricEstimate(value: value, variance: squares / Double(influences.count), count: influences.count)
    }
}

/// The sum of `values`, each as often as its weight says.
func weightedSum(_ values: [Double], _ weights: [Int]) -> Double {
    var sum = 0.0
    for row in values.indices { sum += values[row] * Double(weights[row]) }
    return sum
}
