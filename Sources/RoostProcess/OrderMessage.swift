internal import CRoost
internal import Glibc
internal import RoostBasics

/// An order as it travels.
struct OrderMessage {
    let raw: roost_message
    /// Plugin, model, examples and columns, as far as present; still the caller's.
    let descriptors: [Int32]

    init(_ order: TemplateOrder, _ settings: NurserySettings) throws(RoostError) {
        var (message, wanted) = (roost_message(), roost_order())
        var descriptors = [order.plugin]
        message.kind = ROOST_ORDER.rawValue
        func set(_ flag: roost_message_flags, when condition: Bool) { if condition { message.flags |= flag.rawValue } }
        set(ROOST_IS_FORK_SAFE, when: order.isForkSafe)
        set(ROOST_ALLOW_THREADS, when: order.needsThreads)
        set(ROOST_ALLOW_NETWORK, when: order.allowsNetwork)
        set(ROOST_IN_BACKGROUND, when: order.isBackground)
        set(ROOST_FORKS_ALLOWED, when: settings.allowsForks)
        switch order.model {
        case .none: break
        case .file(let file):
            var status = stat()
            guard unsafe fstat(file, &status) == 0, status.st_size > 0 else {
                throw RoostError(.invalidArgument, "load \(order.label): its model file is empty or cannot be read")
            }
            set(ROOST_WITH_MODEL, when: true)
            wanted.model_bytes = UInt64(status.st_size)
            descriptors.append(file)
        case .section(let offset, let bytes):
            guard offset % UInt64(sysconf(Int32(_SC_PAGESIZE))) == 0 else {
                throw RoostError(.invalidArgument, "load \(order.label): its model is not at a page: pack it again")
            }
            set(ROOST_MODEL_IN_PLUGIN, when: true)
            (wanted.model_offset, wanted.model_bytes) = (offset, bytes)
        }
        if let examples = order.examples {
            set(ROOST_WITH_EXAMPLES, when: true)
            descriptors.append(examples)
        }
        if let columns = order.columns {
            set(ROOST_WITH_COLUMNS, when: true)
            descriptors.append(columns)
        }
        wanted.load_memory_bytes = settings.loadMemoryBytes
        wanted.memory_bytes = order.memoryBytes ?? 0
        wanted.open_files = order.openFiles
        wanted.batch_rows = order.batchRows
        wanted.examples_max = order.examplesMax
        (wanted.user, wanted.group) = (settings.user, settings.group)
        unsafe withUnsafeMutableBytes(of: &wanted.label) { label in
            unsafe label.copyBytes(from: order.label.utf8.prefix(label.count - 1))
        }
        message.order = wanted
        self.descriptors = descriptors
        raw = message
    }
}
