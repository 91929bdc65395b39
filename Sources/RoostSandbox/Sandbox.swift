internal import CRoost
internal import Glibc
public import RoostBasics

/// What a template may do once it runs foreign code.
public struct SandboxSettings: Sendable {
    /// Taken when the process is root.
    public var user: UInt32 = 65534
    public var group: UInt32 = 65534
    public var openFiles: UInt64 = 64
    /// Private memory (RLIMIT_DATA) while loading.
    public var loadMemoryBytes: UInt64 = 0
    public var allowsNetwork = false
    public var allowsThreads = false
    /// For tests only: lifts the rule against forks, to show that nothing outlives the host all the same.
    public var allowsForks = false
    /// Whether instances will be forked from this process.
    public var willFork = true

    public init() {}
}

/// The rooms of the sandbox, entered in an order that each later step relies on.
public enum Sandbox {
    public struct Entry: Sendable {
        /// Parts that this kernel or user cannot have, in words.
        public var warnings: [String] = []
        /// The listener of refused system calls; the caller's to pass on and close.
        public var refusals: Int32?
    }

    /// Restricts this process for good. Standard descriptors and those that the process needs are open by now,
    /// all others closed; `parent` is whom to die with; `files` may be opened again.
    /// Throws when a part fails that is not merely absent; the caller then exits.
    public static func enter(
        _ settings: SandboxSettings, parent: Int32, files: [Int32]
    ) throws(RoostError) -> Entry {
        var entry = Entry()
        // The folders are found before anything is closed off.
        let landlock = try Landlock.prepare(refusingNetwork: !settings.allowsNetwork, files: files)
        let wasRoot = geteuid() == 0
        let kept = roost_drop_root(settings.user, settings.group)
        try check(kept, "giving up root")
        if !wasRoot {
            entry.warnings.append("the host is not root: plugins run as its own user")
        } else if kept > 0 {
            entry.warnings.append(
                "cannot become user \(settings.user) (\(SystemError.text(kept))): plugins run as the host's")
        }
        // After the change of user, which clears it.
        try check(roost_die_with_parent(parent), "tying the process to its parent")
        try check(roost_no_new_privileges(), "no_new_privs")
        if let landlock {
            try check(roost_landlock_enforce(landlock), "Landlock")
            if !scopesSignals {
                entry.warnings.append(
                    "this kernel's Landlock is older than 6.12: while it loads, a plugin can signal other plugins")
            }
        } else {
            entry.warnings.append("this kernel has no Landlock: plugins can read what the user \(settings.user) can")
        }
        try limit(settings)
        do throws(RoostError) {
            entry.refusals = try SystemCalls.restrict(settings)
        } catch {
            entry.warnings.append("this kernel has no seccomp filters (\(error)): plugins can make any system call")
        }
        return entry
    }

    /// Pays first-use costs of `enter` in a process that does not enter; its forks share what that leaves in memory.
    public static func rehearse() {
        SystemCalls.rehearse()
        if let ruleset = try? Landlock.prepare(refusingNetwork: true, files: []) { close(ruleset) }
    }

    /// Limits open files: after the listener has been passed on, because the kernel holds this limit also against
    /// all descriptors that this user has on their way through sockets.
    public static func limitFiles(_ settings: SandboxSettings) throws(RoostError) {
        try check(roost_limit(ROOST_LIMIT_FILES, settings.openFiles), "the limit of open files")
    }

    /// Lowers the limit of private memory, after loading. Counted as RLIMIT_DATA counts: what may be written
    /// and is not shared.
    public static func limitMemory(bytes: UInt64) throws(RoostError) {
        try check(roost_limit(ROOST_LIMIT_MEMORY, bytes), "the memory limit")
    }

    /// The further step of an instance: no process but itself is within its reach.
    public static func enterInstance(_ settings: SandboxSettings, parent: Int32) throws(RoostError) {
        try check(roost_die_with_parent(parent), "tying the instance to its parent")
        let refusesForks = settings.willFork && !settings.allowsForks && !settings.allowsThreads
        // A filter is absent where seccomp is: the template has said so.
        _ = roost_settle_instance(refusesForks ? 1 : 0, scopesSignals ? 1 : 0)
    }

    /// Found out in the template: its forks know.
    private static let scopesSignals = roost_landlock_version() >= ROOST_LANDLOCK_SIGNALS

    private static func limit(_ settings: SandboxSettings) throws(RoostError) {
        try check(roost_limit(ROOST_LIMIT_CORE, 0), "the limit of core files")
        try check(roost_limit(ROOST_LIMIT_LOCKED, 0), "the limit of locked memory")
        try check(roost_limit(ROOST_LIMIT_QUEUES, 0), "the limit of message queues")
        try check(roost_limit(ROOST_LIMIT_STACK, stackBytes), "the limit of the stack")
        guard settings.loadMemoryBytes > 0 else { return }
        try limitMemory(bytes: settings.loadMemoryBytes)
        // Address space is no memory, but each 512 bytes of it that are looked at cost one for the tables of pages.
        let addresses = (64 << 30) + 8 * min(settings.loadMemoryBytes, 1 << 50)
        try check(roost_limit(ROOST_LIMIT_ADDRESSES, addresses), "the limit of address space")
    }

    private static let stackBytes: UInt64 = 64 << 20

    static func check(_ status: Int32, _ part: String) throws(RoostError) {
        guard status >= 0 else { throw RoostError(.system, "sandbox: \(part): \(SystemError.text(-status))") }
    }
}
