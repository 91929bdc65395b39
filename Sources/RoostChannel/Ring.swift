internal import CRoost
internal import Glibc

/// A memfd that both sides map, and where its parts lie.
///
/// Invariant: `base` is a mapping of `ROOST_CHANNEL_PAGE + 4 * ringBytes` bytes made by `roost_channel_map`
/// and lives as long as this object; the file is sealed against shrinking, so that no peer can take pages away.
@safe final class ChannelMapping {
    let base: UnsafeMutableRawPointer
    let ringBytes: Int

    init(memory: Int32, ringBytes: Int) throws(ChannelError) {
        guard let base = unsafe roost_channel_map(memory, UInt64(ringBytes)) else {
            throw .system("mmap of a channel", errno)
        }
        unsafe self.base = unsafe base
        self.ringBytes = ringBytes
    }

    var page: UnsafeMutablePointer<roost_channel_page> {
        unsafe base.assumingMemoryBound(to: roost_channel_page.self)
    }
    var requests: UnsafeMutableRawPointer { unsafe base + Int(ROOST_CHANNEL_PAGE) }
    var replies: UnsafeMutableRawPointer { unsafe requests + 2 * ringBytes }

    deinit { unsafe munmap(base, Int(ROOST_CHANNEL_PAGE) + 4 * ringBytes) }

    static let ringBytesRange = 64 * 1024...64 * 1024 * 1024

    /// Frames are padded to this, so that headers are aligned.
    static func padded(_ size: Int) -> Int { (size + 7) & ~7 }
}

extension UnsafeMutableRawPointer {
    /// Copies `bytes` here; the caller has made sure of the room.
    func put(_ bytes: RawSpan) {
        guard bytes.byteCount > 0 else { return }
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe copyMemory(from: start, byteCount: source.count)
        }
    }
}
