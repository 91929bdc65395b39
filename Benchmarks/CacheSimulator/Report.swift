internal import RoostBasics

/// Runs everything and prints it as Markdown.
struct Report {
    static let budgets = [1e9, 2e9, 4e9, 8e9, 16e9]
    private let functions: [SimulatedFunction]
    private var random: SplitMix
    private var lost: [String] = []
    private var comparisons = 0

    init(seed: UInt64) {
        random = SplitMix(state: seed)
        functions = Population.draw(using: &random)
    }

    mutating func run() {
        let traces = Family.allCases.map { ($0, Trace($0, functions: functions, using: &random)) }
        let size = functions.reduce(0) { $0 + Double($1.size.bytes) }
        print("\(functions.count) functions, together \(gigabytes(size)) GB; a day of calls.")
        for (family, trace) in traces { budgets(family, trace) }
        equalMemory(traces)
        print("\n### Where the cache waits longer\n")
        if lost.isEmpty { print("Nowhere, in \(comparisons) comparisons.") }
        for line in lost { print("- \(line)") }
        if !lost.isEmpty { print("\n\(lost.count) of \(comparisons) comparisons.") }
    }

    private mutating func budgets(_ family: Family, _ trace: Trace) {
        let bound = Bound(trace, functions: functions)
        print("\n### \(family): \(family.explanation) (\(trace.arrivals.count) calls)\n")
        header(
            "budget GB", "LRU cold", "waiting s", "GB h", "GDSF cold", "waiting s", "GB h", "cache cold", "waiting s",
            "GB h", "bound s")
        for budget in Self.budgets {
            let all = outcomes(trace, budget: budget)
            let cells = all.map { "\($0.coldStarts) | \(whole($0.waiting)) | \(whole($0.byteSeconds / 3.6e12))" }
            print(
                "| \(gigabytes(budget)) | \(cells.joined(separator: " | ")) | \(whole(bound.waiting(bytes: budget))) |")
            let place = "\(family), \(gigabytes(budget)) GB"
            compare(all[2], with: all[0], "LRU", place)
            compare(all[2], with: all[1], "GDSF", place)
        }
    }

    /// LRU, GDSF, and the product's cache.
    private func outcomes(_ trace: Trace, budget: Double) -> [Outcome] {
        [
            PriorityPolicy(.leastRecentlyUsed, budget: budget, functions: functions)
                .replay(trace, functions: functions),
            PriorityPolicy(.greedyDual, budget: budget, functions: functions).replay(trace, functions: functions),
            ProductPolicy(budget: budget, functions: functions).replay(trace, functions: functions),
        ]
    }

    private mutating func equalMemory(_ traces: [(Family, Trace)]) {
        print("\n### Against keeping each template for 10 minutes, with the same memory\n")
        header(
            "family", "keep-alive GB on average (at most)", "cold", "waiting s", "LRU waiting s", "GDSF waiting s",
            "cache cold", "waiting s", "waiting s with the peak", "bound s")
        for (family, trace) in traces {
            let kept = KeepAlivePolicy(functions: functions).replay(trace, functions: functions)
            let all = outcomes(trace, budget: kept.bytesMean)
            let peak = ProductPolicy(budget: kept.bytesMax, functions: functions).replay(trace, functions: functions)
            let bound = Bound(trace, functions: functions).waiting(bytes: kept.bytesMean)
            print(
                "| \(family) | \(gigabytes(kept.bytesMean)) (\(gigabytes(kept.bytesMax)))",
                "\(kept.coldStarts) | \(whole(kept.waiting)) | \(whole(all[0].waiting)) | \(whole(all[1].waiting))",
                "\(all[2].coldStarts) | \(whole(all[2].waiting)) | \(whole(peak.waiting)) | \(whole(bound)) |",
                separator: " | ")
            let place = "\(family), keep-alive's average"
            compare(all[2], with: kept, "keep-alive", place)
            compare(all[2], with: all[0], "LRU", place)
            compare(all[2], with: all[1], "GDSF", place)
        }
    }

    private mutating func compare(_ cache: Outcome, with other: Outcome, _ name: String, _ place: String) {
        comparisons += 1
        guard cache.waiting > other.waiting else { return }
        let percent = (cache.waiting / other.waiting - 1) * 100
        lost.append("\(place): \(whole(percent * 10) / 10).\(whole(percent * 10) % 10) % more than \(name)")
    }

    private func header(_ titles: String...) {
        print("| \(titles.joined(separator: " | ")) |")
        print("|\(titles.map { _ in "--:" }.joined(separator: "|"))|")
    }

    private func whole(_ number: Double) -> Int { Int(number.rounded()) }

    /// With one decimal unless that is zero.
    private func gigabytes(_ bytes: Double) -> String {
        let tenths = whole(bytes / 1e8)
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}
