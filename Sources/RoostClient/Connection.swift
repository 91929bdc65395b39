internal import Glibc
internal import RoostBasics

/// One connected socket, blocking with a limit on silence. Closed with this value.
struct Connection: ~Copyable {
    private let descriptor: Int32
    private let address: HostAddress
    private let patience: Instant.Span?

    /// Throws `unavailable` when nobody listens there.
    /// - Parameter rule: what must not be called; nil: anything may. Throws `forbidden` when only that is left.
    init(to address: HostAddress, patience: Instant.Span?, rule: AddressRule? = nil) throws(RoostError) {
        self.address = address
        self.patience = patience
        switch address {
        case .socket(let path): descriptor = try Self.connectUnix(path)
        case .tcp(let host, let port): descriptor = try Self.connectTCP(host, port, patience, address, rule)
        }
    }

    deinit { _ = close(descriptor) }

    /// Throws `unavailable` when the peer has hung up.
    func write(_ bytes: [UInt8]) throws(RoostError) {
        var done = 0
        while done < bytes.count {
            try wait(for: POLLOUT)
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe send(
                    descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done,
                    Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
            }
            guard count >= 0 || errno == EINTR || errno == EAGAIN else {
                throw RoostError(.unavailable, "the host at \(address) closed the connection")
            }
            done += max(0, count)
        }
    }

    /// The next bytes; empty at the end of the stream.
    func read() throws(RoostError) -> [UInt8] {
        while true {
            try wait(for: POLLIN)
            var count = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 64 << 10) { buffer, initialized in
                count = unsafe recv(descriptor, buffer.baseAddress, buffer.count, Int32(MSG_DONTWAIT))
                initialized = max(0, count)
            }
            if count >= 0 { return bytes }
            guard errno == EINTR || errno == EAGAIN else {
                throw RoostError(.system, "the host at \(address) broke the connection: \(reason(errno))")
            }
        }
    }

    /// The address at the other end, as numbers; nil when the kernel does not say.
    var peer: HostAddress? {
        guard case .tcp(_, let port) = address else { return address }
        var peer = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let isKnown = unsafe withUnsafeMutableBytes(of: &peer) { bytes in
            guard let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
            return unsafe getpeername(descriptor, start, &size) == 0
                && getnameinfo(start, size, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0
        }
        guard isKnown else { return nil }
        let host = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return .tcp(host: host, port: port)
    }

    private func wait(for events: Int32) throws(RoostError) {
        guard try ready(descriptor, events, patience) else {
            let waited = patience.map { " for \($0)" } ?? ""
            throw RoostError(.deadline, "the host at \(address) did not answer\(waited)")
        }
    }
}

/// Waits until the socket is ready or has failed; false when the time ran out first.
private func ready(_ socket: Int32, _ events: Int32, _ patience: Instant.Span?) throws(RoostError) -> Bool {
    let limit = patience.map { Int32(clamping: $0.nanoseconds / 1_000_000) } ?? -1
    var entry = pollfd(fd: socket, events: Int16(events), revents: 0)
    while true {
        let count = unsafe poll(&entry, 1, limit)
        if count >= 0 { return count > 0 }
        guard errno == EINTR else { throw RoostError(.system, "wait for the host: \(reason(errno))") }
    }
}

private func reason(_ code: Int32) -> String {
    var text = [CChar](repeating: 0, count: 128)
    guard unsafe strerror_r(code, &text, text.count) == 0 else { return "error \(code)" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

extension Connection {
    /// Reaches the socket through a descriptor of its folder, because a socket's path may have 107 bytes only.
    private static func connectUnix(_ path: String) throws(RoostError) -> Int32 {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { path[...$0] } ?? "."
        let name = slash.map { path[path.index(after: $0)...] } ?? path[...]
        let directory = unsafe open(String(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else {
            throw RoostError(.unavailable, "no host listens at \(path): \(reason(errno))")
        }
        defer { _ = close(directory) }
        var target = sockaddr_un()
        target.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array("/proc/self/fd/\(directory)/\(name)".utf8)
        let fits = unsafe withUnsafeMutableBytes(of: &target.sun_path) { room in
            guard bytes.count < room.count else { return false }
            unsafe room.copyBytes(from: bytes)
            return true
        }
        guard fits else { throw RoostError(.invalidArgument, "the socket's name is too long: \(name)") }
        let made = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard made >= 0 else { throw RoostError(.system, "make a socket: \(reason(errno))") }
        let status = unsafe withUnsafePointer(to: &target) { target in
            // A sockaddr_un begins as every sockaddr does: that is how connect takes it.
            unsafe target.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(made, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else {
            let why = reason(errno)
            _ = close(made)
            throw RoostError(.unavailable, "no host listens at \(path): \(why)")
        }
        return made
    }

    private static func connectTCP(
        _ host: String, _ port: UInt16, _ patience: Instant.Span?, _ address: HostAddress, _ rule: AddressRule?
    ) throws(RoostError) -> Int32 {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else {
            throw RoostError(.unavailable, "find \(host): \(unsafe String(cString: gai_strerror(status)))")
        }
        defer { unsafe freeaddrinfo(list) }
        var why = "no address"
        var forbidden: String?
        var next = unsafe list
        while let entry = unsafe next {
            if let rule, let found = unsafe entry.pointee.ai_addr,
                let objection = unsafe rule.objection(to: found, entry.pointee.ai_addrlen)
            {
                forbidden = objection
                unsafe next = entry.pointee.ai_next
                continue
            }
            switch try unsafe attempt(entry.pointee, patience) {
            case .connected(let socket): return socket
            case .refused(let reason): why = reason
            }
            unsafe next = entry.pointee.ai_next
        }
        if let forbidden { throw RoostError(.forbidden, "\(address) must not be called: \(forbidden)") }
        throw RoostError(.unavailable, "no host listens at \(address): \(why)")
    }

    private enum Attempt {
        case connected(Int32)
        case refused(String)
    }

    private static func attempt(_ entry: addrinfo, _ patience: Instant.Span?) throws(RoostError) -> Attempt {
        let kind = unsafe entry.ai_socktype | Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let made = unsafe socket(entry.ai_family, kind, entry.ai_protocol)
        guard made >= 0 else { return .refused(reason(errno)) }
        var code = unsafe connect(made, entry.ai_addr, entry.ai_addrlen) == 0 ? 0 : errno
        if code == EINPROGRESS {
            if try ready(made, POLLOUT, patience) {
                var size = socklen_t(MemoryLayout<Int32>.size)
                _ = unsafe getsockopt(made, SOL_SOCKET, SO_ERROR, &code, &size)
            } else {
                code = ETIMEDOUT
            }
        }
        guard code == 0 else {
            _ = close(made)
            return .refused(reason(code))
        }
        return .connected(made)
    }
}
