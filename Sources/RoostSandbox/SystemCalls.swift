internal import CRoost
internal import CSeccomp
internal import Glibc
internal import RoostBasics

/// The seccomp filter of a template and of all instances forked from it.
///
/// Owns libseccomp's context; nothing of it is left once the filter is in force.
@safe final class SystemCalls {
    private let context: scmp_filter_ctx
    /// A refusal is announced to whoever holds the listener, where the kernel can do that; else it is silent.
    private let announces: Bool

    // From linux/sched.h and linux/prctl.h, which Swift does not see.
    private static let (cloneVM, cloneSignals): (UInt64, UInt64) = (0x100, 0x800)
    private static let (cloneParent, cloneThread): (UInt64, UInt64) = (0x8000, 0x10000)
    private static let prctlOptions: [UInt64] = [1, 3, 15, 16, 0x5356_4d41]  // PDEATHSIG, DUMPABLE, names, VMA names

    /// Of fcntl: copies, flags, locks, seals. What it does beyond that reaches others: signals at every input
    /// (SETOWN, SETSIG), leases that make the host's next open wait, notices of changes, larger pipes.
    private static let descriptorCommands = Array(0...7) + [36, 37, 38, 1030, 1032, 1033, 1034]
    private static let refusedCommands = [8, 10, 15, 1024, 1026, 1031]

    private static let allow: UInt32 = 0x7fff_0000
    private static let notify: UInt32 = 0x7fc0_0000
    private static func error(_ number: Int32) -> UInt32 { 0x0005_0000 | UInt32(number) }

    private init(announces: Bool) throws(RoostError) {
        guard let context = unsafe seccomp_init(Self.error(ENOSYS)) else {
            throw RoostError(.system, "sandbox: seccomp_init failed")
        }
        unsafe self.context = context
        self.announces = announces
        _ = unsafe seccomp_attr_set(context, SCMP_FLTATR_CTL_TSYNC, 0)
    }

    deinit { unsafe seccomp_release(context) }

    /// Puts the filter in force. Returns the listener of refused calls, or nil when this kernel has none.
    static func restrict(_ settings: SandboxSettings) throws(RoostError) -> Int32? {
        let filter = try SystemCalls(announces: seccomp_api_get() >= 5)
        try filter.addRules(settings)
        let status = unsafe seccomp_load(filter.context)
        guard status == 0 else { throw RoostError(.system, "sandbox: seccomp: \(SystemError.text(-status))") }
        return filter.announces ? unsafe seccomp_notify_fd(filter.context) : nil
    }

    /// Builds a filter for nobody: what its making costs for the first time is paid before there is anybody to fork.
    static func rehearse() { try? SystemCalls(announces: seccomp_api_get() >= 5).addRules(SandboxSettings()) }

    private func addRules(_ settings: SandboxSettings) throws(RoostError) {
        for rule in SyscallRules.allowed { try add(rule, Self.allow) }
        for rule in SyscallRules.refused where !(settings.allowsForks && rule.names.contains("fork")) {
            try add(rule, refusal)
        }
        try add(SyscallRules.network, settings.allowsNetwork ? Self.allow : refusal)
        if settings.allowsNetwork {
            // Not the sockets of this machine: a path to the host's own would be one of them.
            for family in [AF_INET, AF_INET6] { try add("socket", Self.allow, [.init(0, equal: UInt64(family))]) }
        } else {
            try add("socket", refusal)
        }
        try addProcesses(settings)
        try addMemory()
        try addFiles()
        try addSelf()
    }

    /// Whether whoever holds the listener can also let a call pass.
    private var asksForForks: Bool { announces && seccomp_api_get() >= 6 }

    private var refusal: UInt32 { announces ? Self.notify : Self.error(EPERM) }

