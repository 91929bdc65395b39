public import RoostBasics

/// The options of `roost serve`. Nil: what the host finds right for the machine.
public struct ServeSettings: Hashable, Sendable {
    public var home = "."
    public var listen = Endpoint(host: "127.0.0.1", port: 8080)
    /// Largest body of one request.
    public var bodyMax: ByteCount = .mebibytes(64)
    /// All bodies in memory together; nil: an eighth of the machine's.
    public var bodiesInMemoryMax: ByteCount?
    /// How long running requests may take to finish after SIGTERM.
    public var drain: Instant.Span = .seconds(30)
    /// How often the drop folder is listed where the file system gives no events; nil: never.
    public var rescan: Instant.Span?
    /// User that plugins run as when the host is root: a name or a number; nil: 65534.
    public var user: String?
    /// Memory that the first load of a version may take; nil: half of the machine's.
    public var loadMemory: ByteCount?
    /// Further names under which browsers may reach the host.
    public var hostNames: [String] = []
    /// Versions kept in the store for each function.
    public var keep = 10

    public init() {}
}

/// An address to listen on: `127.0.0.1:8080`, `[::1]:0`.
public struct Endpoint: Hashable, Sendable {
    /// Without brackets.
    public let host: String
    public let port: UInt16

    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Checked for its form only.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[colon...].dropFirst()) else { return nil }
        var host = text[..<colon]
        if host.first == "[" && host.last == "]" {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: port)
    }
}
