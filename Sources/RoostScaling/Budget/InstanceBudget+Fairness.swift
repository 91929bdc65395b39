internal import RoostBasics

extension InstanceBudget.Share {
    /// Whether this version with `own` instances has fewer for its weight than `other` with `others`.
    func isLower(with own: Int, than other: Self, with others: Int) -> Bool { own * other.weight < others * weight }
}

/// Who is next, and who gives way.
extension InstanceBudget {
    /// The order in which waiting versions are served: fewest instances for its weight, then first come.
    /// (`waiting` is in order of claims, and both `min` and `sorted` keep the first of equals.)
    func isNeedier(_ left: Int, _ right: Int) -> Bool {
        shares[left].isLower(with: shares[left].kept, than: shares[right], with: shares[right].kept)
    }

    /// A version that has to give an instance up for one of the claims for which none is on its way.
    func victim(at now: Instant) -> Int? {
        for claimant in waiting.sorted(by: isNeedier).dropFirst(leavingTotal) {
            if let found = idle(for: claimant) ?? rich(for: claimant) ?? pastItsTurn(for: claimant, at: now) {
                return found
            }
        }
        return nil
    }

    /// Of the versions with an idle instance the one that has most for its weight.
    private func idle(for claimant: Int) -> Int? {
        highest { $0 != claimant && shares[$0].idle > 0 }
    }

    /// A version that with one instance less still has more for its weight than the claimant has now.
    private func rich(for claimant: Int) -> Int? {
        let poor = shares[claimant]
        return highest {
            $0 != claimant && poor.isLower(with: poor.kept, than: shares[$0], with: shares[$0].kept - 1)
        }
    }

    /// The version whose only instance has been there for its turn, longest ago.
    private func pastItsTurn(for claimant: Int, at now: Instant) -> Int? {
        guard shares[claimant].kept == 0 else { return nil }
        let due = shares.indices.filter { shares[$0].kept == 1 && turnEnd($0) <= now }
        return due.min { turnEnd($0) < turnEnd($1) }
    }

    /// When the first turn ends, if a version without instances waits for that; else never.
    func nextTurn() -> Instant {
        // They come first in the order of claims, so what is on its way is theirs.
        guard waiting.count(where: { shares[$0].kept == 0 }) > leavingTotal else { return .never }
        return shares.indices.filter { shares[$0].kept == 1 }.map(turnEnd).min() ?? .never
    }

    private func turnEnd(_ at: Int) -> Instant {
        let (length, overflow) = turn.nanoseconds.multipliedReportingOverflow(by: UInt64(shares[at].weight))
        return overflow ? .never : shares[at].granted + Instant.Span(nanoseconds: length)
    }

    private func highest(where mayGive: (Int) -> Bool) -> Int? {
        var best: Int?
        for at in shares.indices where mayGive(at) {
            if let found = best,
                !shares[found].isLower(with: shares[found].kept, than: shares[at], with: shares[at].kept)
            {
                continue
            }
            best = at
        }
        return best
    }
}
