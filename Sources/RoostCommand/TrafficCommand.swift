internal import RoostBasics
internal import RoostClient
internal import RoostJSON

/// A page of the command line: `roost traffic`.
let trafficCommand = Command(
    name: "traffic", operands: "FUNCTION VERSION=PERCENT… | latest", summary: "share a function's requests out",
    details: [
        """
        Shares are whole percents and sum to 100. They hold until they are set again, until the manifest's own shares \
        change, or until `latest`, which gives everything to the highest version that is ready, now and in future.
        """
    ],
    options: Option.host + [.json],
    examples: [
        Example("roost traffic credit 2=90 3=10", "a tenth to version 3"),
        Example("roost traffic credit latest", "follow new versions again"),
    ],
    run: { call in
        guard let first = call.operands.first else { throw UsageError("FUNCTION is missing") }
        let function = try functionName(first)
        let reply = try call.change("PUT", "/functions/\(function)/traffic", shares(call.operands.dropFirst()))
        if call.has(.json) {
            try call.print(reply.text)
        } else {
            try call.print("\(function): \(TrafficLine.text(of: try reply.json()))")
        }
        return 0
    })

/// A page of the command line: `roost rollback`.
let rollbackCommand = Command(
    name: "rollback", operands: "FUNCTION", summary: "go back to the version before, in one step",
    details: [
        """
        The version that is left is rejected: nothing chooses it again until `roost deploy FUNCTION@VERSION \
        --restart`.
        """
    ],
    options: Option.host + [.json],
    examples: [Example("roost rollback credit", "from credit@3 to credit@2, say")],
    run: { call in
        let function = try functionName(try call.operands(1...1)[0])
        let reply = try call.change("POST", "/functions/\(function)/rollback", [:])
        if call.has(.json) {
            try call.print(reply.text)
            return 0
        }
        let body = try reply.json()
        let left = body["from"]?.stringValue ?? "?"
        try call.print("\(function): \(left) → \(body["to"]?.stringValue ?? "?")")
        try call.print("\(function)@\(left) is rejected; `roost deploy \(function)@\(left) --restart` lifts that")
        return 0
    })

func functionName(_ text: String) throws -> FunctionName {
    guard let name = FunctionName(text) else {
        throw UsageError("\"\(text)\" is no function's name: letters, digits, _ and -, as in \"credit\"")
    }
    return name
}

/// `2=90 3=10`, or `latest`, as the host takes it.
private func shares(_ words: ArraySlice<String>) throws -> JSONValue {
    if words == ["latest"] { return ["origin": "latest"] }
    guard !words.isEmpty else { throw UsageError("shares are missing: 2=90 3=10, or latest") }
    var shares = JSONObject()
    var sum = 0
    for word in words {
        let parts = word.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2, let version = VersionNumber(parts[0]), let percent = Int(parts[1]),
            (0...100).contains(percent)
        else { throw UsageError("\"\(word)\" is no share: write VERSION=PERCENT, as in 3=10") }
        guard shares["\(version)"] == nil else { throw UsageError("version \(version) has two shares") }
        shares["\(version)"] = .integer(percent)
        sum += percent
    }
    guard sum == 100 else { throw UsageError("the shares sum to \(sum), not 100") }
    return .object(shares)
}

/// Where a function's requests go, in words.
enum TrafficLine {
    /// `2=90 3=10 (set)`.
    static func text(of traffic: JSONValue) -> String {
        let shares = parts(traffic["shares"])
        let pending = parts(traffic["pending"])
        return (shares.isEmpty ? "no version" : shares) + (pending.isEmpty ? "" : ", pending \(pending)")
            + (traffic["origin"]?.stringValue.map { " (\($0))" } ?? "")
    }

    private static func parts(_ shares: JSONValue?) -> String {
        (shares?.objectValue?.members ?? []).compactMap { member in
            member.value.doubleValue.map { "\(member.key)=\(Figure.plain($0))" }
        }.joined(separator: " ")
    }
}
