internal import RoostJSON

/// `roost status` for people, as lines: warnings first, then a row for each version with its reasons beneath.
struct StatusTable {
    private static let heads = [
        "FUNCTION", "VERSION", "STATE", "SHARE", "FROM", "INSTANCES", "QUEUE", "MEMORY", "RATE", "P50", "P99", "FAILED",
    ]
    private static let rightAligned = 5..<12

    /// A row of cells, or lines that stand beneath the row above.
    private enum Entry {
        case row([String])
        case notes([String])
    }
    private var entries: [Entry] = []
    private var above: [String] = []

    /// Everything on a host.
    init(host: JSONValue?, functions: [FunctionView]) {
        if let host { above = Self.hostLines(host) }
        for function in functions { add(function, versions: function.versions) }
    }

    /// One function; one version of it when `only` is given.
    init(_ function: FunctionView, only: VersionView? = nil) {
        add(function, versions: only.map { [$0] } ?? function.versions)
        if let only { entries.append(.notes(Self.details(of: only))) }
    }

    private mutating func add(_ function: FunctionView, versions: [VersionView]) {
        for (place, version) in versions.enumerated() {
            entries.append(.row(Self.row(function, version, isFirst: place == 0)))
            entries.append(.notes(Self.notes(of: version)))
        }
        if versions.isEmpty { entries.append(.row([function.name, "none"])) }
        let pending = function.json["traffic"]?["pending"]?.objectValue ?? JSONObject()
        let waiting = pending.members.map { "version \($0.key) has a share in the manifest and is not there yet" }
        entries.append(
            .notes(
                waiting + Self.traffic(of: function) + Self.triggers(of: function) + Self.quality(of: function)
                    + function.notes))
    }

    /// What of a function's traffic is more than shares.
    private static func traffic(of function: FunctionView) -> [String] {
        var lines: [String] = []
        // The last one is history: `roost audit` has it.
        if function.origin == "rollout", let rollout = function.json["rollout"] {
            lines.append(
                "rollout of \(rollout["canary"]?.stringValue ?? "?"): \(rollout["explanation"]?.stringValue ?? "?")")
        }
        let tags = function.json["tags"]?.objectValue?.members ?? []
        // Everything has a stable version.
        if tags.contains(where: { $0.key != "stable" }) {
            lines.append("tags: " + tags.map { "\($0.key) \($0.value.stringValue ?? "?")" }.joined(separator: ", "))
        }
        if let sticky = function.json["traffic"]?["sticky"], let key = sticky["key"]?.stringValue {
            let without = Figure.plain(sticky["without_key"]?.doubleValue ?? 0)
            lines.append("bound by \(key); requests without it: \(without)")
        }
        if let shadow = function.json["traffic"]?["shadow"], let version = shadow["version"]?.stringValue {
            lines.append("\(Figure.plain(shadow["percent"]?.doubleValue ?? 0)) % copied to version \(version)")
        }
        return lines
    }

    private static func hostLines(_ host: JSONValue) -> [String] {
        var facts = ["roost \(host["version"]?.stringValue ?? "?")"]
        if let listen = host["listen"]?.stringValue { facts[0] += " on http://\(listen)" }
        if let up = host["uptime_seconds"]?.doubleValue { facts.append("up \(Figure.seconds(up))") }
        if let cores = host["cores"]?.intValue { facts.append(cores == 1 ? "1 core" : "\(cores) cores") }
        if let count = host["connections"]?.intValue { facts.append("\(count) connection\(count == 1 ? "" : "s")") }
        if let used = host["instances"]?["used"]?.intValue, let limit = host["instances"]?["limit"]?.intValue {
            facts.append("\(used) of \(limit) instances")
        }
        if let used = host["warm_memory"]?["used"]?.doubleValue,
            let budget = host["warm_memory"]?["budget"]?.doubleValue
        {
            facts.append("templates \(Figure.bytes(used)) of \(Figure.bytes(budget))")
        }
        if let home = host["home"]?.stringValue { facts.append("home \(home)") }
        let warnings = host["warnings"].strings.map { "warning: \($0)" }
        let unclear = (host["unclear_files"]?.arrayValue ?? []).map { file in
            "not understood: plugins/\(file["file"]?.stringValue ?? "?"): \(file["reason"]?.stringValue ?? "?")"
        }
        return warnings + unclear + [facts.joined(separator: ", ")]
    }

