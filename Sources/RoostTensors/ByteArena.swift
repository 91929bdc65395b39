/// Bytes of strings, packed into blocks that never move, given back all at once or down to a mark.
///
/// Invariant that makes it safe: `blocks` are this object's own memory; `[0, used)` of block `current` and
/// all of the blocks before it are in use; a pointer that was handed out stays valid until `rollback` to a
/// mark taken before, `reset`, or release.
@safe public final class ByteArena {
    /// A place to come back to.
    public struct Mark: Hashable, Sendable {
        fileprivate let block: Int
        fileprivate let used: Int
    }

    @safe private struct Block {
        let start: UnsafeMutablePointer<UInt8>
        let size: Int
    }

    /// Of a block, in bytes, unless one string needs more.
    public static let blockBytes = 64 << 10

    private var blocks: [Block] = []
    private var current = 0
    private var used = 0

    public init() {}

    deinit {
        for block in blocks { unsafe block.start.deallocate() }
    }

    public var mark: Mark { Mark(block: current, used: used) }

    public func rollback(to mark: Mark) {
        precondition((mark.block, mark.used) <= (current, used), "rolled back to a later mark")
        current = mark.block
        used = mark.used
    }

    /// Gives everything back; blocks of the usual size are kept, up to 64 of them.
    public func reset() {
        current = 0
        used = 0
        if blocks.count > 64 || blocks.contains(where: { $0.size > Self.blockBytes }) {
            for block in blocks { unsafe block.start.deallocate() }
            blocks.removeAll()
        }
    }

    /// Room for `size` bytes, of which `keep` then keeps the first ones. Valid until the next call.
    @unsafe public func reserve(_ size: Int) -> UnsafeMutablePointer<UInt8> {
        if current < blocks.count, blocks[current].size - used >= size {
            return unsafe blocks[current].start + used
        }
        if current < blocks.count, used > 0 { current += 1 }
        used = 0
        if current == blocks.count || blocks[current].size < size {
            // Before the blocks that wait behind, so that a large string does not shadow them.
            let larger = max(size, Self.blockBytes)
            let start = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
            unsafe start.initialize(repeating: 0, count: larger)
            blocks.insert(unsafe Block(start: start, size: larger), at: current)
        }
        return unsafe blocks[current].start
    }

    /// Keeps the first `size` bytes of what `reserve` gave.
    public func keep(_ size: Int) -> BytesElement {
        guard size > 0 else { return unsafe BytesElement(data: nil, size: 0) }
        precondition(size <= blocks[current].size - used)
        let start = unsafe blocks[current].start + used
        used += size
        return unsafe BytesElement(data: UnsafePointer(start), size: size)
    }

    /// A copy of `bytes`.
    public func store(_ bytes: RawSpan) -> BytesElement {
        let room = unsafe reserve(bytes.byteCount)
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe UnsafeMutableRawPointer(room).copyMemory(from: start, byteCount: source.count)
        }
        return keep(bytes.byteCount)
    }
}
