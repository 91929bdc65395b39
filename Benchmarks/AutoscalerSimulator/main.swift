// Compares Roost's autoscaler with Knative's on the same seeded traces, and prints the tables of docs/SCALING.md.

import RoostBasics
import RoostPool

/// What a fork costs, and a start of Knative's in the columns "same start".
let fork = Instant.Span.microseconds(500)
let instancesMax = 16

func row(_ family: Family, service: Double, seed: UInt64) -> String {
    let trace = family.trace(service: service, seed: seed)
    func roost(idle: Instant.Span) -> Figures {
        let settings = PoolSettings(
            instancesMax: instancesMax, queueDepthMax: 1_000_000, timeout: .seconds(3600), idle: idle)
        return RoostRun.figures(trace, settings, start: fork)
    }
    func knative(start: Instant.Span) -> Figures {
        KnativeRun.figures(trace, KnativeSettings(start: start, podsMax: instancesMax))
    }
    let figures = [
        roost(idle: .seconds(60)), roost(idle: .seconds(1)), knative(start: fork), knative(start: .seconds(1)),
    ]
    return "| \(family.rawValue) | \(figures.map(\.cells).joined(separator: " | ")) |"
}

/// The first row of Markdown has one cell for each column; the names of the figures are a row of their own.
let policies = ["Roost", "Roost, idle 1s", "Knative, same start", "Knative, start 1 s"]

for (seed, milliseconds) in [0.1, 5, 50, 500].enumerated() {
    print("\n**\(milliseconds) ms** of service:\n")
    print("| | \(policies.map { "\($0) | | " }.joined(separator: "| "))|")
    print("|---|\(policies.map { _ in "--:|--:|--:" }.joined(separator: "|"))|")
    print("| load | \(policies.map { _ in "p50 | p99 | inst·s" }.joined(separator: " | ")) |")
    for (kind, family) in Family.allCases.enumerated() {
        print(row(family, service: milliseconds / 1000, seed: UInt64(seed * 100 + kind)))
    }
}
