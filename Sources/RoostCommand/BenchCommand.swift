internal import Glibc
internal import RoostBasics
internal import RoostBench
internal import RoostClient
internal import RoostFiles
internal import RoostFunctions
internal import RoostJSON
internal import RoostLoad
internal import RoostShell
internal import RoostTensors

/// A page of the command line: `roost bench`.
let benchCommand = Command(
    name: "bench", operands: "TARGET", summary: "load a function at a fixed rate, and show its latencies",
    details: [
        """
        Requests are due at times that no answer changes, and latency counts from the moment a request was due: \
        a host that stalls cannot slow the load and so hide its stall. Connections are opened as they are needed; \
        when --connections are busy, requests wait, and their waiting counts. When the generator itself was late, \
        it says so.
        """,
        """
        Rows come from --from and are used in turn: CSV or JSON as `roost predict` takes them, JSON Lines, or one \
        whole v2 request. Without it, requests are made from the function's signature.
        """,
        """
        Ctrl-C ends early and shows what there is. Exit code 0: every request was answered well, or turned away by a \
        busy host (429, 503), and at least one was answered well; 1: anything else failed.
        """,
    ],
    options: Option.host + BenchOption.all + [Option("json", "print the report as JSON")],
    examples: [
        Example("roost bench credit", "100 requests a second for 10 seconds"),
        Example("roost bench credit@3 --rate 2000 --for 60s --from rows.csv", "real rows, to one version"),
        Example("roost bench credit --arrivals poisson --rows-per-request 32", "as many callers send, 32 rows each"),
        Example("roost bench credit --json | jq .latency_ms.p99", "for programs"),
    ],
    run: { call in
        let target = try benchTarget(call, try call.operands(1...1)[0])
        let settings = try BenchSettings(call)
        let signature = try signature(call, target)
        let bodies = try bodies(call, settings, signature)
        let address = try call.findHost()
        var plan = LoadPlan(
            address: try Client(address).numericAddress(), path: target.path(bodies.kind), bodies: bodies,
            arrivals: settings.arrivals)
        (plan.connectionsMax, plan.patience) = (settings.connections, settings.timeout)
        _ = OpenFileLimit.raise()
        let generator = try LoadGenerator(plan)
        let tally = try generator.run(endingAt: [SIGINT, SIGTERM], onProgress: progress(call))
        if call.surroundings.isTerminal(.error) { try call.surroundings.write(Array("\r\u{1B}[K".utf8), to: .error) }
        let report = BenchReport(
            target: call.operands[0], host: "\(address)", settings: settings, kind: bodies.kind, tally: tally,
            elapsed: now() - generator.start, busy: generator.busy)
        try call.surroundings.write(
            Array((call.has(.json) ? report.json.pretty + "\n" : report.text).utf8), to: .output)
        return tally.isSuccess ? 0 : 1
    })

/// What is loaded: a function as its traffic goes, or one version.
private struct BenchTarget {
    let function: FunctionName
    /// A number or a tag.
    let version: String?

    private var versionPath: String { version.map { "/versions/\($0)" } ?? "" }
    var metadataPath: String { "/v2/models/\(function)\(versionPath)" }

    func path(_ kind: RequestBodies.Kind) -> String {
        switch kind {
        case .tensors: "\(metadataPath)/infer"
        case .rows, .csv: "/functions/\(function)\(versionPath)/predict"
        }
    }
}

private func benchTarget(_ call: Call, _ text: String) throws -> BenchTarget {
    switch try call.target(text) {
    case .function(let name): return BenchTarget(function: name, version: nil)
    case .version(let id): return BenchTarget(function: id.function, version: id.number.description)
    case .tag(let function, let tag): return BenchTarget(function: function, version: tag.text)
    case .file(let path):
        throw UsageError("load goes to a running host: `roost deploy \(path)` first, then bench the function")
    }
}

/// The function's, which also tells whether it is there.
private func signature(_ call: Call, _ target: BenchTarget) throws -> Signature {
    let reply = try call.ask(ClientRequest("GET", target.metadataPath))
    do {
        return try Signature(JSONDocument(parsing: reply.body, source: "the host's answer").root)
    } catch {
        throw Failure("\(error)")
    }
}

private func bodies(_ call: Call, _ settings: BenchSettings, _ signature: Signature) throws -> RequestBodies {
    guard let file = settings.from else {
        return try RequestBodies(
            madeFor: signature, asRows: settings.protocol == .predict, rowsPerRequest: settings.rowsPerRequest,
            seed: settings.seed)
    }
    let (text, type) = try readRows(call, file)
    let bodies: RequestBodies
    do throws(RoostError) {
        bodies =
            switch type {
            case .csv:
                try RequestBodies(csv: text, for: signature, rowsPerRequest: settings.rowsPerRequest)
            case .json: try RequestBodies(json: text, rowsPerRequest: settings.rowsPerRequest)
            }
    } catch {
        throw Failure("\(file): \(error)")
    }
    switch (settings.protocol, bodies.kind) {
    case (.v2, .rows), (.v2, .csv):
        throw UsageError("rows go to the predict endpoint: leave out --protocol v2, or give a whole v2 request")
    case (.predict, .tensors):
        throw UsageError("\(file) is a v2 request: leave out --protocol predict, or give rows")
    default: return bodies
    }
}

/// A line on the terminal that is written over; nothing where nobody looks.
private func progress(_ call: Call) -> ((Instant.Span, LoadTally) -> Void)? {
    guard call.surroundings.isTerminal(.error) else { return nil }
    return { elapsed, tally in
        var line = "\(Figure.seconds(elapsed.seconds)): \(tally.due) due, \(tally[.ok]) ok"
        let others = tally.answered - tally[.ok]
        if others > 0 { line += ", \(others) other answers" }
        if let p99 = tally.latency.percentile(99) { line += ", p99 \(Figure.milliseconds(p99.milliseconds))" }
        // The load does not end because nobody could be told how it goes.
        try? call.surroundings.write(Array("\r\u{1B}[K\(line)".utf8), to: .error)
    }
}
