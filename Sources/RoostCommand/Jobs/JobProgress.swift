internal import RoostBasics
internal import RoostJSON
internal import RoostShell

/// Shows how far a job is: a bar on a terminal, else a line from time to time.
///
/// Unchecked: it is used by the one thread that runs the command.
final class JobProgress: @unchecked Sendable {
    private let call: Call
    private let isTerminal: Bool
    private var shownAt: Instant?
    private var hasBar = false

    private static let linePeriod = Instant.Span.seconds(10)
    private static let barWidth = 30

    init(_ call: Call) {
        self.call = call
        isTerminal = call.surroundings.isTerminal(.error)
    }

    /// Where it stands now.
    func show(_ job: JSONValue) {
        if isTerminal {
            write("\r\(bar(job))\u{1B}[K")
            hasBar = true
        } else {
            let now = now()
            guard let shownAt else {
                self.shownAt = now
                return
            }
            guard now - shownAt >= Self.linePeriod else { return }
            self.shownAt = now
            write("roost: \(line(job))\n")
        }
    }

    /// It is over: says how, and returns the exit code.
    func end(_ job: JSONValue) throws -> Int32 {
        if hasBar { write("\r\u{1B}[K") }
        let bad = job["bad_rows"]?.intValue ?? 0
        let isDone = job["state"]?.stringValue == "done"
        if call.has(.json) {
            try call.print(job.pretty)
        } else if isDone {
            try call.print(
                "\(job["rows"]?.intValue ?? 0) rows, \(bad) bad, by \(name(job)): \(job["output"]?.stringValue ?? "")")
        }
        if isDone {
            if bad > 0 { try call.printError("\(bad) bad rows: see \(job["output"]?.stringValue ?? "").errors.jsonl") }
            return bad > 0 ? 3 : 0
        }
        let resume = job["id"]?.stringValue.map { $0 == "local" ? "" : " (`roost jobs resume \($0)` goes on)" } ?? ""
        try call.printError(
            "the job \(job["state"]?.stringValue ?? "ended"): \(job["reason"]?.stringValue ?? "no reason is known")\(resume)"
        )
        return 1
    }

    private func name(_ job: JSONValue) -> String {
        "\(job["function"]?.stringValue ?? "")@\(job["version"]?.stringValue ?? "")"
    }

    private func line(_ job: JSONValue) -> String {
        var parts = ["\(job["rows"]?.intValue ?? 0) rows"]
        if let rate = job["rows_per_second"]?.doubleValue, rate > 0 { parts.append("\(Int(rate)) rows/s") }
        if let progress = job["progress"]?.doubleValue {
            parts.append("\(Int(progress * 100)) %")
            if let left = left(job, progress) { parts.append("\(Figure.seconds(left)) left") }
        }
        if let bad = job["bad_rows"]?.intValue, bad > 0 { parts.append("\(bad) bad") }
        if job["state"]?.stringValue == "queued" { parts = ["waiting for other jobs"] }
        return parts.joined(separator: ", ")
    }

    private func left(_ job: JSONValue, _ progress: Double) -> Double? {
        guard let rows = job["rows"]?.doubleValue, let rate = job["rows_per_second"]?.doubleValue, rate > 0,
            progress > 0.01
        else { return nil }
        return rows * (1 - progress) / progress / rate
    }

    private func bar(_ job: JSONValue) -> String {
        let progress = job["progress"]?.doubleValue ?? 0
        let filled = min(Self.barWidth, Int(progress * Double(Self.barWidth)))
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: Self.barWidth - filled)
        return "\(job["progress"] == nil ? "" : bar + " ")\(line(job))"
    }

    /// Progress that cannot be shown is no reason to stop.
    private func write(_ text: String) { try? call.surroundings.write(Array(text.utf8), to: .error) }
}
