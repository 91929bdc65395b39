internal import RoostBasics
internal import RoostClient
internal import RoostShell

/// A page of the command line: `roost logs`.
let logsCommand = Command(
    name: "logs", operands: "TARGET [-f]", summary: "show what a plugin printed, and its deaths",
    details: ["Of a function: the version with the largest share. The host keeps the last 64 KiB of each version."],
    options: Option.host + [followOption],
    examples: [
        Example("roost logs credit", "the version that serves"),
        Example("roost logs credit@3 -f", "and everything to come, until Ctrl-C"),
    ],
    run: { call in
        let target = try call.hostedTarget(try call.operands(1...1)[0])
        var offset: String?
        while true {
            var query = [target.version.map { "version=\($0)" }, offset.map { "offset=\($0)" }].compactMap(\.self)
            query = query.isEmpty ? [] : ["?" + query.joined(separator: "&")]
            let reply = try call.ask(ClientRequest("GET", "/functions/\(target.function)/logs" + query.joined()))
            if !reply.body.isEmpty { try call.surroundings.write(reply.body, to: .output) }
            guard call.has(followOption) else { return 0 }
            guard let next = reply.header("Roost-Log-Offset") else {
                throw Failure("the host does not say where its log goes on: it is of another version of roost")
            }
            offset = next
            pause(for: .milliseconds(500))
        }
    })

private let followOption = Option("follow", letter: "f", "go on with what is printed from now on")
