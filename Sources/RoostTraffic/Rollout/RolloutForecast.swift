public import RoostBasics

/// How long one share of a plan will last, if the new version is as good as it has to be.
public struct RolloutForecast: Hashable, Sendable {
    /// In percent; 100 last, which lasts for as long as the plan bakes.
    public let share: Int
    /// How many requests the new version has to answer in this step.
    public let requests: Int
    /// Until the next share is allowed, with the plan's pauses that have an end; nil when that cannot be proven at the
    /// present rate within the plan's longest duration, or at all.
    public let duration: Instant.Span?
    /// A pause comes after it that only a person ends; its length is not in `duration`.
    public let needsPerson: Bool
}

extension RolloutPlan {
    /// What `roost rollout plan` prints, for each share in turn.
    ///
    /// - Parameters:
    ///   - rate: requests of the function in a second; what is no such number is none.
    ///   - samplesNeeded: how many requests of the new version in all, over all steps, prove that it may have a share;
    ///     nil when no number does.
    public func forecast(rate: Double, samplesNeeded: (_ share: Int) -> Int?) -> [RolloutForecast] {
        var gathered = 0.0
        let rate = rate.isFinite ? max(0, rate) : 0
        return shares.indices.map { index in
            let share = shares[index]
            guard share < 100 else {
                return RolloutForecast(share: share, requests: 0, duration: bake, needsPerson: false)
            }
            let (pauses, needsPerson) = pauses(after: share), needed = samplesNeeded(shares[index + 1])
            let requests = max(Double(minSamples), Double(needed ?? 0) - gathered)
            let seconds = seconds(for: requests, perSecond: rate * Double(share) / 100)
            gathered += max(requests, rate * Double(share) / 100 * ((seconds ?? 0) + pauses.seconds))
            let duration = needed == nil ? nil : seconds.map { Instant.Span(nanoseconds: UInt64($0 * 1e9)) + pauses }
            return RolloutForecast(
                share: share, requests: Int(min(requests, 1e18).rounded(.up)), duration: duration,
                needsPerson: needsPerson)
        }
    }

    /// Looks come at whole intervals, the first one after the share was set. Nil when the longest duration is over
    /// before.
    private func seconds(for requests: Double, perSecond: Double) -> Double? {
        guard perSecond > 0 else { return nil }
        let seconds = max(1, (requests / perSecond / interval.seconds).rounded(.up)) * interval.seconds
        return seconds <= maxDuration.seconds ? seconds : nil
    }

    private func pauses(after share: Int) -> (sum: Instant.Span, needsPerson: Bool) {
        var (sum, needsPerson) = (Instant.Span.zero, false)
        for step in steps.drop(while: { $0 != .share(share) }).dropFirst() {
            guard case .pause(let length) = step else { break }
            if let length { sum = sum + length } else { needsPerson = true }
        }
        return (sum, needsPerson)
    }
}
