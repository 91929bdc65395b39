/// A measure of quality as estimated from labels, with what says how exact it is.
public struct Estimate: Hashable, Sendable {
    public var value: Double
    /// Of one observation: the estimate's own variance is this divided by `count`. For what is no mean, the variance
    /// of its influence function.
    public var variance: Double
    public var count: Int

    public init(value: Double, variance: Double, count: Int) {
        self.value = value
        self.variance = variance
        self.count = count
    }

    /// The area under the ROC curve with DeLong's variance (DeLong, DeLong and Clarke-Pearson, 1988), by sorting once
    /// (Sun and Xu, 2014); ties count one half. Nil unless there are two scores of each class.
    /// - Parameters:
    ///   - positives: scores of the rows of the positive class; none of them NaN.
    ///   - negatives: of all others.
    public init?(aucOfPositives positives: [Double], negatives: [Double]) {
        let (m, n) = (Double(positives.count), Double(negatives.count))
        guard m >= 2, n >= 2 else { return nil }
        let (p, q) = (positives.sorted(), negatives.sorted())
        // For each score the part of the other class that it beats.
        let beaten = Self.placements(of: p, among: q)
        let beating = Self.placements(of: q, among: p)
        let value = beaten.reduce(0, +) / m
        let spread = beaten.reduce(0) { $0 + ($1 - value) * ($1 - value) } / (m - 1)
        let mean = beating.reduce(0, +) / n
        let otherSpread = beating.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (n - 1)
        self.init(
            value: value, variance: (spread / m + otherSpread / n) * (m + n), count: positives.count + negatives.count)
    }

    /// Of each score in `sorted` the part of `others` below it, ties by half; both ascending.
    private static func placements(of sorted: [Double], among others: [Double]) -> [Double] {
        var (below, upTo) = (0, 0)
        return sorted.map { score in
            while below < others.count, others[below] < score { below += 1 }
            while upTo < others.count, others[upTo] <= score { upTo += 1 }
            return Double(below + upTo) / 2 / Double(others.count)
        }
    }
}

/// A mean over labelled rows (accuracy, log-loss, Brier, absolute or squared error), from which rows can be taken
/// away again when their label is replaced.
public struct MeanScore: Hashable, Sendable {
    public var count = 0
    public var sum = 0.0
    public var sumOfSquares = 0.0

    public init() {}

    public mutating func add(_ score: Double) {
        count += 1
        sum += score
        sumOfSquares += score * score
    }

    public mutating func remove(_ score: Double) {
        count -= 1
        sum -= score
        sumOfSquares -= score * score
    }

    /// Nil for fewer than two rows.
    public var estimate: Estimate? {
        guard count >= 2 else { return nil }
        let mean = sum / Double(count)
        let variance = max(0, sumOfSquares - Double(count) * mean * mean) / Double(count - 1)
        return Estimate(value: mean, variance: variance, count: count)
    }

    /// The square root of the mean, for RMSE from squared errors; its variance by the delta method.
    public var squareRoot: Estimate? {
        guard let mean = estimate, mean.value > 0 else { return nil }
        return Estimate(value: mean.value.squareRoot(), variance: mean.variance / (4 * mean.value), count: count)
    }
}
