internal import Glibc

/// The boundary of a sum whose increments have no drift, for sums that are about normal: it is crossed, ever, with a
/// probability of at most `error`.
///
/// One-sided, from mixing over drifts with a normal prior of variance 1 / `tuning` (Robbins 1970; the closed form of
/// Howard et al. 2021, section 3; mSPRT of Johari, Koomen, Pekelis and Walsh 2017/2022). With estimated variances
/// it is an asymptotic confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2021).
struct NormalMixture {
    let error: Double
    /// The variance, in units of the sum's, near which the boundary is narrowest (about a ninth of it).
    let tuning: Double

    /// What the sum stays below, when its variance is `variance`.
    func boundary(_ variance: Double) -> Double {
        let scale = (variance + tuning) / tuning
        return (2 * (variance + tuning) * log(scale.squareRoot() / (2 * error) + 1)).squareRoot()
    }

    /// How far an estimate with standard error `deviation` may be from what it estimates.
    func radius(_ deviation: Double) -> Double {
        guard deviation > 0 else { return 0 }
        // The estimate times its information is a sum whose variance is the information.
        let information = 1 / (deviation * deviation)
        return boundary(information) / information
    }
}
