public import RoostBasics

/// Two versions' losses over the same period. For people: it is one look, and looking again and again until it says
/// something is not what its level means; rollouts have tests that allow that.
public struct QualityComparison: Hashable, Sendable {
    public enum Verdict: Hashable, Sendable {
        case better
        case worse
        /// The interval of the difference holds 0.
        case undecided
        /// There is nothing to be said, and why.
        case none(String)
    }

    public let version: VersionNumber
    public let base: VersionNumber
    /// Nil when the two have none in common.
    public let loss: Loss?
    /// The version's mean loss minus the base's; nil when there is nothing to compare.
    public let difference: Double?
    /// Where the difference lies with 99 % probability, by the normal approximation.
    public let interval: ClosedRange<Double>?
    /// Of `version` against `base`.
    public let verdict: Verdict

    /// Labels of each version below which nothing is said.
    public static let labelsMin = 30

    public init(_ version: VersionQuality, against base: VersionQuality) {
        self.version = version.version
        self.base = base.version
        loss = Loss.preferred.first { version.losses[$0] != nil && base.losses[$0] != nil }
        guard let loss, let new = version.losses[loss], let old = base.losses[loss] else {
            (difference, interval) = (nil, nil)
            verdict = .none("there are no labels of both")
            return
        }
        let difference = new.mean - old.mean
        let error = (new.variance / Double(new.count) + old.variance / Double(old.count)).squareRoot()
        let range = difference - Coverage.normalQuantile * error...difference + Coverage.normalQuantile * error
        self.difference = difference
        interval = range
        verdict = Self.verdict(version, base, new, old, range)
    }

    private static func verdict(
        _ version: VersionQuality, _ base: VersionQuality, _ new: LossSums, _ old: LossSums,
        _ interval: ClosedRange<Double>
    ) -> Verdict {
        if version.coverage.differs(from: base.coverage) {
            return .none(
                "coverage differs: \(percent(version.coverage)) of \(version.version)'s rows are labelled, "
                    + "\(percent(base.coverage)) of \(base.version)'s; those that are may not stand for the others")
        }
        guard min(new.count, old.count) >= labelsMin else {
            return .none("\(labelsMin) labels of each are needed, there are \(new.count) and \(old.count)")
        }
        if interval.upperBound < 0 { return .better }
        return interval.lowerBound > 0 ? .worse : .undecided
    }

    private static func percent(_ coverage: Coverage) -> String {
        let tenths = Int((coverage.share * 1000).rounded())
        return "\(tenths / 10).\(tenths % 10) %"
    }
}

extension Loss {
    /// The most telling first.
    fileprivate static let preferred: [Loss] = [.brier, .error, .squaredError, .absoluteError]
}
