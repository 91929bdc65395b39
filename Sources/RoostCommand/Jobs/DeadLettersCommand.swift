internal import RoostBasics
internal import RoostClient
internal import RoostJSON
internal import RoostShell

/// A page of the command line: `roost deadletters`.
let deadLettersCommand = Command(
    name: "deadletters", operands: "FUNCTION list|show|replay [ID]",
    summary: "look at what triggers gave up, and try it again",
    details: [
        """
        What no attempt could do is a dead letter: nothing happens to it until somebody has mended the cause and \
        replays it, one by its ID or all. Without --trigger it is the function's queue.
        """
    ],
    options: Option.host + [DeadLettersOption.trigger, .json],
    examples: [
        Example("roost deadletters churn list", "what was given up, and why"),
        Example("roost deadletters churn replay 17", "try one again, with all its attempts"),
        Example("roost deadletters churn replay --trigger event-1/sink", "tell a sink again that is back"),
    ],
    run: { call in
        let operands = try call.operands(2...3)
        let (function, word) = (operands[0], operands[1])
        let id = operands.count == 3 ? operands[2] : nil
        if let id, Int64(id) == nil {
            throw UsageError("\"\(id)\" is no item's id: `roost deadletters \(function) list`")
        }
        let trigger = call.value(of: DeadLettersOption.trigger)
        let path = "/functions/\(function)/async"
        switch (word, id) {
        case ("list", nil): return try listDeadLetters(path, trigger, call)
        case ("show", let id?):
            let path = "\(path)/\(id)\(trigger.map { "?trigger=\($0)" } ?? "")"
            let reply = try call.send(ClientRequest("GET", path))
            guard reply.status == 422 else {
                throw Failure(reply.isSuccess ? "item \(id) is no dead letter" : reply.refusal)
            }
            let letter = try reply.json()
            try call.print(call.has(.json) ? letter.pretty : JobText.whole(letter))
            return 0
        case ("replay", _):
            let path = "\(path)/\(id.map { "\($0)/" } ?? "")replay\(trigger.map { "?trigger=\($0)" } ?? "")"
            let reply = try call.change("POST", path, .null).json()
            let (replayed, refused) = (reply["replayed"]?.intValue ?? 1, reply["refused"]?.intValue ?? 0)
            let rest = refused == 0 ? "" : ", \(refused) could not be"
            try call.print(call.has(.json) ? reply.pretty : "\(replayed) replayed\(rest)")
            return refused == 0 ? 0 : 1
        case ("show", nil): throw UsageError("show needs an ID: `roost deadletters \(function) list`")
        default: throw UsageError("\"\(word)\" is none of list, show and replay")
        }
    })

private enum DeadLettersOption {
    static let trigger = Option(
        "trigger", value: "NAME", "of this trigger, as status calls it; of its sink with /sink behind it")
}

private func listDeadLetters(_ path: String, _ trigger: String?, _ call: Call) throws -> Int32 {
    let query = "?state=dead&limit=1000\(trigger.map { "&trigger=\($0)" } ?? "")"
    let reply = try call.ask(ClientRequest("GET", path + query)).json()
    if call.has(.json) {
        try call.print(reply.pretty)
        return 0
    }
    let items = reply["items"]?.arrayValue ?? []
    guard !items.isEmpty else {
        try call.print("there are no dead letters")
        return 0
    }
    let rows =
        [["ID", "CAUSE", "ATTEMPTS", "REASON"]]
        + items.map { item in
            [
                item["id"]?.stringValue ?? "?", item["cause"]?.stringValue ?? "?", "\(item["attempts"]?.intValue ?? 0)",
                item["error"]?.stringValue ?? "",
            ]
        }
    let columns = Columns(rows, rightAligned: 2..<3)
    for row in rows { try call.print(columns.line(row)) }
    return 0
}
