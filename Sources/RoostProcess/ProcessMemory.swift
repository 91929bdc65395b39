internal import Glibc
public import RoostBasics

/// Resident memory of a process below the host, as the kernel counts it.
public struct ProcessMemory: Hashable, Sendable {
    /// Pages of its own, and pages that it shares with others.
    public let privateBytes: Int
    public let sharedBytes: Int
    /// Its own pages, and of each shared one the part that falls on it (PSS).
    public let proportionalBytes: Int

    /// Nil when there is no such process any more.
    public init?(of process: Int32) {
        let file = unsafe open("/proc/\(process)/smaps_rollup", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe read(file, &buffer, buffer.count)
        guard count > 0 else { return nil }
        var sums: [String: Int] = [:]
        for line in String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            if words.count >= 2, let kilobytes = Int(words[1]) { sums[String(words[0])] = kilobytes * 1024 }
        }
        privateBytes = (sums["Private_Clean:"] ?? 0) + (sums["Private_Dirty:"] ?? 0)
        proportionalBytes = sums["Pss:"] ?? 0
        sharedBytes = (sums["Shared_Clean:"] ?? 0) + (sums["Shared_Dirty:"] ?? 0)
    }
}

/// CPU time that a process below the host has used so far.
public enum ProcessTime {
    /// Zero when there is no such process any more.
    public static func used(by process: Int32) -> Instant.Span {
        // The first is exact and knows one thread, the second knows all and counts in ticks.
        let exact = number(0, of: "/proc/\(process)/schedstat", behind: nil) ?? 0
        let path = "/proc/\(process)/stat"
        let ticks = (number(11, of: path, behind: ")") ?? 0) + (number(12, of: path, behind: ")") ?? 0)
        let tick = 1_000_000_000 / UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))
        return Instant.Span(nanoseconds: max(exact, ticks * tick))
    }

    private static func number(_ index: Int, of path: String, behind mark: Character?) -> UInt64? {
        let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 1024)
        let count = unsafe read(file, &buffer, buffer.count)
        guard count > 0 else { return nil }
        var text = String(decoding: buffer[..<count], as: UTF8.self)[...]
        // A process's name may hold anything, spaces too.
        if let mark, let end = text.lastIndex(of: mark) { text = text[text.index(after: end)...] }
        let words = text.split(separator: " ")
        return index < words.count ? UInt64(words[index]) : nil
    }
}
