internal import CRoost
internal import RoostBasics

/// What the host wants loaded, and within which limits.
public struct TemplateOrder: Sendable {
    /// `credit@3`.
    public var label = ""
    public var sandbox = SandboxSettings()
    /// Private memory after loading; 0: three times what loading took, at least 256 MiB.
    public var memoryBytes: UInt64 = 0
    /// Where the model's bytes are: a file of their own, a part of the plugin's, or nowhere.
    public var model = Model.none
    public var hasExamples = false
    var hasColumns = false
    /// What the card says of the model's columns, as it travels; empty when it says nothing.
    public internal(set) var columns: [UInt8] = []
    /// Golden examples to check after load; the rest is left.
    public var examplesMax = 0
    /// Rows that a batch may have.
    public var batchRows = 1
    /// Its processes run when nobody else wants the processor.
    public var isBackground = false
    /// The plugin's records say that its process may be forked.
    public var isForkSafe = false

    public enum Model: Sendable { case none, file(bytes: Int), section(offset: Int, bytes: Int) }

    init(_ message: roost_message) {
        let (order, flags) = (message.order, message.flags)
        func has(_ flag: roost_message_flags) -> Bool { flags & flag.rawValue != 0 }
        label = unsafe withUnsafeBytes(of: order.label) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        sandbox.user = order.user
        sandbox.group = order.group
        sandbox.openFiles = UInt64(order.open_files)
        sandbox.loadMemoryBytes = order.load_memory_bytes
        sandbox.allowsNetwork = has(ROOST_ALLOW_NETWORK)
        sandbox.allowsThreads = has(ROOST_ALLOW_THREADS)
        sandbox.allowsForks = has(ROOST_FORKS_ALLOWED)
        isForkSafe = has(ROOST_IS_FORK_SAFE) && !sandbox.allowsThreads
        sandbox.willFork = isForkSafe
        isBackground = has(ROOST_IN_BACKGROUND)
        memoryBytes = order.memory_bytes
        examplesMax = Int(order.examples_max)
        batchRows = max(1, Int(order.batch_rows))
        hasExamples = has(ROOST_WITH_EXAMPLES)
        hasColumns = has(ROOST_WITH_COLUMNS)
        if has(ROOST_WITH_MODEL) {
            model = .file(bytes: Int(order.model_bytes))
        } else if has(ROOST_MODEL_IN_PLUGIN) {
            model = .section(offset: Int(order.model_offset), bytes: Int(order.model_bytes))
        }
    }
}
