internal import Glibc

/// Addresses that must not be called, whatever name stands for them: for URLs that others than the caller's owner write.
///
/// Link-local addresses (RFC 3927, RFC 4291) are never called: what answers there, such as the metadata service of a
/// cloud machine, trusts whoever can reach it.
public struct AddressRule: Hashable, Sendable {
    /// Whether the addresses of this machine are forbidden too.
    public let forbidsOwn: Bool

    public init(forbidsOwn: Bool) { self.forbidsOwn = forbidsOwn }

    /// Why the address must not be called; nil when it may.
    ///
    /// - Safety: `address` has `size` readable bytes, as its family says.
    @unsafe func objection(to address: UnsafePointer<sockaddr>, _ size: socklen_t) -> String? {
        if unsafe Self.isLinkLocal(address) { return "link-local addresses are not called" }
        if forbidsOwn, unsafe Self.isOwn(address, size) {
            return "the address is this host's own, and it is its management"
        }
        return nil
    }

    @unsafe private static func isLinkLocal(_ address: UnsafePointer<sockaddr>) -> Bool {
        switch unsafe Int32(address.pointee.sa_family) {
        case AF_INET:
            return unsafe address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                unsafe isLinkLocal(UInt32(bigEndian: $0.pointee.sin_addr.s_addr))
            }
        case AF_INET6:
            var bytes = [UInt8](repeating: 0, count: 16)
            unsafe address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { address in
                unsafe withUnsafeBytes(of: address.pointee.sin6_addr) { unsafe bytes.replaceSubrange(0..<16, with: $0) }
            }
            // An IPv4 address in the clothes of an IPv6 one.
            if bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
                return isLinkLocal(bytes[12...].reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
            }
            return bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80
        default: return false
        }
    }

    private static func isLinkLocal(_ address: UInt32) -> Bool { address >> 16 == 0xA9FE }

    /// Whether it is an address of this machine: only such a one can a socket have for its own.
    @unsafe private static func isOwn(_ address: UnsafePointer<sockaddr>, _ size: socklen_t) -> Bool {
        let probe = socket(
            unsafe Int32(address.pointee.sa_family), Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        // Nobody can tell: rather not.
        guard probe >= 0 else { return true }
        defer { _ = close(probe) }
        var copy = sockaddr_storage()
        return unsafe withUnsafeMutableBytes(of: &copy) { bytes in
            guard Int(size) <= bytes.count, let start = bytes.baseAddress else { return true }
            unsafe start.copyMemory(from: address, byteCount: Int(size))
            // The port stands at the same place in both families; any will do.
            unsafe bytes.storeBytes(of: UInt16(0), toByteOffset: 2, as: UInt16.self)
            return unsafe bind(probe, start.assumingMemoryBound(to: sockaddr.self), size) == 0
        }
    }
}
