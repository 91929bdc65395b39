internal import RoostBasics
internal import RoostClient
internal import RoostJSON
internal import RoostShell

/// A page of the command line: `roost rollout`.
let rolloutCommand = Command(
    name: "rollout", operands: "start|plan FUNCTION@VERSION | status|promote|abort|pause|resume FUNCTION",
    summary: "bring a version to traffic step by step, and follow it",
    details: [
        """
        A rollout gives a version growing shares of a function's requests. It goes on only when the version is proven \
        not to be worse, in errors, latency and, where there are pairs and labels, in agreement and quality; it goes \
        back by itself when the version is worse or dies. `"rollout": true` in functions/FUNCTION.json starts one for \
        every new version, `roost deploy --canary` for one.
        """,
        """
        plan says how long each step needs at the present rate. promote gives the version everything now, whatever is \
        proven; abort gives everything back and rejects it.
        """,
    ],
    options: Option.host + [RolloutOption.watch, RolloutOption.reason, .json],
    examples: [
        Example("roost rollout start credit@3", "by the manifest's plan, or the default one"),
        Example("roost rollout status credit --watch", "follow it to its end"),
        Example("roost rollout abort credit --reason \"numbers look odd\"", "back to the version before"),
    ],
    run: { call in
        let operands = try call.operands(2...2)
        switch operands[0] {
        case "start": return try startRollout(operands[1], call)
        case "plan": return try planRollout(operands[1], call)
        case "status": return try rolloutStatus(try functionName(operands[1]), call)
        case "promote", "abort", "pause", "resume":
            let function = try functionName(operands[1])
            var body = JSONObject()
            body["reason"] = call.value(of: RolloutOption.reason).map(JSONValue.string)
            return try show(
                call.change("POST", "/functions/\(function)/rollout/\(operands[0])", .object(body)), of: function, call)
        default:
            throw UsageError(
                "\"\(operands[0])\" is none of start, plan, status, promote, abort, pause and resume")
        }
    })

private enum RolloutOption {
    static let watch = Option("watch", letter: "w", "print each change until the rollout ends")
    static let reason = Option("reason", value: "TEXT", "why it is aborted, for the audit log")
}

private func version(_ text: String) throws -> VersionID {
    guard let id = VersionID(text) else {
        throw UsageError("\"\(text)\" is no version: write FUNCTION@VERSION, as in credit@3")
    }
    return id
}

private func startRollout(_ operand: String, _ call: Call) throws -> Int32 {
    let id = try version(operand)
    return try show(
        call.change("POST", "/functions/\(id.function)/rollout", ["version": .string("\(id.number)")]), of: id.function,
        call)
}

private func show(_ reply: ClientReply, of function: FunctionName, _ call: Call) throws -> Int32 {
    let rollout = try reply.json()
    try call.print(call.has(.json) ? rollout.pretty : RolloutText(rollout).summary(of: function))
    return 0
}

private func rolloutStatus(_ function: FunctionName, _ call: Call) throws -> Int32 {
    var last = ""
    while true {
        let rollout = try call.ask(ClientRequest("GET", "/functions/\(function)/rollout")).json()
        let text = RolloutText(rollout)
        guard call.has(RolloutOption.watch) else {
            try call.print(call.has(.json) ? rollout.pretty : text.whole(of: function))
            return 0
        }
        // Its times change with every look: what is news is the rest.
        if text.essence != last {
            try call.print(call.has(.json) ? rollout.compact : text.summary(of: function))
            last = text.essence
        }
        switch rollout["state"]?.stringValue {
        case "promoted": return 0
        case "aborted": return 1
        default: pause(for: .milliseconds(500))
        }
    }
}

private func planRollout(_ operand: String, _ call: Call) throws -> Int32 {
    let id = try version(operand)
    let preview = try call.ask(
        ClientRequest("GET", "/functions/\(id.function)/rollout?plan=\(id.number)")
    ).json()
    guard !call.has(.json) else {
        try call.print(preview.pretty)
        return 0
    }
    let rate = preview["rate"]?.doubleValue ?? 0
    try call.print("\(id) at the present rate of \(Figure.plain(rate)) requests per second:")
    var rows = [["SHARE", "REQUESTS", "TIME"]]
    for step in preview["steps"]?.arrayValue ?? [] {
        let seconds = step["seconds"]?.doubleValue
        let person = step["needs_person"]?.boolValue == true ? ", then until a person resumes" : ""
        let isLast = step["share"]?.intValue == 100
        rows.append([
            "\(step["share"]?.intValue ?? 0) %", isLast ? "-" : "\(step["requests"]?.intValue ?? 0)",
            isLast && seconds == 0 ? "promoted" : seconds.map { Figure.seconds($0) + person } ?? "too few requests",
        ])
    }
    let columns = Columns(rows, rightAligned: 0..<2)
    for row in rows { try call.print(columns.line(row)) }
    return 0
}

/// What the host says of a rollout, for people.
struct RolloutText {
    private let json: JSONValue

    init(_ json: JSONValue) { self.json = json }

    private var canary: String { json["canary"]?.stringValue ?? "?" }

    func summary(of function: FunctionName) -> String {
        "\(function)@\(canary): \(json["explanation"]?.stringValue ?? json["state"]?.stringValue ?? "?")"
    }

    /// With what was found, a line each.
    func whole(of function: FunctionName) -> String {
        var lines = [summary(of: function)]
        for finding in json["findings"]?.arrayValue ?? [] {
            let mark =
                switch finding["judgement"]?.stringValue {
                case "proven": "✓"
                case "inferior": "✗"
                case "alarming": "!"
                default: "…"
                }
            lines.append("  \(mark) \(finding["text"]?.stringValue ?? "")")
        }
        for doubt in json["unproven"].strings { lines.append("  not proven: \(doubt)") }
        return lines.joined(separator: "\n")
    }

    /// What of it is worth a line when it changes.
    var essence: String {
        ["state", "share", "step", "reason"].map { json[$0].map(\.compact) ?? "" }.joined(separator: " ")
            + json["missing"].strings.map { $0.filter { !$0.isNumber } }.joined()
    }
}
