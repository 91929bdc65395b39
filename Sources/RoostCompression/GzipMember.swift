internal import CZlib
public import RoostBasics

/// Writes gzip (RFC 1952), a member for each piece: concatenated members are one gzip file, and equal pieces give equal
/// bytes, whatever was written before.
public enum GzipMember {
    /// Level 1: the fastest; most output here is numbers, which higher levels hardly make smaller.
    private static let level: Int32 = 1

    /// One complete member, with no name and no time in it.
    /// - Throws: when zlib has no memory.
    public static func encode(_ bytes: [UInt8]) throws(RoostError) -> [UInt8] {
        var stream = unsafe z_stream()
        var status = unsafe deflateInit2_(
            &stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else { throw RoostError(.system, "zlib cannot start: code \(status)") }
        defer { unsafe deflateEnd(&stream) }
        let room = unsafe Int(deflateBound(&stream, UInt(bytes.count)))
        let output = unsafe [UInt8](unsafeUninitializedCapacity: room) { target, count in
            var bytes = bytes
            unsafe bytes.withUnsafeMutableBufferPointer { source in
                unsafe stream.next_in = source.baseAddress
                unsafe stream.avail_in = UInt32(source.count)
                unsafe stream.next_out = target.baseAddress
                unsafe stream.avail_out = UInt32(room)
                status = unsafe deflate(&stream, Z_FINISH)
            }
            count = unsafe room - Int(stream.avail_out)
        }
        guard status == Z_STREAM_END else { throw RoostError(.system, "zlib: deflate ended with code \(status)") }
        return output
    }
}
