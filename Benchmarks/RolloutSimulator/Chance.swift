internal import Glibc
internal import RoostTesting

extension Seeded {
    /// Uniform in [0, 1).
    mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Standard normal, by Box and Muller's transform.
    mutating func normal() -> Double { (-2 * log(1 - unit())).squareRoot() * cos(2 * .pi * unit()) }
}

/// Latencies drawn in advance, so that a draw costs one look into a table: lognormal, in nanoseconds.
struct Lognormal {
    private let values: [UInt64]

    /// - Parameter shift: milliseconds that are added to each.
    init(medianMS: Double, sigma: Double, shiftMS: Double = 0) {
        var random = Seeded(1)
        values = (0..<65_536).map { _ in UInt64((medianMS * exp(sigma * random.normal()) + shiftMS) * 1e6) }
    }

    /// - Parameter bits: only the lower 16 count.
    func value(_ bits: UInt64) -> UInt64 { values[Int(bits & 65_535)] }
}

/// A wave around one, `height` high, with a period of `period` intervals.
func wave(_ interval: Int, height: Double, period: Double) -> Double {
    1 + height * sin(2 * .pi * Double(interval) / period)
}
