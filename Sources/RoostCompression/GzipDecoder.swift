internal import CZlib
public import RoostBasics

/// Reads gzip (RFC 1952) as it comes, all members of a file one after the other.
///
/// Safe: `stream` is zlib's own from `init` to deinit, at an address that does not change, and sees memory only inside
/// the calls below; `scratch` has `scratchBytes` bytes, all initialised.
@safe public final class GzipDecoder {
    private let stream: UnsafeMutablePointer<z_stream>
    private let scratch: UnsafeMutablePointer<UInt8>
    private static let scratchBytes = 64 << 10
    /// A member has begun and not ended.
    private var isInsideMember = false
    /// The output was full: zlib may hold back more of what it has read.
    private var mayHoldMore = false

    /// - Throws: when zlib has no memory.
    public init() throws(RoostError) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        unsafe scratch = .allocate(capacity: Self.scratchBytes)
        unsafe scratch.initialize(repeating: 0, count: Self.scratchBytes)
        // 15 bits of window, and 16 for the gzip wrapper (zlib.h, inflateInit2).
        let status = unsafe inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            unsafe scratch.deallocate()
            unsafe stream.deallocate()
            throw RoostError(.system, "zlib cannot start: code \(status)")
        }
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe scratch.deallocate()
        unsafe stream.deallocate()
    }

    /// Appends what `bytes` decompress to.
    ///
    /// - Parameter limit: bytes appended at most; what is left of `bytes` then has to be given again.
    /// - Returns: how many of `bytes` were used. More may come with another call, also of no bytes, when `limit` was reached.
    /// - Throws: `invalidArgument` when this is no gzip, or is damaged.
    public func decode(_ bytes: RawSpan, into output: inout [UInt8], limit: Int) throws(RoostError) -> Int {
        var used = 0
        var room = limit
        while room > 0, mayHoldMore || used < bytes.byteCount {
            // Padding of zeros after the last member is allowed, as gzip does.
            if !isInsideMember, !mayHoldMore, bytes[used] == 0 {
                used += 1
                continue
            }
            let (taken, made, status) = step(
                bytes.extracting(droppingFirst: used), &output, min(room, Self.scratchBytes))
            mayHoldMore = made == min(room, Self.scratchBytes)
            used += taken
            room -= made
            switch status {
            case Z_OK: isInsideMember = true
            case Z_STREAM_END:
                (isInsideMember, mayHoldMore) = (false, false)
                unsafe inflateReset(stream)
            case Z_BUF_ERROR: if taken == 0, made == 0 { return used }
            default: throw damaged(status)
            }
        }
        return used
    }

    /// - Throws: `invalidArgument` when the input ended in the middle of a member.
    public func finish() throws(RoostError) {
        guard !isInsideMember else { throw RoostError(.invalidArgument, "the gzip file is cut off") }
    }

    private func step(_ bytes: RawSpan, _ output: inout [UInt8], _ room: Int) -> (taken: Int, made: Int, Int32) {
        let (taken, made, status) = unsafe bytes.withUnsafeBytes { source in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(
                mutating: source.bindMemory(to: UInt8.self).baseAddress)
            let offered = UInt32(clamping: source.count)
            unsafe stream.pointee.avail_in = offered
            unsafe stream.pointee.next_out = scratch
            unsafe stream.pointee.avail_out = UInt32(room)
            let status = unsafe inflate(stream, Z_NO_FLUSH)
            return unsafe (Int(offered - stream.pointee.avail_in), room - Int(stream.pointee.avail_out), status)
        }
        unsafe output.append(contentsOf: UnsafeBufferPointer(start: scratch, count: made))
        return (taken, made, status)
    }

    private func damaged(_ status: Int32) -> RoostError {
        let reason = unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "code \(status)"
        return RoostError(.invalidArgument, "the gzip file is damaged: \(reason)")
    }
}
