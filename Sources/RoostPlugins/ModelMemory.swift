internal import CRoost
internal import Glibc
public import RoostBasics

/// Memory that a plugin fills while loading and that all instances share afterwards.
///
/// Taken from files that the host makes, sizes and counts: page tables of file mappings are not copied by fork,
/// so instances start equally fast with a gigabyte of it.
@safe public final class ModelMemory {
    /// A mapped file. Safe: `[start, start + size)` is mapped until the process ends.
    @safe private struct Chunk {
        let start: UnsafeMutableRawPointer
        let size: Int
        let descriptor: Int32
        var used: Int
    }

    private static let chunkBytesMin = 4 << 20
    private static let alignment = 64
    private var chunks: [Chunk] = []
    private var isSealed = false
    private let request: (Int) -> Int32?

    /// `request` gives a memory file of that many bytes, or nil above the limit.
    public init(request: @escaping (Int) -> Int32?) { self.request = request }

    /// Bytes handed out so far.
    public var usedBytes: Int { chunks.reduce(0) { $0 + $1.used } }

    /// Zeroed, 64-byte aligned, never freed; nil when there is no more.
    func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        guard !isSealed, size > 0, size <= Int.max - (1 << 24) else { return nil }
        let rounded = (size + Self.alignment - 1) & ~(Self.alignment - 1)
        // A large block has a chunk of its own, so the one with room may not be the newest.
        if !chunks.contains(where: { $0.size - $0.used >= rounded }), !addChunk(rounded) { return nil }
        guard let index = chunks.firstIndex(where: { $0.size - $0.used >= rounded }) else { return nil }
        defer { chunks[index].used += rounded }
        return unsafe chunks[index].start + chunks[index].used
    }

    private func addChunk(_ size: Int) -> Bool {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let rounded = max(Self.chunkBytesMin, (size + page - 1) / page * page)
        guard let descriptor = request(rounded) else { return false }
        let start = unsafe mmap(nil, rounded, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let start = unsafe start, unsafe start != MAP_FAILED else {
            close(descriptor)
            return false
        }
        unsafe chunks.append(Chunk(start: start, size: rounded, descriptor: descriptor, used: 0))
        return true
    }

    /// After load: the same addresses become private and read-only, and the files are sealed for good. A wild write
    /// from then on ends, or at worst changes, only the process that makes it.
    public func seal() throws(RoostError) {
        isSealed = true
        for chunk in chunks {
            let place = unsafe mmap(
                chunk.start, chunk.size, PROT_READ, MAP_FIXED | MAP_PRIVATE, chunk.descriptor, 0)
            let mapped = unsafe place == chunk.start
            let status = mapped ? roost_seal(chunk.descriptor, 1) : -errno
            close(chunk.descriptor)
            guard status == 0 else { throw RoostError(.system, "sealing model memory failed (error \(-status))") }
        }
    }
}
