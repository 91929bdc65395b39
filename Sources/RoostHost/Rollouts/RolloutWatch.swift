internal import RoostBasics
internal import RoostChannel
internal import RoostFunctions
internal import RoostTraffic

/// What two versions under comparison do, as their requests end. Belongs to the loop.
final class RolloutWatch {
    let canary: VersionNumber
    let stable: VersionNumber
    var evidence: Evidence
    /// When the comparison began, in seconds since 1970.
    let since: Int

    init(_ wanted: Collection, _ evidence: Evidence) {
        canary = wanted.canary
        stable = wanted.stable
        since = wanted.since
        self.evidence = evidence
    }

    /// Counts what a shadow has found.
    func add(_ comparison: Comparison) {
        for row in 0..<min(comparison.decisions, Self.rowsMax) {
            evidence.pairs.add(isFlip: row < comparison.flips, difference: 0)
        }
    }

    /// What an instance tells may be anything.
    private static let rowsMax: UInt64 = 1 << 16

    /// Counts one answered request. What a caller did wrong, and what was refused for want of room, says nothing about
    /// a version.
    func add(_ outcome: Outcome, isCanary: Bool, latency: Instant.Span, rows: Int, paysForStart: Bool) {
        let isError: Bool
        switch outcome {
        case .ok: isError = false
        case .modelError, .death, .timeout: isError = true
        case .clientError, .overload: return
        }
        if isCanary {
            evidence.canary.add(
                isError: isError, latency: latency, rows: rows, cluster: nil, paysForStart: paysForStart)
        } else {
            evidence.stable.add(
                isError: isError, latency: latency, rows: rows, cluster: nil, paysForStart: paysForStart)
        }
    }
}
