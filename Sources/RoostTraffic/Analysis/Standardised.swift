/// Counts of one version over all strata, each weighed so that both versions have the same mix of strata (direct
/// standardisation): their difference is the mean of the differences within strata.
///
/// A stratum weighs as the smaller of its two arms, so that no request counts more than once: the canary's each count
/// once while it is the smaller, and the stable version's count as many times less as there are more of them. Which
/// version a request goes to is decided without its outcome, so weights do not depend on what is weighed.
struct Standardised {
    /// What one request of each stratum weighs, at most 1.
    let weights: [Double]
    /// The strata together: their weights times their requests.
    let size: Double
    /// How many requests were counted in strata with a weight.
    let trials: Double
    /// The largest weight: sums are divided by it, so that the heaviest request counts one.
    private let heaviest: Double

    /// - Parameters:
    ///   - own: how many of this version in each stratum.
    ///   - others: how many of the other one.
    init(_ own: [Int], against others: [Int]) {
        weights = zip(own, others).map { $0 > 0 ? Double(min($0, $1)) / Double($0) : 0 }
        size = zip(own, others).reduce(0) { $0 + Double(min($1.0, $1.1)) }
        trials = zip(own, weights).reduce(0) { $0 + ($1.1 > 0 ? Double($1.0) : 0) }
        heaviest = max(weights.max() ?? 0, .leastNormalMagnitude)
    }

    /// For bounds on the rate of what sums to `sum` with these weights. Errors of few keys count as few: `effect` is
    /// by how many times they vary more than those of independent requests.
    func mean(_ sum: Double, effect: Double = 1) -> BoundedMean {
        BoundedMean(trials: trials / effect, sum: sum / heaviest / effect)
    }

    /// What mean of all `trials` a standardised rate is.
    func mean(of rate: Double) -> Double { trials > 0 ? min(1, rate * size / (trials * heaviest)) : 0 }

    /// The standardised rate of a mean of all `trials`.
    func rate(of mean: Double) -> Double { size > 0 ? min(1, mean * trials * heaviest / size) : 1 }

    func upper(_ sum: Double, effect: Double = 1, error: Double) -> Double {
        rate(of: mean(sum, effect: effect).upper(error))
    }

    func lower(_ sum: Double, effect: Double = 1, error: Double) -> Double {
        size > 0 ? rate(of: mean(sum, effect: effect).lower(error)) : 0
    }
}
