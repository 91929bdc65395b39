internal import RoostBasics
internal import RoostChannel
internal import RoostTraffic

/// What two versions under comparison do, as their requests end. Belongs to the loop.
final class RolloutWatch {
    let canary: VersionNumber
    let stable: VersionNumber
    var evidence: Evidence
    /// When the comparison began, in seconds since 1970.
    let since: Int

    init(canary: VersionNumber, stable: VersionNumber, since: Int, _ evidence: Evidence) {
        self.canary = canary
        self.stable = stable
        self.since = since
        self.evidence = evidence
    }

    /// Counts what a shadow has found.
    func add(_ comparison: Comparison) { evidence.pairs.add(comparison) }

    /// Counts one answered request. What a caller did wrong, and what was refused for want of room, says nothing about
    /// a version.
    /// - Parameter slot: of its caller's sticky key; nil without one.
    func add(
        _ outcome: Outcome, isCanary: Bool, latency: Instant.Span, rows: Int, slot: UInt16?, paysForStart: Bool
    ) {
        let isError: Bool
        switch outcome {
        case .ok: isError = false
        case .modelError, .death, .timeout: isError = true
        case .clientError, .overload: return
        }
        // Keys are hashed to slots evenly: a slot is a cluster of the few keys that share it.
        let cluster = slot.map { UInt32($0) }
        if isCanary {
            evidence.canary.add(
                isError: isError, latency: latency, rows: rows, cluster: cluster, paysForStart: paysForStart)
        } else {
            evidence.stable.add(
                isError: isError, latency: latency, rows: rows, cluster: cluster, paysForStart: paysForStart)
        }
    }
}

extension Pairs {
    /// Counts the rows of one request. What an instance tells may be anything, so one request counts for no more than
    /// so many rows.
    mutating func add(_ comparison: Comparison) {
        let rows = min(comparison.decisions, 1 << 16)
        add(Int(rows), flips: Int(min(comparison.flips, rows)))
    }
}
