internal import CLibuv
internal import Glibc

/// Where a listener listens.
public enum ListeningPlace: Hashable, Sendable {
    /// A numeric IPv4 or IPv6 address, or `localhost`. Port 0 lets the system choose.
    case tcp(host: String, port: UInt16)
    /// A socket file `name` (mode 0600) in `folder`; a stale socket file there is replaced.
    case unix(folder: String, name: String)
}

/// Accepts connections.
public final class Listener: Handle {
    private var onConnection: ((Stream) -> Void)?
    /// Whether it listens at a socket file.
    public let isLocal: Bool
    private var socketFile: (folder: String, name: String)?
    /// libuv holds one accepted connection back and accepts no more until it is taken.
    private var hasPending = false
    /// While true, connections stay in the kernel's queue; they are neither accepted nor refused.
    ///
    /// At the limit of descriptors libuv would accept and close at once: pause before that.
    public var isPaused = false {
        didSet { if !isPaused && hasPending { accept() } }
    }

    /// Binds and listens at once. Connections come to `onConnection` with nothing read.
    public init(
        at place: ListeningPlace, backlog: Int32 = 1024, on loop: Loop, onConnection: @escaping (Stream) -> Void
    ) throws(UVError) {
        self.onConnection = onConnection
        if case .unix = place { isLocal = true } else { isLocal = false }
        let local = isLocal
        try unsafe super.init(local ? UV_NAMED_PIPE : UV_TCP, on: loop) { storage in
            if local {
                return unsafe uv_pipe_init(loop.raw, storage.assumingMemoryBound(to: uv_pipe_t.self), 0)
            }
            return unsafe uv_tcp_init(loop.raw, storage.assumingMemoryBound(to: uv_tcp_t.self))
        }
        do {
            switch place {
            case .tcp(let host, let port): try bind(host, port)
            case .unix(let folder, let name): try bind(folder: folder, name: name)
            }
            let status = try unsafe uv_listen(live(uv_stream_t.self), backlog) { raw, status in
                guard status == 0 else { return }  // the peer left before it was accepted
                let listener = unsafe Handle.behind(raw)?.takeUnretainedValue() as? Listener
                listener?.connectionWaits()
            }
            try UVError.check(status, "listen at \(place)")
        } catch {
            close()
            throw error
        }
    }

    /// The TCP port that is listened on; 0 for a socket file.
    public var port: UInt16 {
        guard !isLocal, let raw = unsafe hot(uv_tcp_t.self) else { return 0 }
        var address = sockaddr_storage()
        var size = Int32(MemoryLayout<sockaddr_storage>.size)
        return unsafe withUnsafeMutableBytes(of: &address) { bytes in
            guard let start = bytes.baseAddress,
                unsafe uv_tcp_getsockname(raw, start.assumingMemoryBound(to: sockaddr.self), &size) == 0
            else { return 0 }
            // The port stands at the same place in IPv4 and IPv6 addresses, in network order.
            return unsafe UInt16(bigEndian: bytes.load(fromByteOffset: 2, as: UInt16.self))
        }
    }

    private func bind(_ host: String, _ port: UInt16) throws(UVError) {
        let address = try SocketAddress.ip(host, port)
        let handle = try unsafe live(uv_tcp_t.self)
        let status = unsafe withUnsafeBytes(of: address) { bytes in
            guard let start = bytes.baseAddress else { return UV_EINVAL.rawValue }
            return unsafe uv_tcp_bind(handle, start.assumingMemoryBound(to: sockaddr.self), 0)
        }
        try UVError.check(status, "bind \(host):\(port)")
    }

    /// With the mode set on the socket before it gets a name, so that there is no moment at which others may connect.
    private func bind(folder: String, name: String) throws(UVError) {
        let directory = unsafe open(folder, O_DIRECTORY | O_CLOEXEC)
        try UVError.check(directory < 0 ? -errno : 0, "open folder \(folder)")
        defer { Glibc.close(directory) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = try SocketAddress.path(name, in: directory)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        var existing = stat()
        if unsafe fstatat(directory, name, &existing, AT_SYMLINK_NOFOLLOW) == 0, existing.st_mode & S_IFMT == S_IFSOCK {
            unsafe unlinkat(directory, name, 0)
        }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC | O_NONBLOCK, 0)
        try UVError.check(descriptor < 0 ? -errno : 0, "socket")
        let bound =
            unsafe fchmod(descriptor, 0o600) == 0
            && withUnsafeBytes(of: &address) { bytes in
                guard let start = bytes.baseAddress else { return false }
                return unsafe Glibc.bind(
                    descriptor, start.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count)) == 0
            }
        let cause = bound ? 0 : -errno
        let status = try unsafe bound ? uv_pipe_open(live(uv_pipe_t.self), descriptor) : cause
        if status < 0 { Glibc.close(descriptor) }
        try UVError.check(status, "bind \(folder)/\(name)")
        socketFile = (folder, name)
    }

    private func connectionWaits() {
        hasPending = true
        if !isPaused { accept() }
    }

    private func accept() {
        hasPending = false
        guard let raw = unsafe hot(uv_stream_t.self), let stream = try? Stream(accepting: isLocal, on: loop),
            let client = unsafe stream.hot(uv_stream_t.self)
        else { return }
        guard unsafe uv_accept(raw, client) == 0 else { return stream.close() }
        onConnection?(stream)
    }

    override public func close() {
        if isOpen, let socketFile { unsafe unlink("\(socketFile.folder)/\(socketFile.name)") }
        socketFile = nil
        super.close()
    }

    override func closed() { onConnection = nil }
}
