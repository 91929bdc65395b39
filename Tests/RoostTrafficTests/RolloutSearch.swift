import RoostBasics
import RoostJSON
@testable import RoostTraffic
import Testing

/// Tries every event on every rollout that it comes to, and holds each step against what must always be true.
struct RolloutSearch {
    /// What was looked at, with the depth that was left then.
    private(set) var seen: [Rollout: Int] = [:]
    private(set) var transitions = 0

    /// Breadth first, so that nothing is looked at twice for more depth.
    mutating func explore(from rollout: Rollout, at now: Instant, depth: Int) throws {
        var edge = [(rollout: rollout, now: now)]
        for left in stride(from: depth, to: 0, by: -1) {
            var next: [(rollout: Rollout, now: Instant)] = []
            for (rollout, now) in edge {
                for event in RolloutEvent.allCases {
                    let (after, later) = try step(rollout, event, at: now)
                    guard after != rollout, seen[after, default: 0] < left else { continue }
                    if seen.updateValue(left, forKey: after) == nil { try check(after, at: later) }
                    next.append((after, later))
                }
            }
            edge = next
        }
    }

    private mutating func step(
        _ before: Rollout, _ event: RolloutEvent, at start: Instant
    ) throws -> (Rollout, Instant) {
        let now = start + event.delay(before, start)
        var after = before
        let actions = event.apply(to: &after, at: now)
        transitions += 1
        let transition = RolloutTransition(
            before: before, event: event, now: now, after: after, actions: actions ?? [],
            isRefused: actions == nil)
        if let fault = transition.fault {
            let text = "\(event.rawValue) on \(before.json.pretty)\ngives \(after.json.pretty)\nand \(actions ?? []): "
            throw RolloutFault(text: text + fault)
        }
        return (after, now)
    }

    /// Its record tells the same again, and it is not stuck.
    private func check(_ rollout: Rollout, at now: Instant) throws {
        let kept = try rollout.kept(at: now)
        guard kept == rollout, kept.wakeAt == rollout.wakeAt else {
            throw RolloutFault(text: "the record differs: \(rollout.json.pretty)\n\(kept.json.pretty)")
        }
        guard !rollout.state.isFinal else { return }
        var (course, count, at) = (kept, 0, now)
        while !course.state.isFinal {
            if case .paused = course.state {
            } else if course.wakeAt == nil {
                throw RolloutFault(text: "nothing wakes \(course.json.pretty)")
            }
            let event = Self.friendly(course)
            at = at + event.delay(course, at)
            _ = event.apply(to: &course, at: at)
            count += 1
            guard count < 40 else {
                throw RolloutFault(text: "stuck: \(rollout.json.pretty), then \(course.json.pretty)")
            }
        }
        guard case .promoted = course.state else { throw RolloutFault(text: "not promoted: \(rollout.json.pretty)") }
    }

    /// What a host and a person do that want it promoted in the proper way.
    static func friendly(_ rollout: Rollout) -> RolloutEvent {
        switch rollout.state {
        case .pending: rollout.preparation == .created ? .started : .ready
        case .replaying: .replayPassed
        case .gate: .gatePassed
        case .paused, .pausing(nil): .resume
        case .analysing, .waiting, .pausing, .baking, .promoted, .aborted: .proven
        }
    }
}

struct RolloutFault: Error, CustomStringConvertible {
    let text: String
    var description: String { text }
}

extension Rollout {
    /// Through a record in text, as another host would find it.
    func kept(at now: Instant) throws -> Rollout {
        let document = try JSONDocument(parsing: json.compact, source: "rollout")
        return try Rollout(document.root, at: now)
    }
}
