internal import Glibc
public import RoostBasics

/// How the nursery is started, and what holds for all that comes of it.
public struct NurserySettings: Sendable {
    /// The roost-instance binary. Opened once: a later restart runs the same file, also after an upgrade replaced it.
    public var binary: String
    /// All that the nursery and the plugins see of the environment.
    public var environment: [String: String] = [:]
    /// Whom plugins run as when the host is root.
    public var user: UInt32 = 65534
    public var group: UInt32 = 65534
    /// For tests only: lifts the sandbox's rule against forks.
    public var allowsForks = false
    /// Private memory of a process while it loads.
    public var loadMemoryBytes = UInt64(sysconf(Int32(_SC_PHYS_PAGES))) * UInt64(sysconf(Int32(_SC_PAGESIZE))) / 2

    /// Who has not answered for so long is ended: a template asked for a fork, or the nursery itself.
    public var patience = Instant.Span.seconds(10)
    /// As `patience`, of the end of a process that was killed: giving much memory back takes its time.
    public var endPatience = Instant.Span.seconds(60)
    /// As `patience`, of a template that loads.
    public var loadPatience = Instant.Span.seconds(120)

    public init(binary: String) { self.binary = binary }
}

/// What to load, and within which limits. Descriptors are borrowed: the caller may close them after the call.
public struct TemplateOrder: Sendable {
    /// Where the model's bytes are.
    public enum Model: Sendable {
        case none
        case file(Int32)
        /// A section of the plugin's file; `offset` is a multiple of the page size.
        case section(offset: UInt64, bytes: UInt64)
    }

    /// `credit@3`, at most 63 bytes of it.
    public var label: String
    public var plugin: Int32
    public var model = Model.none
    /// Golden examples, JSON Lines.
    public var examples: Int32?
    /// What the card says of the model's columns, as the template's side reads it.
    public var columns: Int32?
    /// From the plugin's record.
    public var isForkSafe = false
    public var needsThreads = false
    public var allowsNetwork = false
    public var openFiles: UInt32 = 64
    /// Its processes run when nobody else wants the processor.
    public var isBackground = false
    /// Rows that a batch may have.
    public var batchRows: UInt32 = 64
    /// Golden examples to check after load; the rest is left.
    public var examplesMax: UInt32 = .max
    /// Private memory of each process after loading; nil: three times what loading took, at least 256 MiB.
    public var memoryBytes: UInt64?
    /// Model memory that all instances share.
    public var modelMemoryBytes: UInt64 = 16 << 30

    public init(label: String, plugin: Int32) {
        self.label = label
        self.plugin = plugin
    }
}

/// What loading found.
public struct LoadReport: Sendable {
    /// From dlopen to the end of the warm-up.
    public let loadNanoseconds: UInt64
    /// Resident memory of the template's own.
    public let privateBytes: UInt64
    /// What the memory limit counts.
    public let dataBytes: UInt64
    /// The limit that was set.
    public let memoryBytes: UInt64
    /// Model memory made for it.
    public let modelMemoryBytes: UInt64
    /// Golden examples that were checked.
    public let examples: Int
    public let threads: Int
    /// Whether instances are forked from it; else it becomes the one instance that is asked of it.
    public let isForkable: Bool
    /// `{"inputs":[{"name","datatype","shape"}],"outputs":[…],"columns":[{"name","type","missing","categories"}]}`.
    /// Written in the sandbox: not to be trusted.
    public let signature: [UInt8]
}
