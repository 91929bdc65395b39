internal import Glibc

/// Bytes at known offsets: an open file, read piece by piece, or an array.
///
/// A descriptor stays the caller's and must stay open; its file position is neither used nor changed.
public struct ByteSource: Sendable {
    private enum Storage: Sendable {
        case descriptor(Int32)
        case bytes([UInt8])
    }
    private let storage: Storage
    /// As it was when the source was made; a file may have changed since.
    public let size: Int

    public init(_ bytes: [UInt8]) {
        storage = .bytes(bytes)
        size = bytes.count
    }

    /// - Throws: `.system` when the file cannot be examined, `.unsuitable` when it is no regular file.
    public init(descriptor: Int32) throws(ELFError) {
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw ELFError(system: "examine the file") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw ELFError(.unsuitable, "not a regular file") }
        storage = .descriptor(descriptor)
        size = status.st_size
    }

    /// Exactly `count` bytes from `offset`.
    /// - Throws: `.incomplete` when there are fewer.
    public func read(at offset: Int, count: Int) throws(ELFError) -> [UInt8] {
        let bytes = try readUpTo(count, at: offset)
        guard bytes.count == count else {
            throw ELFError(.incomplete, "it ends after \(size) bytes, but its headers speak of more: copy it again")
        }
        return bytes
    }

    /// At most `count` bytes from `offset`; fewer only at the end.
    public func readUpTo(_ count: Int, at offset: Int) throws(ELFError) -> [UInt8] {
        guard offset >= 0, count > 0, offset < size else { return [] }
        let wanted = min(count, size - offset)
        switch storage {
        case .bytes(let bytes): return Array(bytes[offset..<offset + wanted])
        case .descriptor(let descriptor): return try Self.read(descriptor, at: offset, count: wanted)
        }
    }

    private static func read(_ descriptor: Int32, at offset: Int, count: Int) throws(ELFError) -> [UInt8] {
        var failure: Int32 = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let space = unsafe UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                let got = unsafe pread(descriptor, space.baseAddress, count - filled, off_t(offset + filled))
                if got > 0 {
                    filled += got
                } else if got == 0 {
                    break
                } else if errno != EINTR {
                    failure = errno
                    break
                }
            }
        }
        guard failure == 0 else { throw ELFError(system: "read the file", errno: failure) }
        return bytes
    }

    /// The SHA-256 of everything except `hole`, in slices.
    public func digest(without hole: Range<Int> = 0..<0) throws(ELFError) -> SHA256Digest {
        do {
            var running = try SHA256()
            for part in [0..<hole.lowerBound, hole.upperBound..<max(hole.upperBound, size)] {
                var offset = part.lowerBound
                while offset < part.upperBound {
                    let slice = try readUpTo(min(sliceBytes, part.upperBound - offset), at: offset)
                    if slice.isEmpty { throw ELFError(.incomplete, "it became shorter while it was read") }
                    try running.update(slice)
                    offset += slice.count
                }
            }
            return try running.finish()
        } catch let error as ELFError {
            throw error
        } catch {
            throw ELFError(.system, "\(error)")
        }
    }
}

/// Large enough that system calls do not count, small enough to stay in the cache.
let sliceBytes = 1 << 20

extension ELFError {
    init(system act: String, errno code: Int32 = errno) {
        let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
        self.init(.system, "cannot \(act): \(reason)")
    }
}
