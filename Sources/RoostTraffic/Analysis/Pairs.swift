/// Answers of two versions to the same requests, from shadowing.
public struct Pairs: Hashable, Sendable {
    public var count = 0
    /// Pairs that decide differently: another class, or another side of the threshold.
    public var flips = 0
    /// Of the canary's number less the stable version's.
    public var sum = 0.0
    public var sumOfSquares = 0.0

    public init() {}

    /// Counts `count` pairs of which `flips` decide differently, and nothing is known of numbers.
    /// - Precondition: 0 ≤ `flips` ≤ `count`.
    public mutating func add(_ count: Int, flips: Int) {
        precondition((0...count).contains(flips), "\(flips) of \(count) pairs differ")
        self.count += count
        self.flips += flips
    }

    /// Counts one pair. A difference that is not finite, or beyond 10^100, counts as a flip and in no sum.
    public mutating func add(isFlip: Bool, difference: Double) {
        count += 1
        let isNumber = difference.magnitude <= 1e100
        if isFlip || !isNumber { flips += 1 }
        guard isNumber else { return }
        sum += difference
        sumOfSquares += difference * difference
    }
}
