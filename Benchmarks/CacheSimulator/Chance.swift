internal import Glibc
internal import RoostTesting

/// e to the `power`.
func exponential(_ power: Double) -> Double { exp(power) }

/// The sine of a whole number of turns, and of parts of one.
func sine(turns: Double) -> Double { sin(2 * .pi * turns) }

extension Seeded {
    /// Uniform in (0, 1].
    mutating func unit() -> Double { 1 - Double.random(in: 0..<1, using: &self) }

    /// Standard normal, by Box and Muller's transform.
    mutating func normal() -> Double { (-2 * log(unit())).squareRoot() * sine(turns: unit()) }

    /// The time to the next event of a Poisson process, in units of 1 / rate.
    mutating func wait(rate: Double) -> Double { -log(unit()) / rate }
}
