internal import CLibuv
internal import Glibc

extension Stream {
    /// Begins to connect to where a listener listens. `then` hears once, in a later turn, that the stream can be
    /// used (nil), or why not; the stream is then still to be closed. Closing it first is an error to `then` too.
    public convenience init(
        connectingTo place: ListeningPlace, on loop: Loop, then: @escaping (UVError?) -> Void
    ) throws(UVError) {
        let isLocal = if case .unix = place { true } else { false }
        try self.init(accepting: isLocal, on: loop)
        let request = ConnectRequest(then)
        do {
            switch place {
            case .tcp(let host, let port): try connect(request, to: SocketAddress.ip(host, port))
            case .unix(let folder, let name): try connect(request, folder: folder, name: name)
            }
        } catch {
            close()
            throw error
        }
    }

    private func connect(_ request: ConnectRequest, to address: sockaddr_storage) throws(UVError) {
        let raw = try unsafe live(uv_tcp_t.self)
        let status = unsafe withUnsafeBytes(of: address) { bytes in
            guard let start = bytes.baseAddress else { return UV_EINVAL.rawValue }
            return unsafe uv_tcp_connect(
                request.begin(), raw, start.assumingMemoryBound(to: sockaddr.self), ConnectRequest.ended)
        }
        if status < 0 { request.abandon() }
        try UVError.check(status, "uv_tcp_connect")
    }

    private func connect(_ request: ConnectRequest, folder: String, name: String) throws(UVError) {
        let directory = unsafe open(folder, O_DIRECTORY | O_CLOEXEC)
        try UVError.check(directory < 0 ? -errno : 0, "open folder \(folder)")
        // libuv has asked the kernel when the call returns; only the answer comes later.
        defer { Glibc.close(directory) }
        let path = try SocketAddress.path(name, in: directory)
        let raw = try unsafe live(uv_pipe_t.self)
        unsafe uv_pipe_connect(request.begin(), raw, path, ConnectRequest.ended)
    }
}

/// Memory for libuv's account of one attempt, and who wants to hear of it.
///
/// Safe: libuv holds a retain from `begin` to the one call of `ended`, which comes for closed streams too, and the
/// memory is freed with the last of it.
@safe private final class ConnectRequest {
    private let raw: UnsafeMutablePointer<uv_connect_t>
    private let then: (UVError?) -> Void

    init(_ then: @escaping (UVError?) -> Void) {
        self.then = then
        unsafe raw = .allocate(capacity: 1)
    }

    deinit { unsafe raw.deallocate() }

    func begin() -> UnsafeMutablePointer<uv_connect_t> {
        unsafe raw.pointee.data = Unmanaged.passRetained(self).toOpaque()
        return unsafe raw
    }

    /// libuv refused at once, and will not call.
    func abandon() { unsafe Unmanaged.passUnretained(self).release() }

    static let ended: uv_connect_cb = { raw, status in
        guard let data = unsafe raw?.pointee.data else { return }
        let request = unsafe Unmanaged<ConnectRequest>.fromOpaque(data).takeRetainedValue()
        request.then(status < 0 ? UVError(code: status, operation: "connect") : nil)
    }
}
