internal import RoostBasics
internal import RoostClient
internal import RoostJSON
internal import RoostShell

/// A page of the command line: `roost audit`.
let auditCommand = Command(
    name: "audit", operands: "[FUNCTION]", summary: "show every decision: who or what, when, from what to what, why",
    details: [
        """
        The log is only ever appended to, and each entry is chained to the one before by a hash; a chain that does \
        not fit is reported, with exit code 1. With --json the entries have the figures that each decision was based on.
        """
    ],
    options: Option.host + [AuditOption.limit, .json],
    examples: [
        Example("roost audit credit", "what became of credit's versions"),
        Example("roost audit --json | jq '.entries[].act'", "for programs"),
    ],
    run: { call in
        let function = try call.operands(0...1).first.map(functionName)
        let limit = try call.value(of: AuditOption.limit, as: "a number from 1 to 10000") { text in
            Int(text).flatMap { (1...10_000).contains($0) ? $0 : nil }
        }
        let path = function.map { "/functions/\($0)/audit" } ?? "/audit"
        let log = try call.ask(ClientRequest("GET", "\(path)?limit=\(limit ?? 100)")).json()
        if call.has(.json) {
            try call.print(log.pretty)
        } else {
            for entry in log["entries"]?.arrayValue ?? [] { try call.print(line(entry)) }
        }
        guard let chain = log["chain"]?.stringValue, chain != "intact" else { return 0 }
        throw Failure("the audit log is \(chain): somebody has changed it")
    })

private enum AuditOption {
    static let limit = Option("limit", value: "N", "how many of the last entries (default 100)")
}

/// `2026-11-21 16:02:11Z  credit@3  rollout advanced by rollout: 1 % → 5 %: …`.
private func line(_ entry: JSONValue) -> String {
    let text = { (key: String) in entry[key]?.stringValue ?? "" }
    let name = text("function") + (text("version").isEmpty ? "" : "@" + text("version"))
    var line = "\(Calendar.utc(entry["at"]?.intValue ?? 0))  \(name)  "
    line += text("act").split(separator: "_").joined(separator: " ") + " by \(text("by"))"
    let ends = [text("from"), text("to")].filter { !$0.isEmpty }
    if !ends.isEmpty { line += ": " + ends.joined(separator: " → ") }
    return line + (text("reason").isEmpty ? "" : ": " + text("reason"))
}

/// Dates without a library: days since 1970 to a proleptic Gregorian date.
enum Calendar {
    /// `2026-11-21 16:02:11Z`. Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
    static func utc(_ seconds: Int) -> String {
        let (days, second) = (Int((Double(seconds) / 86_400).rounded(.down)), ((seconds % 86_400) + 86_400) % 86_400)
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let civil = month < 10 ? month + 3 : month - 9
        let year = yearOfEra + era * 400 + (civil <= 2 ? 1 : 0)
        let two = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
        let time = "\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))"
        return "\(year)-\(two(civil))-\(two(day)) \(time)Z"
    }
}
