internal import RoostBasics
internal import RoostClient
internal import RoostFiles
internal import RoostJSON
internal import RoostShell

/// One run of a command: its arguments, and what it may touch.
struct Call: Sendable {
    let command: Command
    let arguments: Arguments
    let surroundings: any Surroundings
    let host: any HostWithin

    var operands: [String] { arguments.operands }
    func has(_ option: Option) -> Bool { arguments.has(option.name.long) }
    func value(of option: Option) -> String? { arguments.value(of: option.name.long) }

    /// The value of an option as something else than text.
    func value<Value>(of option: Option, as wanted: String, _ read: (String) -> Value?) throws -> Value? {
        guard let text = value(of: option) else { return nil }
        guard let value = read(text) else {
            throw UsageError("--\(option.name.long) must be \(wanted), got \"\(text)\"")
        }
        return value
    }

    /// Exactly so many operands.
    func operands(_ count: ClosedRange<Int>) throws -> [String] {
        guard operands.count >= count.lowerBound else { throw UsageError("\(command.operands) is missing") }
        guard operands.count <= count.upperBound else {
            throw UsageError("unexpected argument \"\(operands[count.upperBound])\"")
        }
        return operands
    }

    func print(_ text: String) throws { try surroundings.write(Array((text + "\n").utf8), to: .output) }
    func printError(_ text: String) throws { try surroundings.write(Array(("roost: " + text + "\n").utf8), to: .error) }

    /// Bytes as they came, with a newline at the end for people.
    func print(_ bytes: [UInt8]) throws {
        let needsNewline = surroundings.isTerminal(.output) && bytes.last != UInt8(ascii: "\n")
        try surroundings.write(needsNewline ? bytes + [UInt8(ascii: "\n")] : bytes, to: .output)
    }
}

extension Call {
    /// The home that `--home` names, or the current folder.
    var home: Folder { Folder(value(of: .home) ?? ".") }

    /// Where the running host is: the socket in `--home`, else `--url`, else the current folder's, else ROOST_URL.
    func findHost() throws -> HostAddress {
        if let url = value(of: .url) {
            guard value(of: .home) == nil else { throw UsageError("--home and --url exclude each other") }
            return try Self.address(of: url, from: "--url")
        }
        if try home.status(of: "state/roost.sock") != nil { return .socket(path: home.path("state/roost.sock")) }
        if value(of: .home) == nil, let url = surroundings.variable("ROOST_URL") {
            return try Self.address(of: url, from: "ROOST_URL")
        }
        throw Failure(noHost)
    }

    private static func address(of url: String, from name: String) throws -> HostAddress {
        if url.lowercased().hasPrefix("https:") { throw UsageError.later("https in \(name)") }
        guard let address = HostAddress(url: url) else {
            throw UsageError("\(name) must be http://HOST:PORT, got \"\(url)\"")
        }
        return address
    }

    private var noHost: String {
        let home = value(of: .home)
        let start = "start one with `roost serve\(home.map { " --home \($0)" } ?? "")`"
        return "no host is running in \(home ?? "this folder"): \(start)"
            + (home == nil ? ", or name one by --home DIR or --url URL" : "")
    }

    /// Sends a request to the host. Throws a `Failure` with the host's own words unless it succeeds.
    func ask(_ request: ClientRequest, patience: Instant.Span? = .seconds(30)) throws -> ClientReply {
        let reply = try send(request, patience: patience)
        guard reply.isSuccess else { throw Failure(reply.refusal) }
        return reply
    }

    /// Sends a request to the host; any status is an answer.
    func send(_ request: ClientRequest, patience: Instant.Span? = .seconds(30)) throws -> ClientReply {
        let address = try findHost()
        let request = try authorized(request, for: address)
        do {
            return try Client(address, patience: patience).send(request)
        } catch  where error.code == .unavailable {
            if case .socket = address { throw Failure(noHost) }
            throw error
        }
    }

    private func authorized(_ request: ClientRequest, for address: HostAddress) throws(RoostError) -> ClientRequest {
        guard case .tcp = address, let token = try readToken() else { return request }
        var request = request
        request.headers.append(HeaderField("Authorization", "Bearer \(token)"))
        return request
    }

    /// What a host that is reached over TCP may ask for; nil: nobody has named any.
    private func readToken() throws(RoostError) -> String? {
        guard let file = value(of: .tokenFile) ?? surroundings.variable("ROOST_TOKEN_FILE") else { return nil }
        return try TokenFile.read(file)
    }

    /// For the audit log: who is logged in here.
    private var user: String {
        let name = surroundings.variable("USER") ?? surroundings.variable("LOGNAME") ?? ""
        return name.isEmpty || !name.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? "cli" : name
    }

    /// A state-changing call with a JSON body.
    func change(_ method: String, _ path: String, _ body: JSONValue) throws -> ClientReply {
        try ask(
            ClientRequest(
                method, path,
                headers: [HeaderField("Content-Type", "application/json"), HeaderField("Roost-User", user)],
                body: Array(body.compact.utf8)))
    }
}

extension ClientReply {
    /// The body as JSON. Throws when it is none.
    func json() throws -> JSONValue {
        do {
            return try JSONValue(parsing: body, source: "the host's answer")
        } catch {
            throw Failure("\(error)")
        }
    }

    /// What the host says against it, in its words.
    var refusal: String {
        let said =
            (try? json())?["error"]?.stringValue ?? text.prefix(300).split(separator: "\n").joined(separator: " ")
        return said.isEmpty ? "the host answered with status \(status)" : said
    }
}
