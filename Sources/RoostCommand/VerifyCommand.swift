internal import RoostBasics
internal import RoostJSON

/// A page of the command line: `roost verify`.
let verifyCommand = Command(
    name: "verify", operands: "FILE", summary: "put a file through what a host would, without a host",
    details: [
        """
        Reads the file without running it, then loads it in a sandbox, reads its signature, runs its golden examples \
        and compares the answers. Exit 0 when a host would take it.
        """
    ],
    options: [
        Option.home, examplesOption, .json,
    ],
    examples: [
        Example("roost verify credit@3.so", "a plugin"),
        Example("roost verify credit.ubj --examples functions/credit/examples.jsonl", "a model file"),
    ],
    run: { call in
        let file = try call.operands(1...1)[0]
        let report = try call.host.verify(
            file: file, examples: call.value(of: examplesOption), home: call.value(of: .home))
        try call.print(call.has(.json) ? report.json.pretty : report.lines.joined(separator: "\n"))
        return 0
    })

/// Shared with `roost pack`.
let examplesOption = Option(
    "examples", value: "FILE", "golden examples, JSON Lines: {\"inputs\": …, \"outputs\": …, \"tolerance\": 1e-5}")
