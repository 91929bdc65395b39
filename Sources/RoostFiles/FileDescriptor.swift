internal import CRoost
internal import Glibc
public import RoostBasics

/// One open file, closed with its owner.
public final class FileDescriptor: Sendable {
    /// Valid as long as this object.
    public let number: Int32

    /// Takes over an open descriptor.
    public init(adopting number: Int32) { self.number = number }

    /// Opens an existing file for reading. A link is followed; a pipe or device is refused rather than waited for.
    public convenience init(reading path: String) throws(RoostError) {
        try self.init(path, O_RDONLY | O_NONBLOCK)
        guard (try status()).isRegular else { throw RoostError(.invalidArgument, "\(path) is not a regular file") }
    }

    /// Opens what can be read once, from its beginning on: a pipe, a device. It waits for whoever writes to a pipe.
    public convenience init(streaming path: String) throws(RoostError) { try self.init(path, O_RDONLY) }

    /// A second descriptor of this process's standard input.
    public static var standardInput: FileDescriptor { FileDescriptor(adopting: dup(0)) }

    /// Opens a file that lies below `folder`, for reading.
    ///
    /// No link is followed on the way, so that nobody who can write there reads what lies elsewhere.
    /// - Parameter path: relative, without `.` and `..`.
    /// - Throws: `invalidArgument` for another path, and for a link; `notFound`.
    public convenience init(reading path: String, below folder: Folder) throws(RoostError) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains(where: { ["", ".", ".."].contains($0) }) else {
            throw RoostError(.invalidArgument, "\(path) is no path below a folder")
        }
        var number = unsafe open(folder.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        for (index, part) in parts.enumerated() where number >= 0 {
            let isLast = index == parts.count - 1
            let next = unsafe openat(
                number, String(part), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (isLast ? 0 : O_DIRECTORY))
            let code = errno
            close(number)
            errno = code
            number = next
        }
        guard number >= 0 else {
            if errno == ELOOP {
                throw RoostError(.invalidArgument, "\(folder.path(path)) is a link, and links are not followed here")
            }
            throw .failed("open \(folder.path(path))")
        }
        self.init(adopting: number)
        guard (try status()).isRegular else {
            throw RoostError(.invalidArgument, "\(folder.path(path)) is not a regular file")
        }
    }

    /// Makes a new file that must not exist yet.
    public convenience init(creating path: String, mode: UInt32 = 0o644) throws(RoostError) {
        try self.init(path, O_WRONLY | O_CREAT | O_EXCL, mode)
    }

    /// Opens or makes a file that is written at its end, and may be read. A link is refused.
    public convenience init(appending path: String) throws(RoostError) {
        try self.init(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0o644)
    }

    /// Opens or makes a file, for locking.
    public convenience init(lockFile path: String) throws(RoostError) {
        try self.init(path, O_RDWR | O_CREAT, 0o600)
    }

    /// A file without a name that holds `bytes`, to be handed to another process.
    public convenience init(inMemory bytes: [UInt8]) throws(RoostError) {
        let number = unsafe roost_sealed_memory("roost", UInt64(bytes.count))
        guard number >= 0 else { throw .failed("memfd_create") }
        self.init(adopting: number)
        try write(bytes.bytes)
    }

    private init(_ path: String, _ flags: Int32, _ mode: UInt32 = 0) throws(RoostError) {
        let number = unsafe open(path, flags | O_CLOEXEC, mode)
        guard number >= 0 else { throw .failed("open \(path)") }
        self.number = number
    }

    public func status() throws(RoostError) -> FileStatus {
        var raw = stat()
        guard unsafe fstat(number, &raw) == 0 else { throw .failed("stat of an open file") }
        return FileStatus(raw)
    }

    /// Whether any process has the file open for writing; nil when the system does not tell. For one that was opened
    /// only for reading.
    public var isBeingWritten: Bool? {
        switch roost_is_being_written(number) {
        case 0: false
        case 1: true
        default: nil
        }
    }

    /// Up to `count` bytes at `offset`; fewer at the end of the file only.
    public func read(_ count: Int, at offset: Int) throws(RoostError) -> [UInt8] {
        var failed = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while filled < count {
                let got = unsafe pread(
                    number, buffer.baseAddress.map { unsafe $0 + filled }, count - filled, off_t(offset + filled))
                if got < 0 && errno == EINTR { continue }
                if got <= 0 {
                    failed = got < 0
                    return
                }
                filled += got
            }
        }
        if failed { throw .failed("read") }
        return bytes
    }

    /// Up to `count` bytes of a stream, as soon as there are some; none at its end.
    public func readNext(_ count: Int) throws(RoostError) -> [UInt8] {
        var failed = false
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while true {
                let got = unsafe Glibc.read(number, buffer.baseAddress, count)
                if got < 0 && errno == EINTR { continue }
                failed = got < 0
                filled = max(0, got)
                return
            }
        }
        if failed { throw .failed("read") }
        return bytes
    }

    /// Forgets what lies behind the first `count` bytes.
    public func truncate(to count: Int) throws(RoostError) {
        guard ftruncate(number, off_t(count)) == 0 else { throw .failed("truncate") }
    }

    /// Appends all of `bytes`.
    public func write(_ bytes: RawSpan) throws(RoostError) {
        var rest = bytes
        while !rest.isEmpty {
            let written = unsafe rest.withUnsafeBytes { unsafe Glibc.write(number, $0.baseAddress, $0.count) }
            if written < 0 && errno == EINTR { continue }
            guard written > 0 else { throw .failed("write") }
            rest = rest.extracting(droppingFirst: written)
        }
    }

    /// Returns when the content has reached the disk.
    public func sync() throws(RoostError) {
        guard fsync(number) == 0 else { throw .failed("fsync") }
    }

    /// Returns when the content, and as much of the rest as reading it needs, has reached the disk.
    public func syncData() throws(RoostError) {
        guard fdatasync(number) == 0 else { throw .failed("fdatasync") }
    }

    /// Makes the file readable by all and writable by none.
    public func makeReadOnly() throws(RoostError) {
        guard fchmod(number, 0o444) == 0 else { throw .failed("chmod") }
    }

    /// Takes the lock that only one process holds; false when another has it. It ends with the process.
    public func lock() -> Bool { flock(number, LOCK_EX | LOCK_NB) == 0 }

    deinit { close(number) }
}

/// What a folder says of a file.
public struct FileStatus: Hashable, Sendable {
    public let isRegular: Bool
    public let size: Int
    /// Last change of the content, nanoseconds since 1970.
    public let modified: Int64
    public let inode: UInt64

    init(_ raw: stat) {
        isRegular = raw.st_mode & S_IFMT == S_IFREG
        size = Int(raw.st_size)
        modified = Int64(raw.st_mtim.tv_sec) * 1_000_000_000 + Int64(raw.st_mtim.tv_nsec)
        inode = UInt64(raw.st_ino)
    }
}

extension RoostError {
    /// The operating system refused; call at once, while errno still says why.
    static func failed(_ act: String) -> RoostError {
        let code = errno
        let kind: Code = code == ENOENT || code == ENOTDIR ? .notFound : .system
        return RoostError(kind, "\(act): \(unsafe String(cString: strerror(code)))")
    }
}
