/// What both versions did at the same time, while their shares stayed the same.
public struct Stratum: Hashable, Sendable {
    public var stable: Arm
    public var canary: Arm

    public init(stable: Arm = Arm(warmUpLeft: 0), canary: Arm = Arm()) {
        self.stable = stable
        self.canary = canary
    }
}

/// All that a rollout has seen, in counts: it grows with the steps of the plan, not with traffic.
///
/// Versions are compared within a stratum, because shares and load differ between steps: pooled counts would compare
/// the canary's late hours with the stable version's early ones (Simpson's paradox).
public struct Evidence: Hashable, Sendable {
    /// One for each step, the present one last; never empty.
    public var strata: [Stratum]
    public var pairs = Pairs()
    public var labels = Labels()

    /// - Parameter stable: the arm of a version that has served before needs no warm-up.
    public init(_ first: Stratum = Stratum()) { strata = [first] }

    /// To be called whenever shares change: what comes now is compared apart. An empty stratum is used again.
    public mutating func beginStratum() {
        guard let last = strata.last, last.stable.requests + last.canary.requests > 0 else { return }
        strata.append(
            Stratum(
                stable: Arm(warmUpLeft: last.stable.warmUpLeft), canary: Arm(warmUpLeft: last.canary.warmUpLeft)))
    }

    /// The arms of the present step, to count into.
    public var stable: Arm {
        get { strata[strata.count - 1].stable }
        _modify { yield &strata[strata.count - 1].stable }
    }

    public var canary: Arm {
        get { strata[strata.count - 1].canary }
        _modify { yield &strata[strata.count - 1].canary }
    }
}
