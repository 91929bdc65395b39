internal import RoostBasics

extension Observations {
    /// The metric's value, as scikit-learn computes it.
    ///
    /// Where scikit-learn warns and answers NaN or a constant because there is nothing to measure (`auc` and
    /// `average_precision` without positives), or refuses (scores that are not finite, or no probabilities), it is
    /// undefined here.
    public func value(of metric: QualityMetric) throws(UndefinedMetric) -> Double {
        let measure = measure
        return try measure.value(metric, weights: measure.once)
    }

    /// The metric's value with the variance of one observation.
    /// - Throws: also where a variance would need more observations, and for `average_precision`, whose variance is
    ///   known from resampling only.
    public func estimate(of metric: QualityMetric) throws(UndefinedMetric) -> MetricEstimate {
        try measure.estimate(metric)
    }

    /// Where the metric lies with probability `level`, for several metrics at once: the percentile bootstrap (Efron,
    /// "Bootstrap methods: another look at the jackknife", 1979) over observations, the same for equal seeds.
    ///
    /// Resamples in which a metric is undefined do not count; a metric has no interval where that is every second one.
    ///
    /// - Parameters:
    ///   - resamples: at least 100 are taken; fewer than this when there are so many observations that work would
    ///     exceed `resampledMax` observations.
    public func intervals(
        of metrics: [QualityMetric], level: Double = 0.95, resamples: Int = 1000, seed: UInt64 = 1
    ) -> [QualityMetric: ClosedRange<Double>] {
        let measure = measure
        guard measure.count > 1 else { return [:] }
        let rounds = max(100, min(resamples, Self.resampledMax / measure.count))
        var random = SplitMix(state: seed)
        var values: [QualityMetric: [Double]] = [:]
        for _ in 0..<rounds {
            let weights = random.resample(measure.count)
            for (metric, value) in measure.values(metrics, weights: weights) {
                values[metric, default: []].append(value)
            }
        }
        return values.compactMapValues { values in
            guard values.count * 2 > rounds else { return nil }
            let sorted = values.sorted()
            return sorted.quantile((1 - level) / 2)...sorted.quantile((1 + level) / 2)
        }
    }

    /// Observations that `intervals` draws at most, over all resamples.
    public static let resampledMax = 20_000_000

    private var measure: any Measure {
        switch self {
        case .classes(let observations): ClassMeasure(observations)
        case .numbers(let observations): NumberMeasure(observations)
        case .rankings(let observations): RankingMeasure(observations)
        }
    }
}

extension SplitMix {
    /// How often each of `count` observations is among `count` draws with replacement.
    fileprivate mutating func resample(_ count: Int) -> [Int] {
        var weights = [Int](repeating: 0, count: count)
        // The upper half of a product with a random word is evenly distributed, but for one part in 2⁶⁴.
        for _ in 0..<count { weights[Int(next().multipliedFullWidth(by: UInt64(count)).high)] += 1 }
        return weights
    }
}

extension [Double] {
    /// Between the two nearest of sorted values, linearly.
    fileprivate func quantile(_ share: Double) -> Double {
        let place = share * Double(count - 1)
        let low = Int(place)
        let high = Swift.min(low + 1, count - 1)
        return self[low] + (place - Double(low)) * (self[high] - self[low])
    }
}
