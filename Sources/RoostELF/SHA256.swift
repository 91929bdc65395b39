internal import COpenSSL
public import RoostBasics

/// The SHA-256 of some bytes: 32 bytes, compared and printed as 64 lowercase hexadecimal digits.
public struct SHA256Digest: Hashable, Sendable, CustomStringConvertible {
    public let bytes: [UInt8]

    /// Nil unless there are exactly 32.
    public init?(bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// Reads 64 hexadecimal digits.
    public init?(hex: some StringProtocol) {
        let digits = Array(hex.utf8)
        guard digits.count == 64 else { return nil }
        var bytes: [UInt8] = []
        for place in stride(from: 0, to: 64, by: 2) {
            guard let high = Self.value(of: digits[place]), let low = Self.value(of: digits[place + 1]) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        self.bytes = bytes
    }

    public var description: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46: digit - 0x41 + 10
        case 0x61...0x66: digit - 0x61 + 10
        default: nil
        }
    }
}

/// A running SHA-256 in constant memory: feed it slices, then take the digest once.
@safe public struct SHA256: ~Copyable {
    /// Owned; freed with this value. OpenSSL touches it only inside the calls below.
    private let context: OpaquePointer

    /// Throws when OpenSSL refuses: out of memory, or a policy that forbids SHA-256.
    public init() throws(RoostError) {
        guard let context = unsafe EVP_MD_CTX_new() else { throw Self.refused("EVP_MD_CTX_new") }
        guard unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            unsafe EVP_MD_CTX_free(context)
            throw Self.refused("EVP_DigestInit_ex")
        }
        unsafe self.context = context
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    public mutating func update(_ bytes: RawSpan) throws(RoostError) {
        let status = unsafe bytes.withUnsafeBytes { unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        guard status == 1 else { throw Self.refused("EVP_DigestUpdate") }
    }

    public mutating func update(_ bytes: [UInt8]) throws(RoostError) { try unsafe update(bytes.span.bytes) }

    /// The digest of what was fed until now; more may follow.
    public func digestSoFar() throws(RoostError) -> SHA256Digest {
        let copy = try SHA256()
        guard unsafe EVP_MD_CTX_copy_ex(copy.context, context) == 1 else { throw Self.refused("EVP_MD_CTX_copy_ex") }
        return try copy.finish()
    }

    /// The digest of all that was fed.
    public consuming func finish() throws(RoostError) -> SHA256Digest {
        var digest = [UInt8](repeating: 0, count: 32)
        let status = unsafe digest.withUnsafeMutableBytes {
            unsafe EVP_DigestFinal_ex(context, $0.baseAddress?.assumingMemoryBound(to: UInt8.self), nil)
        }
        guard status == 1, let result = SHA256Digest(bytes: digest) else { throw Self.refused("EVP_DigestFinal_ex") }
        return result
    }

    /// Of bytes that are in memory anyway.
    public static func digest(of bytes: [UInt8]) throws(RoostError) -> SHA256Digest {
        var running = try SHA256()
        try running.update(bytes)
        return try running.finish()
    }

    private static func refused(_ call: String) -> RoostError {
        RoostError(.system, "compute SHA-256: \(call) failed")
    }
}
