internal import RoostBasics
internal import RoostJSON
internal import RoostLoad

/// What a run of `roost bench` found.
struct BenchReport {
    let target: String
    let host: String
    let settings: BenchSettings
    let kind: RequestBodies.Kind
    let tally: LoadTally
    /// From the beginning to the last answer, and at least to the end of the plan unless the run ended early.
    let elapsed: Instant.Span
    /// The part of it in which the generator was at work, from 0 to 1.
    let busyShare: Double

    init(
        target: String, host: String, settings: BenchSettings, kind: RequestBodies.Kind, tally: LoadTally,
        elapsed: Instant.Span, busy: Instant.Span
    ) {
        (self.target, self.host, self.settings, self.kind, self.tally) = (target, host, settings, kind, tally)
        self.elapsed = tally.isInterrupted ? elapsed : max(elapsed, settings.arrivals.duration)
        busyShare = min(1, busy.seconds / max(elapsed.seconds, 1e-9))
    }

    /// Answers a second.
    var answeredRate: Double { Double(tally.answered) / max(elapsed.seconds, 1e-9) }

    /// From one request in a hundred on, p99 is the generator's as much as the host's.
    private var wasLate: Bool { tally.late.count > 0 && tally.late.count * 100 >= tally.due }
    /// From here on what comes finds it at work more often than not (the queue of one server at 80 % holds four).
    private var wasBusy: Bool { busyShare >= 0.8 }
    var couldKeepUp: Bool { !wasLate && !wasBusy }

    /// What makes the figures mean less than they seem to, in words.
    var warnings: [String] {
        var warnings: [String] = []
        if !couldKeepUp {
            let share = Figure.plain(100 * Double(tally.late.count) / Double(max(1, tally.due)))
            let late =
                "\(tally.late.count) of \(tally.due) requests (\(share) %) were taken up more than 1 ms late, "
                + "the worst by \(Self.time(tally.late.max))"
            let busy = "it was at work for \(Figure.plain(100 * busyShare)) % of the time, and replies waited for it"
            warnings.append(
                "THE GENERATOR COULD NOT KEEP UP: "
                    + [wasLate ? late : nil, wasBusy ? busy : nil].compactMap(\.self).joined(separator: "; ")
                    + "; the host may be faster than this report says: lower --rate, or give the generator a core "
                    + "of its own")
        }
        if tally.isInterrupted { warnings.append("ended early: \(tally[.interrupted]) requests were cut off") }
        if tally[.noAnswer] > 0 {
            warnings.append(
                "\(tally[.noAnswer]) requests had no answer \(settings.timeout) after they were due: "
                    + "`latency` leaves them out, so its true percentiles are worse")
        }
        if tally.connectionsPeak >= settings.connections, let wait = tally.wait.percentile(99),
            wait > LoadMachine.lateness
        {
            let fact =
                "all \(settings.connections) connections were busy and requests waited for one (p99 \(Self.time(wait)))"
            let reason = ": the host does not keep up with the rate, or --connections is too low"
            warnings.append(couldKeepUp ? fact + reason : fact)
        }
        return warnings
    }

    /// Each kind of failure once, in the words of its first.
    var faults: [(fault: LoadTally.Fault, message: String)] {
        tally.faults.map { fault in
            let said = (try? JSONValue(parsing: Array(fault.message.utf8), source: "the answer"))?["error"]?.stringValue
            let line = (said ?? fault.message).split(whereSeparator: \.isNewline).joined(separator: " ")
            return (fault, String(line.prefix(300)))
        }
    }

    /// Known versions in their order, others behind them.
    var versions: [(name: String, count: UInt64)] {
        tally.versions.sorted { left, right in
            switch (VersionNumber(left.key), VersionNumber(right.key)) {
            case (let left?, let right?): left < right
            case (nil, nil): left.key < right.key
            case (let left, _): left != nil
            }
        }.map { ($0.key, $0.value) }
    }

    /// Three digits that count: `0.041 ms`, `4.12 ms`, `412 ms`, `1.82 s`.
    static func time(_ span: Instant.Span) -> String {
        let microseconds = span.nanoseconds / 1000 + (span.nanoseconds % 1000 >= 500 ? 1 : 0)
        return microseconds < 1_000_000
            ? "\(threeDigits(microseconds)) ms" : "\(threeDigits(microseconds / 1000)) s"
    }

    private static func threeDigits(_ thousandths: UInt64) -> String {
        let decimals = thousandths < 10_000 ? thousandths < 1000 ? 3 : 2 : thousandths < 100_000 ? 1 : 0
        let scale = [1000, 100, 10, 1][decimals] as UInt64
        let digits = (thousandths + scale / 2) / scale
        let unit = 1000 / scale
        guard decimals > 0 else { return "\(digits)" }
        let fraction = String(digits % unit)
        return "\(digits / unit)." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }
}
