import RoostBasics
import RoostJSON
import RoostTraffic
import Testing

/// Everything that can happen to a rollout, with few values for each; looks come when `wakeAt` says.
enum RolloutEvent: String, Hashable, CaseIterable {
    case started, restored, ready, lost, died
    case replayPassed, replayAlarming, replayFailed, replayUnavailable
    case gatePassed, gateRefused
    /// Looks: all is proven; the same but for too few requests; something is open; quality has no labels; agreement is
    /// alarming; errors are inferior; nothing was analysed.
    case proven, few, open, unlabelled, alarming, inferior, blank
    /// The same at the moment that has come already.
    case early
    /// Looks when the longest duration is over; labels have come by then.
    case lateFew, lateOpen, lateLabels
    case promote, abort, pause, resume
    case newer, stableLost, stableReplaced, manifestChanged

    static let canary = VersionNumber(3), stable = VersionNumber(2), spare = VersionNumber(1), next = VersionNumber(4)

    var isByPerson: Bool {
        switch self {
        case .started, .promote, .abort, .pause, .resume: true
        default: false
        }
    }

    /// Whether it may come without any effect, as far as can be said without knowing the rollout.
    var isQuiet: Bool { ![.died, .lost, .abort].contains(self) }

    /// What the analysis says at this look; nil when it is none.
    var verdict: Verdict? {
        let errors = Finding.of(.errors, .proven)
        switch self {
        case .proven, .few, .lateFew: return Verdict([errors, .of(.latency, .proven)])
        case .open, .early, .lateOpen:
            return Verdict([errors, .of(.latency, .open(missing: "700 more", samples: 700))])
        case .lateLabels: return Verdict([errors, .of(.quality, .proven)])
        case .unlabelled: return Verdict([errors, .of(.quality, .unproven("0 labels"))])
        case .alarming: return Verdict([errors, .of(.agreement, .alarming)])
        case .inferior: return Verdict([.of(.errors, .inferior)])
        case .blank: return Verdict([])
        default: return nil
        }
    }

    var samples: Int { self == .few || self == .lateFew ? 12 : 5000 }

    /// The length of time after which it happens.
    func delay(_ rollout: Rollout, _ now: Instant) -> Instant.Span {
        switch self {
        case .lateFew, .lateOpen, .lateLabels: rollout.plan.maxDuration
        case .proven, .few, .open, .unlabelled, .alarming, .inferior, .blank:
            rollout.wakeAt.map { $0 - now } ?? rollout.plan.interval
        default: .zero
        }
    }

    /// What the rollout does; nil when it refuses a person.
    func apply(to rollout: inout Rollout, at now: Instant) -> [RolloutAction]? {
        if let verdict { return rollout.tick(verdict, samples: samples, at: now) }
        switch self {
        case .started: return rollout.started(by: "ada", at: now)
        case .restored: return rollout.restored(at: now)
        case .ready: return rollout.canaryReady(at: now)
        case .lost: return rollout.canaryLost("its file is gone", at: now)
        case .died: return rollout.died("signal 11", at: now)
        case .replayPassed: return replayed(&rollout, .passed(text: "1,000 requests, 2 differ"), now)
        case .replayAlarming: return replayed(&rollout, .alarming(reason: "800 of 1,000 differ"), now)
        case .replayFailed: return replayed(&rollout, .failed(reason: "500 of 1,000 fail"), now)
        case .replayUnavailable: return replayed(&rollout, .unavailable(reason: "no record"), now)
        case .gatePassed: return gateAnswered(&rollout, .passed, now)
        case .gateRefused: return gateAnswered(&rollout, .failed(reason: "503"), now)
        case .promote: return try? rollout.promote(by: "ada", at: now)
        case .abort: return try? rollout.abort(by: "ada", reason: "no", at: now)
        case .pause: return try? rollout.pause(by: "ada", at: now)
        case .resume: return try? rollout.resume(by: "ada", at: now)
        case .newer: return rollout.newerVersion(Self.next, at: now)
        case .stableLost: return rollout.stableLost("gone", replacement: nil, at: now)
        case .stableReplaced: return rollout.stableLost("gone", replacement: Self.spare, at: now)
        case .manifestChanged:
            rollout.manifestChanged(nil)
            return []
        default: return []
        }
    }

    private func replayed(
        _ rollout: inout Rollout, _ result: RolloutReplayResult, _ now: Instant
    ) -> [RolloutAction] {
        guard case .replaying(let call) = rollout.state else { return rollout.replayed(call: 1, result, at: now) }
        return rollout.replayed(call: call, result, at: now)
    }

    private func gateAnswered(
        _ rollout: inout Rollout, _ answer: RolloutGateAnswer, _ now: Instant
    ) -> [RolloutAction] {
        guard case .gate(_, let call) = rollout.state else { return rollout.gateAnswered(call: 1, answer, at: now) }
        return rollout.gateAnswered(call: call, answer, at: now)
    }
}

extension Finding {
    static func of(_ metric: Metric, _ judgement: Judgement) -> Finding {
        Finding(
            metric, judgement, excess: 0.25, lower: -0.5, upper: 0.125, margin: 0.002, stableSamples: 9000,
            canarySamples: 1000, text: "\(metric.rawValue) in words")
    }
}

extension RolloutPlan {
    /// - Throws: also when the text says that there is none.
    init(_ text: String, bake: Instant.Span = .zero) throws {
        let document = try JSONDocument(parsing: "{\"rollout\": \(text)}", source: "functions/credit.json")
        self = try #require(try RolloutPlan(document.root.required("rollout"), bake: bake))
    }
}

/// A rollout and its clock, with what it did last.
struct RolloutCourse {
    var rollout: Rollout
    var now: Instant
    var actions: [RolloutAction] = []
    /// The last request of a person was refused.
    var isRefused = false

    init(_ plan: RolloutPlan, at now: Instant = Instant(nanoseconds: 0)) {
        rollout = Rollout(canary: RolloutEvent.canary, stable: RolloutEvent.stable, plan: plan, at: now)
        self.now = now
    }

    mutating func run(_ events: [RolloutEvent]) {
        for event in events {
            now = now + event.delay(rollout, now)
            let actions = event.apply(to: &rollout, at: now)
            isRefused = actions == nil
            self.actions = actions ?? []
        }
    }

    var decisions: [RolloutDecision] {
        actions.compactMap { if case .audit(let decision) = $0 { decision } else { nil } }
    }
}
