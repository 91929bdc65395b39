internal import RoostBasics
internal import RoostClient
internal import RoostELF
internal import RoostFiles
internal import RoostJSON
internal import RoostShell

/// A page of the command line: `roost deploy`.
let deployCommand = Command(
    name: "deploy", operands: "FILE | VERSION", summary: "put a model or plugin into service, and wait until it serves",
    details: [
        """
        Copies FILE into the home's plugins/ so that the host never sees half of it, or uploads it with --url. The \
        name says what it is: credit@3.ubj is version 3 of credit, credit.ubj the next version. Exit 0 when it serves \
        (or is ready, when traffic gives it no share); exit 1 with the reason when it failed, was held or rejected.
        """,
        "A VERSION (credit@3) that is there already is released by --allow-incompatible or --restart.",
    ],
    options: Option.host + [
        DeployOption.name, DeployOption.noWait, DeployOption.allow, DeployOption.restart, DeployOption.canary, .json,
    ],
    examples: [
        Example("roost deploy model.ubj --as credit@3", "version 3 of credit"),
        Example("roost deploy credit.ubj", "the next version of credit"),
        Example(
            "roost deploy credit@3.ubj --canary", "at first a hundredth of the requests, the rest when it is proven"),
        Example("roost deploy credit@3.so --allow-incompatible", "although its inputs changed"),
        Example("roost deploy credit@3 --restart", "give a rejected or failed version another try"),
    ],
    run: { call in
        let operand = try call.operands(1...1)[0]
        if let version = VersionID(operand) { return try release(version, call) }
        return try deploy(operand, call)
    })

private enum DeployOption {
    static let name = Option("as", value: "NAME", "deploy it as credit@3, or as the next version of credit")
    static let noWait = Option("no-wait", "do not wait until it serves")
    static let allow = Option("allow-incompatible", "release it when it is held for its changed signature")
    static let canary = Option("canary", "by a rollout, also where the manifest has no plan: see `roost rollout`")
    static let restart = Option("restart", "lift its rejection, or try again after it failed")
}

/// `roost deploy credit@3 --restart`.
private func release(_ version: VersionID, _ call: Call) throws -> Int32 {
    if call.has(DeployOption.name) { throw UsageError("--as is for a file; \(version) is a version") }
    let path = "/functions/\(version.function)/versions/\(version.number)"
    var acts: [String] = []
    if call.has(DeployOption.restart) { acts.append("restart") }
    if call.has(DeployOption.allow) { acts.append("allow") }
    guard !acts.isEmpty else {
        throw UsageError("\(version) is a version, not a file: say --restart or --allow-incompatible, or name a file")
    }
    var said = JSONValue.null
    for act in acts { said = try call.change("POST", "\(path)/\(act)", [:]).json() }
    if call.has(.json) {
        try call.print(said.pretty)
    } else {
        let view = VersionView(json: said)
        try call.print("\(version) \(view.stateText)" + (view.reason.map { ": \($0)" } ?? ""))
    }
    return 0
}

private func deploy(_ path: String, _ call: Call) throws -> Int32 {
    let name = try dropName(for: path, call)
    let watch = !call.has(DeployOption.noWait)
    let isUpload = try uploads(call)
    let digest = try digest(of: path)
    let before = watch || isUpload ? try function(name.function, call) : nil
    if let objection = Deployment.objection(to: name, digest: digest, in: before) { throw Failure(objection) }
    if call.has(DeployOption.canary) {
        _ = try call.change("POST", "/functions/\(name.function)/rollout", ["next": true])
    }
    let start = now()
    let file = try isUpload ? upload(path, name, call) : place(path, name, call)
    guard watch else {
        if call.has(.json) {
            try call.print((["file": .string(file.description)] as JSONValue).pretty)
        } else {
            try call.print("\(file) is handed over")
        }
        return 0
    }
    return try wait(for: Deployment(file, digest: digest, before: before), since: start, call)
}

/// What the file is called in the drop folder.
private func dropName(for path: String, _ call: Call) throws -> DropFile {
    let own = PathParts(path).name
    guard let text = call.value(of: DeployOption.name) else { return try DropFile(own) }
    guard let dot = own.lastIndex(of: ".") else {
        throw UsageError("\(path) has no ending that says what it is: rename it to end in .ubj, .json or .so")
    }
    guard VersionID(text) != nil || FunctionName(text) != nil else {
        throw UsageError("--as \"\(text)\" is neither a version (credit@3) nor a function (credit)")
    }
    return try DropFile(text + own[dot...])
}

