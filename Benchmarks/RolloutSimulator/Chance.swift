internal import Glibc
internal import RoostBasics

extension SplitMix {
    /// Standard normal, by Box and Muller's transform.
    mutating func normal() -> Double { (-2 * log(1 - unit())).squareRoot() * cos(2 * .pi * unit()) }
}

/// Latencies drawn in advance, so that a draw costs one look into a table: lognormal, in nanoseconds.
struct Lognormal {
    private let values: [UInt32]

    /// - Parameter shift: milliseconds that are added to each.
    init(medianMS: Double, sigma: Double, shiftMS: Double = 0) {
        var random = SplitMix(state: 1)
        values = (0..<Self.size).map { _ in UInt32((medianMS * exp(sigma * random.normal()) + shiftMS) * 1e6) }
    }

    /// Small enough for the processor's cache.
    private static var size: Int { 1 << 14 }

    /// - Parameter bits: only the lower 14 count.
    func value(_ bits: UInt64) -> UInt64 { UInt64(values[Int(truncatingIfNeeded: bits) & (Self.size - 1)]) }
}

/// A wave around one, `height` high, with a period of `period` intervals.
func wave(_ interval: Int, height: Double, period: Double) -> Double {
    1 + height * sin(2 * .pi * Double(interval) / period)
}
