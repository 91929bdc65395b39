// The cold-start cache of the product against other policies, on seeded synthetic traces. Prints the tables of
// docs/SCALING.md.
//
//     cache-simulator [SEED]

let seed = CommandLine.arguments.dropFirst().first.flatMap { UInt64($0) } ?? 1
var report = Report(seed: seed)
report.run()
