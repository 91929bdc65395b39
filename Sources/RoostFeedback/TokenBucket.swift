public import RoostBasics

/// Lets through so many events a second and no more: all of them while fewer come, an even part of them while more do.
///
/// It holds the tokens of one second, so that a burst after a quiet moment passes as a whole.
public struct TokenBucket: Hashable, Sendable {
    private let perSecond: Double
    private var tokens: Double
    private var filledAt: Instant

    /// - Parameter perSecond: at least 1.
    public init(perSecond: Int, at now: Instant) {
        precondition(perSecond >= 1)
        self.perSecond = Double(perSecond)
        tokens = Double(perSecond)
        filledAt = now
    }

    /// Whether the event of this moment passes; it then has taken a token.
    public mutating func take(at now: Instant) -> Bool {
        if now > filledAt {
            tokens = min(perSecond, tokens + (now - filledAt).seconds * perSecond)
            filledAt = now
        }
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }
}
