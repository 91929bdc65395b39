internal import RoostBasics
internal import RoostLoad

extension BenchReport {
    /// For people: what was done, what to doubt, the counts, and a table of times.
    var text: String {
        let arrivals = settings.arrivals
        let what =
            switch (kind, settings.from) {
            case (_, nil): "made from the signature"
            case (.tensors, let file?): "the request in \(file)"
            case (.rows, let file?), (.csv, let file?): "rows from \(file)"
            }
        let rows = settings.rowsPerRequest
        var lines = warnings.map { "warning: \($0)" }
        lines.append(
            "\(target) on \(host): \(Figure.plain(arrivals.rate)) requests/s for \(arrivals.duration), "
                + "\(arrivals.pattern.rawValue) arrivals, \(rows) row\(rows == 1 ? "" : "s") each, \(what)")
        lines.append("")
        lines += Self.aligned(counts, rightAligned: 0..<0)
        lines.append("")
        lines += Self.aligned(times, rightAligned: 1..<8)
        let faults = faults.map { fault, message in
            let status = fault.status.map { " (\($0))" } ?? ""
            let times = fault.count == 1 ? "once" : "\(fault.count) times"
            return "\(fault.outcome.name)\(status), \(times): \(message)"
        }
        if !faults.isEmpty { lines += [""] + faults }
        return lines.joined(separator: "\n") + "\n"
    }

    private var counts: [[String]] {
        let outcomes = Outcome.allCases.filter { tally[$0] > 0 }.map { "\(tally[$0]) \($0.name)" }
        var rows = [
            [
                "requests",
                "\(tally.due) due, \(tally.sent) sent, \(tally.answered) answered: \(Figure.plain(answeredRate))/s",
            ],
            ["outcomes", outcomes.isEmpty ? "none" : outcomes.joined(separator: ", ")],
        ]
        if !versions.isEmpty {
            rows.append(["versions", versions.map { "\($0.name): \($0.count)" }.joined(separator: ", ")])
        }
        rows.append([
            "connections",
            "\(tally.connectionsOpened) opened, at most \(tally.connectionsPeak) at once of \(settings.connections)",
        ])
        let late = tally.late
        let lateness =
            late.count == 0 ? "never late" : "\(late.count) requests taken up late, the worst by \(Self.time(late.max))"
        rows.append(["generator", "\(lateness); \(Figure.plain(100 * busyShare)) % busy"])
        return rows
    }

    private var times: [[String]] {
        var rows = [["", "COUNT", "P50", "P90", "P99", "P99.9", "MAX", "MEAN", ""]]
        rows.append(Self.row("latency", tally.latency, "ok replies, from due to answered"))
        rows.append(Self.row("cold starts", tally.coldLatency, "those of them that had to wait for an instance"))
        if tally.failedLatency.count > 0 { rows.append(Self.row("failed", tally.failedLatency, "all others")) }
        rows.append(Self.row("wait", tally.wait, "from due to sent: for a connection"))
        for phase in PhaseTimes.Phase.allCases where tally[phase].count > 0 {
            rows.append(Self.row(phase.name, tally[phase], "as the host says"))
        }
        return rows
    }

    private static func row(_ name: String, _ histogram: Histogram, _ meaning: String) -> [String] {
        let figures = [50, 90, 99, 99.9].map(histogram.percentile) + [histogram.max, histogram.mean]
        let cells = figures.map { histogram.count == 0 ? "-" : $0.map(time) ?? "-" }
        return [name, "\(histogram.count)"] + cells + [meaning]
    }

    private static func aligned(_ rows: [[String]], rightAligned: Range<Int>) -> [String] {
        let columns = Columns(rows, rightAligned: rightAligned)
        return rows.map(columns.line)
    }
}
