internal import RoostTraffic

/// Runs scenarios and prints a row of Markdown for each.
struct Report {
    let rollouts: Int
    let seed: UInt64

    func table(_ title: String, _ scenarios: [Scenario]) {
        print("\n### \(title)\n")
        print(
            "| | rollouts | promoted % | aborted % | paused % | waiting % | by | canary requests, median | minutes, median |"
        )
        print("|---|--:|--:|--:|--:|--:|---|--:|--:|")
        for scenario in scenarios { print(row(scenario)) }
    }

    private func row(_ scenario: Scenario) -> String {
        let plan = scenario.plan
        let rollouts = scenario.isSlow ? max(1, rollouts / 4) : rollouts
        let outcomes = (0..<rollouts).map { number in
            var simulation = Simulation(scenario, plan: plan, seed: seed &* 1_000_003 &+ UInt64(number))
            return simulation.run()
        }
        let shares = Ending.allCases.map { ending in percent(outcomes.count { $0.ending == ending }, of: rollouts) }
        let metrics = Set(outcomes.compactMap { $0.metric?.rawValue }).sorted().joined(separator: ", ")
        let requests = outcomes.map(\.canaryRequests).sorted()[rollouts / 2]
        let intervals = outcomes.map(\.intervals).sorted()[rollouts / 2]
        return
            "| \(scenario.name) | \(rollouts) | \(shares.joined(separator: " | ")) | \(metrics) | \(requests) | \(intervals) |"
    }

    private func percent(_ count: Int, of rollouts: Int) -> String {
        guard count > 0 else { return "0" }
        let hundredths = (count * 10_000 + rollouts / 2) / rollouts
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}
