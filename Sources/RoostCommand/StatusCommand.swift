internal import RoostBasics
internal import RoostClient
internal import RoostJSON
internal import RoostShell

/// A page of the command line: `roost status`.
let statusCommand = Command(
    name: "status", operands: "[TARGET]", summary: "show versions, states, traffic, memory, rates and latencies",
    details: [
        """
        Warnings come first; what is wrong with a version, and how to mend it, stands beneath its row. RATE is over \
        the last minute; FAILED counts model errors, deaths and timeouts.
        """
    ],
    options: Option.host + [.json],
    examples: [
        Example("roost status", "everything"), Example("roost status credit", "one function"),
        Example("roost status credit@3", "one version in detail"),
        Example("roost status --json | jq '.functions[].versions[].state'", "for programs"),
    ],
    run: { call in
        let target = try call.operands(0...1).first.map(call.hostedTarget)
        let path = target.map { "/functions/\($0.function)" } ?? "/functions"
        let reply = try call.ask(ClientRequest("GET", path)).json()
        let (json, table) = try status(reply, target)
        if call.has(.json) {
            try call.print(json.pretty)
        } else {
            try call.surroundings.write(Array(table.text.utf8), to: .output)
        }
        return 0
    })

private func status(
    _ reply: JSONValue, _ target: (function: FunctionName, version: String?)?
) throws -> (JSONValue, StatusTable) {
    guard let target else {
        let functions = (reply["functions"]?.arrayValue ?? []).map(FunctionView.init)
        return (reply, StatusTable(host: reply["host"], functions: functions))
    }
    let function = FunctionView(json: reply)
    guard let name = target.version else { return (reply, StatusTable(function)) }
    guard let version = function.version(named: name) else {
        let known = (function.versions.map(\.text) + function.tags).joined(separator: ", ")
        throw Failure("\(target.function) has no version \(name)" + (known.isEmpty ? "" : ": it has \(known)"))
    }
    return (version.json, StatusTable(function, only: version))
}