/// Whether the host is reached by TCP, so that the file has to travel.
private func uploads(_ call: Call) throws -> Bool {
    if call.has(DeployOption.noWait), call.value(of: .url) == nil,
        try call.home.status(of: "plugins").map({ !$0.isRegular }) == true
    {
        return false  // a home without a running host takes the file up when one starts
    }
    switch try call.findHost() {
    case .socket: return false
    case .tcp: return true
    }
}

private func digest(of path: String) throws -> String {
    let file = try FileDescriptor(reading: path)
    return try ByteSource(descriptor: file.number).digest().description
}

private func function(_ name: FunctionName, _ call: Call) throws -> FunctionView? {
    let reply = try call.send(ClientRequest("GET", "/functions/\(name)"))
    if reply.status == 404 { return nil }
    guard reply.isSuccess else { throw Failure(reply.refusal) }
    return FunctionView(json: try reply.json())
}

/// Copies the file into plugins/: under its name it is whole or not there.
private func place(_ path: String, _ name: DropFile, _ call: Call) throws -> DropFile {
    let plugins = call.home.folder("plugins")
    let source = try FileDescriptor(reading: path)
    let hidden = ".\(name).partial"
    try plugins.remove(hidden)
    do {
        let copy = try FileDescriptor(creating: plugins.path(hidden))
        var offset = 0
        while case let slice = try source.read(1 << 20, at: offset), !slice.isEmpty {
            try copy.write(slice.bytes)
            offset += slice.count
        }
        try copy.sync()
        try plugins.rename(hidden, to: "\(name)")
    } catch {
        try? plugins.remove(hidden)
        throw error
    }
    return name
}

/// Sends the file; the host says what it called it.
private func upload(_ path: String, _ name: DropFile, _ call: Call) throws -> DropFile {
    let version = name.version.map { "\($0)" } ?? "next"
    let reply = try call.ask(
        ClientRequest(
            "PUT", "/functions/\(name.function)/versions/\(version)",
            headers: [
                HeaderField("Content-Type", "application/octet-stream"),
                HeaderField("Roost-File-Extension", name.fileExtension),
            ], body: readWhole(path)))
    return try reply.json()["file"]?.stringValue.flatMap { try? DropFile($0) } ?? name
}

/// Follows the deployment to its end, asking the host less and less often.
private func wait(for deployment: Deployment, since start: Instant, _ call: Call) throws -> Int32 {
    let name = deployment.file.function
    var interval = Instant.Span.milliseconds(5)
    var released: Set<String> = []
    while true {
        let elapsed = now() - start
        let view = try function(name, call)
        switch deployment.judge(view, elapsed: elapsed) {
        case .wait: break
        case .failed(let reason): throw Failure(reason)
        case .done(let number, let state):
            if call.has(.json), let version = view?.version(number) {
                try call.print(version.json.pretty)
            } else {
                try call.print("\(name)@\(number) \(inTime(state, elapsed))")
            }
            return 0
        case .held(let number, let reason):
            guard call.has(DeployOption.allow), released.insert("allow").inserted else {
                throw Failure("\(name)@\(number) is held: \(reason); --allow-incompatible releases it")
            }
            _ = try call.change("POST", "/functions/\(name)/versions/\(number)/allow", [:])
        case .rejected(let number, let reason):
            guard call.has(DeployOption.restart), released.insert("restart").inserted else {
                throw Failure("\(name)@\(number) is rejected: \(reason); --restart lifts that")
            }
            _ = try call.change("POST", "/functions/\(name)/versions/\(number)/restart", [:])
        }
        if view == nil, elapsed > .seconds(1) { try objectToName(deployment.file, call) }
        pause(for: interval)
        interval = min(Instant.Span(nanoseconds: interval.nanoseconds * 5 / 4), .milliseconds(200))
    }
}

/// `serving in 84 ms`; what follows a colon or semicolon stays behind the time.
private func inTime(_ state: String, _ elapsed: Instant.Span) -> String {
    let word = state.prefix { $0.isLetter }
    return "\(word) in \(Int(elapsed.milliseconds.rounded())) ms\(state.dropFirst(word.count))"
}

/// The host may see the file and not understand what it is.
private func objectToName(_ file: DropFile, _ call: Call) throws {
    let host = try call.ask(ClientRequest("GET", "/functions")).json()["host"]
    let unclear = host?["unclear_files"]?.arrayValue ?? []
    if let own = unclear.first(where: { $0["file"]?.stringValue == "\(file)" }) {
        throw Failure("\(file): \(own["reason"]?.stringValue ?? "the host does not understand its name")")
    }
}
