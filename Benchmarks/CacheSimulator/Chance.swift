internal import Glibc
internal import RoostBasics

/// e to the `power`.
func exponential(_ power: Double) -> Double { exp(power) }

/// The sine of a whole number of turns, and of parts of one.
func sine(turns: Double) -> Double { sin(2 * .pi * turns) }

extension SplitMix {
    /// Uniform in (0, 1].
    mutating func positiveUnit() -> Double { 1 - Double.random(in: 0..<1, using: &self) }

    /// Standard normal, by Box and Muller's transform.
    mutating func normal() -> Double { (-2 * log(positiveUnit())).squareRoot() * sine(turns: positiveUnit()) }

    /// The time to the next event of a Poisson process, in units of 1 / rate.
    mutating func wait(rate: Double) -> Double { -log(positiveUnit()) / rate }
}
