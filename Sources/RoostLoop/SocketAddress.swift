internal import CLibuv
internal import Glibc

/// An address as the kernel takes it.
enum SocketAddress {
    /// A numeric IPv4 or IPv6 address, or `localhost`.
    static func ip(_ host: String, _ port: UInt16) throws(UVError) -> sockaddr_storage {
        var address = sockaddr_storage()
        let host = host == "localhost" ? "127.0.0.1" : host
        let status = unsafe withUnsafeMutableBytes(of: &address) { bytes in
            guard let start = bytes.baseAddress else { return UV_EINVAL.rawValue }
            let status = unsafe uv_ip4_addr(host, Int32(port), start.assumingMemoryBound(to: sockaddr_in.self))
            guard status != 0 else { return status }
            return unsafe uv_ip6_addr(host, Int32(port), start.assumingMemoryBound(to: sockaddr_in6.self))
        }
        try UVError.check(status, "read the address \(host)")
        return address
    }

    /// The path of a socket file by way of its open folder, because libuv 1.44 cuts longer paths at 107 bytes without
    /// a word.
    static func path(_ name: String, in directory: Int32) throws(UVError) -> String {
        let path = "/proc/self/fd/\(directory)/\(name)"
        let room = MemoryLayout.size(ofValue: sockaddr_un().sun_path)
        try UVError.check(path.utf8.count < room ? 0 : UV_ENAMETOOLONG.rawValue, "name the socket \(name)")
        return path
    }
}
