// Runs rollouts against the product's analysis, and prints the tables of docs/ANALYSIS.md.
//
//     rollout-simulator [ROLLOUTS=2000] [SEED=1]

let arguments = CommandLine.arguments.dropFirst().map { UInt64($0) }
let report = Report(
    rollouts: Int(arguments.first.flatMap { $0 } ?? 2000), seed: arguments.dropFirst().first.flatMap { $0 } ?? 1)

report.table("Identical versions", Scenarios.identical)
report.table("More errors", Scenarios.errors)
report.table("Slower", Scenarios.latency)
report.table("Other decisions", Scenarios.agreement)
report.table("Quality from labels", Scenarios.quality)
report.table("Little traffic", Scenarios.traffic)
