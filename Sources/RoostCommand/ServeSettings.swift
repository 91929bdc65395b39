public import RoostBasics

/// The options of `roost serve`. Nil: what the host finds right for the machine.
public struct ServeSettings: Hashable, Sendable {
    public var home = "."
    public var listen = "127.0.0.1:8080"
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
    /// Memory for templates that wait to be forked; nil: a quarter of the machine's.
    public var warmMemory: ByteCount?
    /// Instances of all functions together; nil: 128 for each core.
    public var instancesMax: Int?
    /// How long a version may take to load before it counts as hanging.
    public var loadTimeout: Instant.Span = .seconds(60)
    /// Further names under which browsers may reach the host.
    public var hostNames: [String] = []
    /// A file with the token that management over TCP asks for; nil: none, and management stays on loopback.
    public var tokenFile: String?
    /// Folders besides data/ below which jobs may read and write.
    public var dataFolders: [String] = []
    /// Versions kept in the store for each function.
    public var keep = 10

    public init() {}
}
