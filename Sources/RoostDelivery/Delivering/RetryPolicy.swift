public import RoostBasics

/// How often something is tried, and how long after a failure.
public struct RetryPolicy: Hashable, Sendable {
    /// How a delay is spread, so that what failed together does not come again together (M. Brooker: "Exponential
    /// Backoff And Jitter", AWS Architecture Blog, 2015).
    public enum Jitter: String, Hashable, Sendable, CaseIterable {
        /// Anything from nothing to the whole delay: the least work for who is overloaded.
        case full
        /// Half of the delay, and anything up to the other half: never at once.
        case equal
    }

    /// Attempts before the dead letter, the first among them.
    public var attempts = 5
    /// The delay after the first failure; it doubles with each further one.
    public var backoff = Instant.Span.seconds(1)
    /// No delay is longer.
    public var maxBackoff = Instant.Span.seconds(300)
    public var jitter = Jitter.equal
    /// How long one attempt may take; nil: for ever.
    public var timeout: Instant.Span?
    /// How often the host may end while it runs, before that counts as an attempt. Most that were running then are not
    /// to blame; one that ends the host each time is.
    public var freeInterruptions = 3

    public init() {}

    /// Somebody who asks us to come later is obeyed, but not for longer than this: else one header could keep an item
    /// for ever.
    public static let retryAfterMax = Instant.Span.seconds(86_400)

    /// How long to wait after attempt number `attempt`, counted from one, has failed.
    /// - Parameter retryAfter: what the other side asked for; the delay is at least that, up to `retryAfterMax`.
    public func delay(
        after attempt: Int, retryAfter: Instant.Span?, using generator: inout some RandomNumberGenerator
    ) -> Instant.Span {
        let drawn = spread(ceiling(after: attempt), using: &generator)
        guard let retryAfter else { return drawn }
        return max(drawn, min(retryAfter, Self.retryAfterMax))
    }

    /// The delay before it is spread: `backoff × 2^(attempt − 1)`, at most `maxBackoff`.
    func ceiling(after attempt: Int) -> Instant.Span {
        let doublings = min(max(attempt, 1) - 1, 62)
        let (grown, isTooLarge) = backoff.nanoseconds.multipliedReportingOverflow(by: 1 << UInt64(doublings))
        return min(maxBackoff, Instant.Span(nanoseconds: isTooLarge ? .max : grown))
    }

    private func spread(_ ceiling: Instant.Span, using generator: inout some RandomNumberGenerator) -> Instant.Span {
        switch jitter {
        case .full: Instant.Span(nanoseconds: .random(in: 0...ceiling.nanoseconds, using: &generator))
        case .equal:
            Instant.Span(
                nanoseconds: .random(in: ceiling.nanoseconds / 2...ceiling.nanoseconds, using: &generator))
        }
    }
}