    private static func row(_ function: FunctionView, _ version: VersionView, isFirst: Bool) -> [String] {
        let isRunning = version.state == .serving || version.state == .ready || version.state == .draining
        let failed = ["model_error", "death", "timeout"].compactMap { version.number("requests", $0) }.reduce(0, +)
        let rest = version.json["warmth"]?.stringValue ?? "0"
        let count =
            version.instances.isEmpty
            ? rest : version.json["single"]?.boolValue == true ? "single" : "\(version.instances.count)"
        return [
            isFirst ? function.name : "", version.text, version.stateText,
            version.share > 0 ? "\(Figure.plain(version.share)) %" : "-",
            version.share > 0 ? function.origin : "-",
            isRunning ? count : "-",
            isRunning ? Figure.plain(version.number("queue") ?? 0) : "-",
            memory(of: version).map(Figure.bytes) ?? "-",
            isRunning ? "\(Figure.plain(version.number("rate") ?? 0))/s" : "-",
            version.number("latency_ms", "p50").map(Figure.milliseconds) ?? "-",
            version.number("latency_ms", "p99").map(Figure.milliseconds) ?? "-",
            Figure.plain(failed),
        ]
    }

    /// What the template shares with its instances counts once.
    private static func memory(of version: VersionView) -> Double? {
        let template = version.json["template"]?["memory"]
        let own = version.instances.compactMap { $0["memory"]?["private"]?.doubleValue }
        let shared =
            template?["shared"]?.doubleValue
            ?? version.instances.compactMap { $0["memory"]?["shared"]?.doubleValue }.max()
        let parts = own + [template?["private"]?.doubleValue, shared].compactMap(\.self)
        return parts.isEmpty ? nil : parts.reduce(0, +)
    }

    private static func notes(of version: VersionView) -> [String] {
        var notes: [String] = []
        if let reason = version.reason { notes.append("\(version.stateText): \(reason)") }
        if let failure = version.json["last_failure"]?.stringValue { notes.append("last failure: \(failure)") }
        if version.json["examples"]?.intValue == 0 { notes.append("0 examples: answers not checked") }
        return notes.map { "\(version.text): \($0)" }
    }

    private static func details(of version: VersionView) -> [String] {
        var lines: [String] = []
        for (key, title) in [("file", "file"), ("runtime", "runtime"), ("digest", "sha256")] {
            if let text = version.json[key]?.stringValue { lines.append("\(title): \(text)") }
        }
        if let size = version.number("size") { lines.append("size: \(Figure.bytes(size))") }
        if let warmth = version.json["warmth"]?.stringValue {
            let wake = version.number("wake_ms").map { ", wakes in \(Figure.milliseconds($0))" } ?? ""
            lines.append(warmth == "running" ? warmth : warmth + wake)
        }
        if let cost = version.number("cpu_ms_per_1000"), let total = version.number("cpu_seconds") {
            lines.append("CPU: \(Figure.seconds(total)), \(Figure.milliseconds(cost)) for 1,000 predictions")
        }
        if let mean = version.number("batch_mean") { lines.append("rows per predict: \(Figure.plain(mean))") }
        if let pairs = version.number("shadow", "pairs"), let flips = version.number("shadow", "flips"),
            let decisions = version.number("shadow", "decisions")
        {
            lines.append(
                "shadow: \(Figure.plain(pairs)) compared, \(Figure.plain(flips)) of \(Figure.plain(decisions)) rows with "
                    + "another class, \(Figure.plain(version.number("shadow", "dropped") ?? 0)) dropped, "
                    + "\(Figure.plain(version.number("shadow", "failed") ?? 0)) failed")
        }
        if let load = version.number("load_ms") { lines.append("loaded in \(Figure.milliseconds(load))") }
        if let count = version.number("examples"), count > 0 {
            lines.append("examples checked: \(Figure.plain(count))")
        }
        if let pid = version.number("template", "pid") { lines.append("template: pid \(Figure.plain(pid))") }
        for instance in version.instances {
            let waiting = instance["outstanding"]?.intValue ?? 0
            lines.append(
                "instance #\(instance["id"]?.intValue ?? 0): pid \(instance["pid"]?.intValue ?? 0), "
                    + "\(waiting) request\(waiting == 1 ? "" : "s") in hand")
        }
        let outcomes = (version.json["requests"]?.objectValue?.members ?? []).compactMap { member in
            member.value.doubleValue.map { "\(member.key) \(Figure.plain($0))" }
        }
        if !outcomes.isEmpty { lines.append("requests: \(outcomes.joined(separator: ", "))") }
        return lines
    }

    /// The text, ending with a newline.
    var text: String {
        let rows = entries.compactMap { if case .row(let cells) = $0 { cells } else { nil } }
        let columns = Columns([Self.heads] + rows, rightAligned: Self.rightAligned)
        var lines = above
        guard !rows.isEmpty else {
            lines.append("no functions yet: drop a model file into plugins/, as NAME.ubj or NAME@1.ubj")
            return lines.joined(separator: "\n") + "\n"
        }
        if !above.isEmpty { lines.append("") }
        lines.append(columns.line(Self.heads))
        for entry in entries {
            switch entry {
            case .row(let cells): lines.append(columns.line(cells))
            case .notes(let notes): lines += notes.map { "    \($0)" }
            }
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
