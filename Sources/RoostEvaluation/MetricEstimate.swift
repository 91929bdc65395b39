/// A metric as an estimate from a sample, for whoever compares two samples.
public struct MetricEstimate: Hashable, Sendable {
    public let value: Double
    /// Of one observation's contribution: the value's own variance is this divided by `count`.
    ///
    /// For a mean it is the sample's variance (divided by `count` - 1). Other metrics are linearised: it is the
    /// variance of their influence values (Hampel, "The influence curve and its role in robust estimation", 1974),
    /// which for `auc` is DeLong's estimate (DeLong, DeLong, Clarke-Pearson, Biometrics 44, 1988).
    public let variance: Double
    /// How many observations; groups for rankings.
    public let count: Int

    public init(value: Double, variance: Double, count: Int) {
        self.value = value
        self.variance = variance
        self.count = count
    }

    /// The standard deviation of `value` over samples of this size.
    public var standardError: Double { (variance / Double(count)).squareRoot() }
}

/// Why a metric has no value for these observations.
public struct UndefinedMetric: Error, Hashable, Sendable, CustomStringConvertible {
    public let metric: QualityMetric
    /// In words that follow "auc is undefined: ".
    public let reason: String

    public init(_ metric: QualityMetric, _ reason: String) {
        self.metric = metric
        self.reason = reason
    }

    public var description: String { "\(metric.name) is undefined: \(reason)" }
}
