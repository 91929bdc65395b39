import RoostBasics
import RoostJSON
import RoostTraffic
import Testing

/// All plans of up to four steps from a small alphabet, and all orders of events to a depth: every rollout that can
/// come about is made once, and every event is tried on it. A rollout is a value, so what two orders have in common is
/// looked at once, and the rest of their courses is the same.
@Suite struct RolloutExhaustiveTests {
    /// Shares 10 and 50 (and 90, to have four), pauses of 100 seconds and until a person resumes.
    static let steps: [String] = {
        let (short, person) = ("{\"pause\": \"100s\"}", "{\"pause\": true}"), pauses = [short, person]
        var plans = ["10", "50", "10, 50", "10, 50, 90"]
        for share in ["10", "50"] {
            for first in pauses {
                plans.append("\(share), \(first)")
                for second in pauses { plans.append("\(share), \(first), \(second)") }
            }
        }
        for pause in pauses { plans += ["10, 50, \(pause)", "10, \(pause), 50"] }
        return plans.map { "[\($0), 100]" }
    }()

    static let gates = """
        [{"url": "http://ci/1", "at": "start"}, {"url": "http://ci/2", "at": "before-step"}, \
        {"url": "http://ci/3", "at": "before-promotion"}]
        """

    static let policies: [(withoutTraffic: String, onNewer: String, hasGates: Bool, bake: Instant.Span)] = [
        ("wait", "queue", false, .zero), ("replay", "supersede", true, .seconds(100)),
        ("promote", "queue", true, .zero), ("abort", "supersede", false, .seconds(100)),
    ]

    @Test func thereAreAsManyPlansAsTheAlphabetGives() { #expect(Set(Self.steps).count == 20) }

    /// All orders of three events from the beginning, which is the same for all steps; and of one, or in a quarter of
    /// the cases two, that are in the way anywhere on the straight course to the promotion.
    @Test(arguments: steps.indices, policies.indices)
    func whateverHappens(_ number: Int, _ policy: Int) throws {
        let steps = Self.steps[number], isDeep = (number + policy) % Self.policies.count == 0
        let (withoutTraffic, onNewer, hasGates, bake) = Self.policies[policy]
        let plan = try RolloutPlan(
            """
            {"steps": \(steps), "without_traffic": "\(withoutTraffic)", "on_newer": "\(onNewer)",
             "max_duration": "2h", "gates": \(hasGates ? Self.gates : "[]")}
            """, bake: bake)
        var search = RolloutSearch(), course = RolloutCourse(plan)
        try search.explore(from: course.rollout, at: course.now, depth: number == 0 ? 3 : 1)
        for event in try straightWay(of: plan) {
            course.run([event])
            try search.explore(from: course.rollout, at: course.now, depth: isDeep ? 2 : 1)
        }
        #expect(search.seen.count > (isDeep ? 300 : 70))
    }

    /// Events that a friendly host and person send, up to the end.
    private func straightWay(of plan: RolloutPlan) throws -> [RolloutEvent] {
        var course = RolloutCourse(plan), events: [RolloutEvent] = [.started]
        course.run(events)
        while !course.rollout.state.isFinal {
            let event = RolloutSearch.friendly(course.rollout)
            events.append(event)
            course.run([event])
            try #require(events.count < 60, "no end of \(events)")
        }
        return events
    }
}
