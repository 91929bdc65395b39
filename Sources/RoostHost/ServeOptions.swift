public import RoostBasics

/// How a host is to run; from the command line.
public struct ServeOptions: Sendable {
    /// Everything of the host lies in this folder.
    public var home = "."
    /// Address and port for TCP; port 0 lets the system choose.
    public var listen = (host: "127.0.0.1", port: UInt16(8080))
    /// Names under which browsers may reach the host, besides its address and localhost.
    public var hosts: [String] = []
    /// A file with the token that management over TCP asks for; nil: it asks for none, and stays on loopback.
    public var tokenFile: String?
    /// Files that this process may have open; connections may take what instances leave of them.
    public var openFilesMax = 20_000
    public var bodyBytesMax = 64 << 20
    /// All bodies that wait in memory; nil: an eighth of RAM.
    public var heldBodyBytesMax: Int?
    /// How long requests may take to finish when the host ends.
    public var drain = Instant.Span.seconds(30)
    /// Lists the folders this often, for file systems that do not tell of changes.
    public var rescan: Instant.Span?
    /// How long a version may take to load in probation.
    public var loadTimeout = Instant.Span.seconds(60)
    /// Private memory of a process while it loads; nil: half of RAM.
    public var loadMemory: ByteCount?
    /// Memory for templates that wait to be forked; nil: a quarter of RAM.
    public var warmMemory: ByteCount?
    /// Instances of all versions together.
    public var instancesMax = 256
    /// Whom plugins run as when the host is root.
    public var user: UInt32 = 65534
    /// Folders besides the home's `data/` below which jobs may read and write.
    public var dataFolders: [String] = []
    /// Versions per function that stay though superseded.
    public var keep = 10
    /// The folder of the `roost` binary, where roost-instance and the bundled runtimes are looked for.
    public var binaries = "."
    /// Further folders of runtimes.
    public var runtimeFolders: [String] = []
    /// For tests: leaves out the sandbox's rule against forks.
    public var allowsForks = false
    /// Processors that this process may use.
    public var cores = 1
    /// Identifies the build: verifications by another are done again.
    public var build = RoostVersion.current

    public init() {}
}

/// The version of Roost.
public enum RoostVersion {
    public static let current = roostRelease
}
