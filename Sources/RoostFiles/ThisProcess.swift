internal import CRoost
internal import Glibc
public import RoostBasics

/// Where this process came from and what it may use.
public enum ThisProcess {
    /// The folder of the running program, links resolved.
    public static func programFolder() throws(RoostError) -> Folder {
        var path = [CChar](repeating: 0, count: 4096)
        let count = unsafe readlink("/proc/self/exe", &path, path.count - 1)
        guard count > 0 else { throw .failed("find the running program") }
        let text = String(decoding: path.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return Folder(text.lastIndex(of: "/").map { String(text[..<$0]) } ?? ".")
    }

    /// Asks the scheduler to let the calling thread run soon when it has something to do, and never for long.
    public static func takeShortTurns() { roost_take_short_turns(100_000) }

    /// Lets the calling thread run only when nobody else wants the processor.
    public static func yieldToOthers() { roost_yield_to_others() }

    /// Keeps some freed memory for the next body of a megabyte: what the kernel has to find and to clear anew, page by
    /// page, costs more than reading and answering it (a millisecond on the machine where this was measured).
    public static func keepFreedMemory() { roost_keep_freed_memory() }

    /// Processors that it may run on, by its affinity.
    public static var cores: Int { max(1, Int(roost_cores())) }

    /// The machine's memory.
    public static var memoryBytes: Int { sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE)) }

    /// The number of a user given by name or number; nil when there is none.
    public static func userNumber(_ text: String) -> UInt32? {
        if let number = UInt32(text) { return number }
        guard let entry = unsafe getpwnam(text) else { return nil }
        return unsafe entry.pointee.pw_uid
    }
}
