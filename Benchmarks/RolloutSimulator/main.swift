// Runs rollouts against the product's machine and analysis, and prints the tables of docs/ANALYSIS.md.
//
//     rollout-simulator [ROLLOUTS=2000] [SEED=1] [TABLE]
//
// Each rollout has a seed of its own, so a table by itself is the same as among the others.

let numbers = CommandLine.arguments.dropFirst().map { Int($0) ?? 0 } + [0, 0, 0]
let report = Report(
    rollouts: numbers[0] > 0 ? numbers[0] : 2000, seed: numbers[1] > 0 ? UInt64(numbers[1]) : 1)
let tables = [
    ("Identical versions", Scenarios.identical), ("More errors", Scenarios.errors), ("Slower", Scenarios.latency),
    ("Other decisions", Scenarios.agreement), ("Quality from labels", Scenarios.quality),
    ("Little traffic", Scenarios.traffic),
]
for (number, (title, scenarios)) in zip(1..., tables) where numbers[2] <= 0 || numbers[2] == number {
    report.table(title, scenarios)
}