    /// Templates fork instances as children of the nursery; nothing else makes processes or threads.
    private func addProcesses(_ settings: SandboxSettings) throws(RoostError) {
        let sibling = Self.cloneParent | UInt64(SIGCHLD)
        if settings.allowsForks {
            try add("fork", Self.allow)
            try add("vfork", Self.allow)
            try add("clone", Self.allow)
        } else if settings.allowsThreads {
            let bits = [Self.cloneVM, Self.cloneSignals, Self.cloneThread]
            for bit in bits {
                try add("clone", refusal, [.init(0, bits: bit, equal: 0)])
            }
            try add("clone", Self.allow, [.init(0, bits: bits.reduce(0, |), equal: bits.reduce(0, |))])
        } else if settings.willFork, asksForForks {
            // The host answers, and knows whether it has ordered one.
            try add("clone", Self.notify)
        } else if settings.willFork {
            try add("clone", Self.allow, [.init(0, equal: sibling)])
            try add("clone", refusal, [.init(0, unequal: sibling)])
        } else {
            try add("clone", refusal)
        }
    }

    private func addMemory() throws(RoostError) {
        // Shared anonymous memory, and what grows like a stack, is private memory that the limit does not count.
        let (shared, anonymous, grows) = (UInt64(MAP_SHARED), UInt64(MAP_ANONYMOUS), UInt64(MAP_GROWSDOWN))
        try add("mmap", Self.allow, [.init(3, bits: anonymous | grows, equal: 0)])
        try add("mmap", Self.allow, [.init(3, bits: shared | anonymous | grows, equal: anonymous)])
        try add("mmap", refusal, [.init(3, bits: grows, equal: grows)])
        try add("mmap", refusal, [.init(3, bits: shared | anonymous | grows, equal: shared | anonymous)])
        try add("prlimit64", Self.allow, [.init(0, equal: 0)])
        try add("setrlimit", Self.allow)
    }

    private func addFiles() throws(RoostError) {
        // Landlock says what may be read; that nothing may be written holds without it too.
        for (name, flags) in [("open", UInt32(1)), ("openat", 2)] {
            let writing = UInt64(O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)
            try add(name, Self.allow, [.init(flags, bits: writing, equal: 0)])
            for bit in [UInt64(O_WRONLY), UInt64(O_RDWR), UInt64(O_CREAT), UInt64(O_TRUNC)] {
                try add(name, Self.error(EACCES), [.init(flags, bits: bit, equal: bit)])
            }
        }
        for command in Self.descriptorCommands { try add("fcntl", Self.allow, [.init(1, equal: UInt64(command))]) }
        for command in Self.refusedCommands { try add("fcntl", refusal, [.init(1, equal: UInt64(command))]) }
        for request in [TCGETS, FIONREAD] { try add("ioctl", Self.allow, [.init(1, equal: UInt64(request))]) }
    }

    private func addSelf() throws(RoostError) {
        for option in Self.prctlOptions { try add("prctl", Self.allow, [.init(0, equal: option)]) }
    }

    private func add(_ rule: SyscallRule, _ action: UInt32) throws(RoostError) {
        for name in rule.names { try add(name, action) }
    }

    private func add(_ name: String, _ action: UInt32, _ conditions: [Condition] = []) throws(RoostError) {
        let number = unsafe seccomp_syscall_resolve_name(name)
        guard number >= 0 else { return }  // not on this architecture
        let comparisons = conditions.map(\.comparison)
        let status = unsafe seccomp_rule_add_array(context, action, number, UInt32(comparisons.count), comparisons)
        guard status == 0 || status == -EEXIST else {
            throw RoostError(.system, "sandbox: seccomp rule for \(name): \(SystemError.text(-status))")
        }
    }

    /// What one argument of a call has to be.
    private struct Condition {
        let comparison: scmp_arg_cmp

        init(_ argument: UInt32, equal value: UInt64) {
            comparison = scmp_arg_cmp(arg: argument, op: SCMP_CMP_EQ, datum_a: value, datum_b: 0)
        }
        init(_ argument: UInt32, unequal value: UInt64) {
            comparison = scmp_arg_cmp(arg: argument, op: SCMP_CMP_NE, datum_a: value, datum_b: 0)
        }
        init(_ argument: UInt32, bits mask: UInt64, equal value: UInt64) {
            comparison = scmp_arg_cmp(arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
        }
    }
}
