internal import RoostBasics
internal import RoostClient
internal import RoostJSON
internal import RoostShell

/// A page of the command line: `roost jobs`.
let jobsCommand = Command(
    name: "jobs", operands: "list | show|watch|cancel|resume ID", summary: "look at a host's jobs and steer them",
    details: [
        """
        list shows the newest first. watch follows one to its end, with the exit code of `roost score`. cancel stops \
        one and keeps what is written; resume goes on there, also after a failure that has been mended.
        """
    ],
    options: Option.host + [JobsOption.state, JobsOption.function, .json],
    examples: [
        Example("roost jobs list --state running", "what runs now"),
        Example("roost jobs cancel t6xk9f-1z141z3", "stop one; `roost jobs resume` goes on"),
    ],
    run: { call in
        let operands = try call.operands(1...2)
        let word = operands[0]
        if word == "list" {
            guard operands.count == 1 else { throw UsageError("unexpected argument \"\(operands[1])\"") }
            return try listJobs(call)
        }
        guard operands.count == 2 else {
            throw UsageError("\(word) needs the ID of a job: `roost jobs list` shows them")
        }
        let id = operands[1]
        guard !id.isEmpty,
            id.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == 0x2D })
        else { throw UsageError("\"\(id)\" is no job's id: `roost jobs list` shows them") }
        switch word {
        case "show":
            let job = try call.ask(ClientRequest("GET", "/jobs/\(id)")).json()
            try call.print(call.has(.json) ? job.pretty : JobText.whole(job))
            return 0
        case "watch": return try follow(id, call)
        case "cancel":
            let job = try call.change("DELETE", "/jobs/\(id)", .null).json()
            try call.print(call.has(.json) ? job.pretty : "\(id) is cancelled: `roost jobs resume \(id)` goes on")
            return 0
        case "resume":
            let job = try call.change("POST", "/jobs/\(id)/resume", .null).json()
            try call.print(call.has(.json) ? job.pretty : "\(id) goes on")
            return 0
        default: throw UsageError("\"\(word)\" is none of list, show, watch, cancel and resume")
        }
    })

private enum JobsOption {
    static let state = Option(
        "state", value: "STATE", "only jobs that are queued, running, done, stopped, cancelled or failed")
    static let function = Option("function", value: "NAME", "only jobs of one function")
}

private func listJobs(_ call: Call) throws -> Int32 {
    var query: [String] = []
    if let state = call.value(of: JobsOption.state) { query.append("state=\(state)") }
    if let function = call.value(of: JobsOption.function) { query.append("function=\(function)") }
    let path = "/jobs\(query.isEmpty ? "" : "?")\(query.joined(separator: "&"))"
    let reply = try call.ask(ClientRequest("GET", path)).json()
    if call.has(.json) {
        try call.print(reply.pretty)
        return 0
    }
    let jobs = reply["jobs"]?.arrayValue ?? []
    guard !jobs.isEmpty else {
        try call.print("there are no jobs: `roost score TARGET INPUT` begins one")
        return 0
    }
    let rows = [["ID", "MODEL", "STATE", "ROWS", "BAD", "OUTPUT"]] + jobs.map(JobText.row)
    let columns = Columns(rows, rightAligned: 3..<5)
    for row in rows { try call.print(columns.line(row)) }
    return 0
}

/// What a host says of a job, for people.
enum JobText {
    static func row(_ job: JSONValue) -> [String] {
        var state = job["state"]?.stringValue ?? "?"
        if state == "running", let progress = job["progress"]?.doubleValue { state += " \(Int(progress * 100)) %" }
        return [
            job["id"]?.stringValue ?? "?",
            "\(job["function"]?.stringValue ?? "?")@\(job["version"]?.stringValue ?? "?")", state,
            "\(job["rows"]?.intValue ?? 0)", "\(job["bad_rows"]?.intValue ?? 0)", job["output"]?.stringValue ?? "",
        ]
    }

    static func whole(_ job: JSONValue) -> String {
        var lines: [String] = []
        for (key, value) in (job.objectValue ?? JSONObject()).members.map({ ($0.key, $0.value) }) where value != .null {
            lines.append("\(key): \(value.stringValue ?? value.compact)")
        }
        return lines.joined(separator: "\n")
    }
}
