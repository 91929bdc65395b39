internal import CZlib
internal import Glibc
public import RoostBasics

/// Decompresses whole bodies of HTTP messages, one after the other, in memory that it keeps.
///
/// Safe: `stream` is zlib's own from `init` to deinit, at an address that does not change, and sees memory only inside
/// of `inflate`; `memory` has `capacity` bytes (nil when zero), the first `count` of them written.
@safe public final class BodyInflater {
    private let stream: UnsafeMutablePointer<z_stream>
    private var memory: UnsafeMutablePointer<UInt8>?
    private var capacity = 0
    private var count = 0
    /// Memory above this many bytes is given back by `removeAll`.
    public static let keptBytesMax = 4 << 20

    /// - Throws: when zlib has no memory.
    public init() throws(RoostError) {
        unsafe memory = nil
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let status = unsafe inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            unsafe stream.deallocate()
            throw RoostError(.system, "zlib cannot start: code \(status)")
        }
        unsafe self.stream = unsafe stream
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
        unsafe free(memory)
    }

    /// Decompresses a body of `coding`, which replaces the one before.
    ///
    /// What calls itself `deflate` may come with or without the wrapper of RFC 1950: some senders leave it out.
    /// - Parameter limit: bytes that come out at most.
    /// - Throws: `invalidArgument` when it is damaged, cut off or has more behind its end, `tooLarge` beyond `limit`,
    ///   `system` without memory.
    public func inflate(_ body: RawSpan, _ coding: ContentCoding, limit: Int) throws(RoostError) {
        count = 0
        guard unsafe inflateReset2(stream, Self.windowBits(body, coding)) == Z_OK else {
            throw RoostError(.system, "zlib cannot start again")
        }
        var used = 0
        while true {
            if count == capacity { try grow(limit: limit) }
            let (taken, made, status) = step(body.extracting(droppingFirst: used))
            used += taken
            count += made
            guard count <= limit else { throw Self.tooLarge(limit) }
            switch status {
            case Z_STREAM_END:
                if used == body.byteCount { return }
                // Members of gzip may follow each other (RFC 1952, 2.2).
                guard coding == .gzip, body[used] == 0x1F, unsafe inflateReset(stream) == Z_OK else {
                    throw damaged(coding, "\(body.byteCount - used) bytes follow its end")
                }
            case Z_OK, Z_BUF_ERROR:
                let isStarved = used == body.byteCount && count < capacity
                if isStarved { throw damaged(coding, "it is cut off") }
            case Z_MEM_ERROR: throw Self.outOfMemory
            default: throw damaged(coding, unsafe stream.pointee.msg.map { unsafe String(cString: $0) } ?? "\(status)")
            }
        }
    }

    /// Lends what the last body became, for the length of the call.
    public func withBytes<Failure: Error, Result>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(start: memory, count: count).bytes)
    }

    /// Forgets the body.
    public func removeAll() {
        count = 0
        guard capacity > Self.keptBytesMax else { return }
        unsafe free(memory)
        unsafe memory = nil
        capacity = 0
    }

    private static func windowBits(_ body: RawSpan, _ coding: ContentCoding) -> Int32 {
        // 16 more ask for the gzip wrapper, a minus for none (zlib.h, inflateInit2).
        if coding == .gzip { return 15 + 16 }
        let isWrapped =
            body.byteCount >= 2 && body[0] & 0x0F == 8 && (Int(body[0]) << 8 | Int(body[1])) % 31 == 0
        return isWrapped ? 15 : -15
    }

    private func step(_ bytes: RawSpan) -> (taken: Int, made: Int, status: Int32) {
        unsafe bytes.withUnsafeBytes { source in
            let offered = UInt32(clamping: source.count)
            let room = UInt32(clamping: capacity - count)
            unsafe stream.pointee.next_in = UnsafeMutablePointer(
                mutating: source.bindMemory(to: UInt8.self).baseAddress)
            unsafe stream.pointee.avail_in = offered
            unsafe stream.pointee.next_out = memory.map { unsafe $0 + count }
            unsafe stream.pointee.avail_out = room
            let status = unsafe CZlib.inflate(stream, Z_NO_FLUSH)
            return unsafe (Int(offered - stream.pointee.avail_in), Int(room - stream.pointee.avail_out), status)
        }
    }

    /// One byte more than the limit, so that what exceeds it shows.
    private func grow(limit: Int) throws(RoostError) {
        let wanted = min(max(64 << 10, capacity * 2), min(limit, .max - 1) + 1)
        guard wanted > capacity else { throw Self.tooLarge(limit) }
        guard let grown = unsafe realloc(memory, wanted) else { throw Self.outOfMemory }
        unsafe memory = grown.assumingMemoryBound(to: UInt8.self)
        capacity = wanted
    }

    private static func tooLarge(_ limit: Int) -> RoostError {
        RoostError(.tooLarge, "the body becomes larger than \(limit) bytes when decompressed: see --max-body")
    }

    private static let outOfMemory = RoostError(.system, "no memory to decompress the body")

    private func damaged(_ coding: ContentCoding, _ reason: String) -> RoostError {
        RoostError(.invalidArgument, "the body is no whole \(coding), as its Content-Encoding says: \(reason)")
    }
}
