/// Random numbers that are the same on every run with the same seed: a counter and a mixing function (SplitMix64;
/// Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).
public struct SplitMix: RandomNumberGenerator, Hashable, Sendable {
    /// The counter; its first value is the seed.
    public var state: UInt64
    /// What the counter grows by: odd, and near 2⁶⁴ divided by the golden ratio.
    public static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

    @inlinable public init(state: UInt64) { self.state = state }

    @inlinable public mutating func next() -> UInt64 {
        state &+= Self.step
        return Self.mix(state)
    }

    /// Spreads every bit of `word` over all 64.
    @inlinable @inline(__always)
    public static func mix(_ word: UInt64) -> UInt64 {
        var z = word
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number from 0 up to but not including 1: the upper 53 bits.
    @inlinable public mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
}
