internal import RoostBasics

/// A function of the simulated host: what its template costs, and how often it is called on average.
struct SimulatedFunction {
    let size: ByteCount
    let loadTime: Instant.Span
    /// Calls per second, averaged over the whole trace.
    let rate: Double
}

/// A thousand functions whose popularity, size and load time are drawn independently of any policy.
enum Population {
    static let count = 1000
    /// Of all functions together.
    static let callsPerSecond = 4.0

    /// Popularity follows Zipf's law with exponent 1, independent of size. Sizes are log-normal around 20 MB, cut at
    /// 0.2 MB and 1 GB; load times grow with the square root of the size, times a log-normal factor, cut at 5 ms and
    /// 5 s.
    static func draw(using random: inout SplitMix) -> [SimulatedFunction] {
        let ranks = (1...count).shuffled(using: &random)
        let harmonic = (1...count).reduce(0) { $0 + 1 / Double($1) }
        return ranks.map { rank in
            let bytes = min(1e9, max(0.2e6, 20e6 * exponential(1.6 * random.normal())))
            let seconds = min(5, max(0.005, 0.25 * (bytes / 20e6).squareRoot() * exponential(0.9 * random.normal())))
            return SimulatedFunction(
                size: ByteCount(bytes: Int(bytes)), loadTime: Instant.Span(nanoseconds: UInt64(seconds * 1e9)),
                rate: callsPerSecond / (Double(rank) * harmonic))
        }
    }
}
