internal import RoostBasics
internal import RoostChannel
internal import RoostTraffic

/// What two versions under comparison do, as their requests end. Belongs to the loop.
final class RolloutWatch {
    let canary: VersionNumber
    let stable: VersionNumber
    var evidence: Evidence

    init(canary: VersionNumber, stable: VersionNumber, _ evidence: Evidence) {
        self.canary = canary
        self.stable = stable
        self.evidence = evidence
    }

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
