internal import RoostBasics
internal import RoostFiles
internal import RoostShell

/// A page of the command line: `roost serve`.
let serveCommand = Command(
    name: "serve", operands: "[--home DIR] [--listen HOST:PORT]",
    summary: "serve the models of a home folder until told to stop",
    details: [
        """
        Makes plugins/, functions/, state/ and data/ in the home when they are missing, serves what was served before, \
        and takes up every file dropped into plugins/. Prints "roost: listening on http://HOST:PORT" once it answers, \
        then a line for each deployment.
        """,
        """
        SIGTERM or Ctrl-C: no new connections, what runs may finish within --drain, exit 0. A second signal ends it \
        at once.
        """,
    ],
    options: [
        Option("home", value: "DIR", "the home folder (default: the current one)"), ServeOption.listen,
        ServeOption.bodyMax, ServeOption.bodiesMax, ServeOption.drain, ServeOption.loadTimeout, ServeOption.rescan,
        ServeOption.user,
        ServeOption.loadMemory, ServeOption.warmMemory, ServeOption.instancesMax, ServeOption.host, ServeOption.keep,
        ServeOption.tokenFile, ServeOption.data, .later("store-max", value: "SIZE"),
    ],
    examples: [
        Example("roost serve --home demo", "a host in demo/, on this machine only"),
        Example("roost serve --listen 0.0.0.0:80 --user models", "inference for the network; plugins run as `models`"),
    ],
    run: { call in
        _ = try call.operands(0...0)
        return call.host.serve(try ServeSettings(call))
    })

private enum ServeOption {
    static let listen = Option(
        "listen", value: "HOST:PORT",
        """
        where to listen (default: 127.0.0.1:8080; port 0: any free one). Beyond loopback only inference, health and \
        metrics are served; management stays on this machine, or needs --token-file
        """)
    static let tokenFile = Option(
        "token-file", value: "FILE",
        """
        management over TCP asks for the token in this file (Authorization: Bearer TOKEN), and is then served beyond \
        loopback too; the host's own socket asks for none
        """)
    static let bodyMax = Option("max-body", value: "SIZE", "largest body of one request (default: 64MiB)")
    static let bodiesMax = Option(
        "max-memory-bodies", value: "SIZE", "all bodies in memory together (default: an eighth of the memory)")
    static let loadTimeout = Option(
        "load-timeout", value: "TIME", "how long a version may take to load (default: 60s)")
    static let drain = Option("drain", value: "TIME", "how long running requests may take to finish (default: 30s)")
    static let rescan = Option(
        "rescan", value: "TIME", "list plugins/ that often, for file systems that give no events (default: never)")
    static let user = Option(
        "user", value: "USER", "as root: the user, by name or number, that plugins run as (default: 65534)")
    static let loadMemory = Option(
        "load-memory", value: "SIZE", "memory that the first load of a version may take (default: half of all)")
    static let warmMemory = Option(
        "warm-memory", value: "SIZE",
        "memory for models that are loaded and wait for a request (default: a quarter of all)")
    static let instancesMax = Option(
        "max-instances", value: "N", "instances of all functions together (default: 128 for each core)")
    static let data = Option(
        "data", value: "DIR", "a further folder below which jobs may read and write, besides data/; may be repeated")
    static let host = Option(
        "host", value: "NAME", "a further name by which browsers may reach this host; may be repeated")
    static let keep = Option("keep", value: "N", "versions kept in the store for each function (default: 10)")
}

extension ServeSettings {
    init(_ call: Call) throws {
        self.init()
        home = call.home.path
        listen = try call.value(of: ServeOption.listen, as: "HOST:PORT", Self.endpoint) ?? listen
        bodyMax = try call.size(of: ServeOption.bodyMax) ?? bodyMax
        bodiesInMemoryMax = try call.size(of: ServeOption.bodiesMax)
        drain = try call.time(of: ServeOption.drain) ?? drain
        loadTimeout = try call.time(of: ServeOption.loadTimeout) ?? loadTimeout
        rescan = try call.time(of: ServeOption.rescan)
        if rescan?.nanoseconds == 0 { throw UsageError("--rescan must be longer than nothing") }
        user = try call.value(of: ServeOption.user, as: "a user", { $0.isEmpty ? nil : $0 })
        loadMemory = try call.size(of: ServeOption.loadMemory)
        warmMemory = try call.size(of: ServeOption.warmMemory)
        instancesMax = try call.value(
            of: ServeOption.instancesMax, as: "1 or more", { Int($0).flatMap { $0 > 0 ? $0 : nil } })
        tokenFile = call.value(of: ServeOption.tokenFile)
        hostNames = call.arguments.values(of: ServeOption.host.name.long)
        dataFolders = call.arguments.values(of: ServeOption.data.name.long)
        keep = try call.value(of: ServeOption.keep, as: "1 or more", { Int($0).flatMap { $0 > 0 ? $0 : nil } }) ?? keep
    }

    /// `127.0.0.1:8080`, `[::1]:0`; checked for its form only.
    private static func endpoint(_ text: String) -> String? {
        guard let colon = text.lastIndex(of: ":"), UInt16(text[colon...].dropFirst()) != nil else { return nil }
        let host = text[..<colon]
        let isBracketed = host.first == "[" && host.last == "]"
        return host.isEmpty || host.contains(":") && !isBracketed ? nil : text
    }
}

extension Call {
    fileprivate func size(of option: Option) throws -> ByteCount? {
        try value(of: option, as: "a size like 64MiB", { ByteCount($0).flatMap { $0.bytes > 0 ? $0 : nil } })
    }

    fileprivate func time(of option: Option) throws -> Instant.Span? {
        try value(of: option, as: "a time like 30s", { Instant.Span($0) })
    }
}
