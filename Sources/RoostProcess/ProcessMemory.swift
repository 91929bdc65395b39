internal import Glibc

/// Resident memory of a process below the host, as the kernel counts it.
public struct ProcessMemory: Hashable, Sendable {
    /// Pages of its own, and pages that it shares with others.
    public let privateBytes: Int
    public let sharedBytes: Int

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
        sharedBytes = (sums["Shared_Clean:"] ?? 0) + (sums["Shared_Dirty:"] ?? 0)
    }
}
