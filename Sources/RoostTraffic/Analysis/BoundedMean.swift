internal import Glibc

/// Confidence sequences for the mean of numbers between 0 and 1, from their count and sum alone: valid at every count
/// at once, exact for 0 errors in 200 requests as for many.
///
/// For a true mean p each θ gives a test martingale θ^sum / (1 + p (θ - 1))^trials, for zeros and ones a likelihood
/// ratio. A mixture over fixed θ is one too, and it exceeds 1 / error with a probability of at most `error`, ever
/// (Ville's inequality): the p that it does not exclude are a confidence sequence (Robbins 1970; Howard, Ramdas,
/// McAuliffe, Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", 2021, sub-Bernoulli case).
/// θ does not depend on p, and log(1 + p (θ - 1)) is concave in p; therefore it also holds for numbers between 0 and 1
/// whose means differ, and then for the average of their means.
struct BoundedMean: Hashable {
    var trials: Double
    var sum: Double

    /// The log of the evidence that the mean is below `p`.
    func evidenceBelow(_ p: Double) -> Double {
        p < 1 ? evidence(against: p, Mixture.below).log : .infinity
    }

    /// The log of the evidence that the mean is above `p`.
    func evidenceAbove(_ p: Double) -> Double { evidence(against: p, Mixture.above).log }

    /// Never below the mean, at any count, but for a probability of `error`.
    func upper(_ error: Double) -> Double {
        guard trials > 0 else { return 1 }
        return crossing(Mixture.below, log(1 / error), within: min(1, sum / trials)...1) ?? 1
    }

    /// Never above the mean, at any count, but for a probability of `error`.
    func lower(_ error: Double) -> Double {
        guard trials > 0, sum > 0 else { return 0 }
        return crossing(Mixture.above, log(1 / error), within: 0...min(1, sum / trials)) ?? 0
    }

    /// What the log of the evidence has to reach.
    func threshold(_ error: Double) -> Double { log(1 / error) }

    private func evidence(against p: Double, _ mixture: [Mixture]) -> (log: Double, slope: Double) {
        var (most, total, slope) = (-Double.infinity, 0.0, 0.0)
        for part in mixture {
            let base = 1 + p * part.step
            // Where θ is zero, one error refutes it, and none makes it the best.
            let power = (sum > 0 ? sum * part.logTheta : 0) - trials * log(base) + part.logWeight
            guard power > -.infinity else { continue }
            if power > most {
                let shrink = exp(most - power)
                (most, total, slope) = (power, total * shrink, slope * shrink)
            }
            let weight = exp(power - most)
            total += weight
            slope -= weight * trials * part.step / base
        }
        return (most + log(total), slope / total)
    }

    /// Where the evidence reaches `target`: Newton's method, with bisection where that would leave the range. The
    /// evidence is convex in p, so a few steps are enough. Nil if it is not reached within the range.
    private func crossing(_ mixture: [Mixture], _ target: Double, within range: ClosedRange<Double>) -> Double? {
        let rises = mixture[0].step < 0
        var (low, high) = (range.lowerBound, range.upperBound)
        if rises { high = min(high, 1 - 1e-12) }
        guard low < high else { return nil }
        let far = rises ? high : low
        guard evidence(against: far, mixture).log >= target else { return nil }
        let spread = (sum.squareRoot() * 3.5 + 5) / trials
        var p = rises ? min(range.lowerBound + spread, (low + high) / 2) : max(range.upperBound - spread, high / 2)
        for _ in 0..<60 {
            let (value, slope) = evidence(against: p, mixture)
            // The side on which the evidence is reached is the one that is kept in the end.
            if (value < target) == rises { low = p } else { high = p }
            let next = p - (value - target) / slope
            let isWithin = next > low && next < high
            let moved = (isWithin ? next : (low + high) / 2) - p
            p += moved
            if moved.magnitude <= 1e-9 * p { break }
        }
        return p
    }
}

/// One θ of a mixture.
private struct Mixture {
    let logTheta: Double
    let logWeight: Double
    /// θ - 1.
    let step: Double

    private init(_ theta: Double, weight: Double) {
        logTheta = log(theta)
        logWeight = log(weight)
        step = theta - 1
    }

    /// The best θ for a bound is about the mean that was seen divided by the bound: far from one for a few errors,
    /// near it for thousands. A mean without any error is the usual case, and has the most weight.
    static let below: [Mixture] = {
        let others = [
            0.05, 0.14, 0.25, 0.38, 0.5, 0.6, 0.7, 0.78, 0.84, 0.89, 0.925, 0.95, 0.968, 0.98, 0.99, 0.996,
        ]
        return [Mixture(0, weight: 0.28)] + others.map { Mixture($0, weight: 0.72 / Double(others.count)) }
    }()

    static let above: [Mixture] = {
        let all = [
            1.004, 1.01, 1.02, 1.033, 1.05, 1.08, 1.12, 1.18, 1.27, 1.4, 1.6, 2, 2.6, 3.5, 5, 8, 20, 100, 1000,
        ]
        return all.map { Mixture($0, weight: 1 / Double(all.count)) }
    }()
}
