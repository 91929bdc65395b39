internal import CZlib
internal import Glibc
public import RoostBasics

/// Compresses whole bodies of HTTP messages, one after the other, in memory that it keeps.
///
/// Safe: `stream` is zlib's own from `init` to deinit, at an address that does not change, and sees memory only inside
/// of `deflate`; `memory` has `capacity` bytes (nil when zero), the first `count` of them written.
@safe public final class BodyDeflater {
    /// Level 1: the fastest. A caller waits for it, and most bodies are numbers, which higher levels hardly make smaller.
    private static let level: Int32 = 1
    /// So much is tried first of a larger body: random bits are not worth the time that the rest would take.
    private static let sampleBytes = 64 << 10
    /// Memory above this many bytes is given back by `removeAll`.
    public static let keptBytesMax = 4 << 20

    public let coding: ContentCoding
    private let stream: UnsafeMutablePointer<z_stream>
    private var memory: UnsafeMutablePointer<UInt8>?
    private var capacity = 0
    private var count = 0

    /// - Throws: when zlib has no memory.
    public init(_ coding: ContentCoding) throws(RoostError) {
        self.coding = coding
        unsafe memory = nil
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let status = unsafe deflateInit2_(
            stream, Self.level, Z_DEFLATED, coding == .gzip ? 15 + 16 : 15, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard status == Z_OK else {
            unsafe stream.deallocate()
            throw RoostError(.system, "zlib cannot start: code \(status)")
        }
        unsafe self.stream = unsafe stream
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
        unsafe free(memory)
    }

    /// Compresses a body, which replaces the one before.
    /// - Returns: false when that would not make it smaller, or there is no memory: it is to be sent as it is.
    public func deflate(_ body: RawSpan) -> Bool {
        count = 0
        guard body.byteCount > 1, body.byteCount <= Int(UInt32.max), reserve(body.byteCount - 1),
            unsafe deflateReset(stream) == Z_OK
        else { return false }
        unsafe stream.pointee.next_out = memory
        unsafe stream.pointee.avail_out = UInt32(body.byteCount - 1)
        if body.byteCount > 2 * Self.sampleBytes {
            // To the end of a byte, so that all of it has come out.
            _ = step(body.extracting(first: Self.sampleBytes), Z_SYNC_FLUSH)
            guard unsafe stream.pointee.total_out < UInt(Self.sampleBytes / 16 * 15),
                unsafe stream.pointee.avail_in == 0
            else { return false }
            guard step(body.extracting(droppingFirst: Self.sampleBytes), Z_FINISH) == Z_STREAM_END else {
                return false
            }
        } else if step(body, Z_FINISH) != Z_STREAM_END {
            return false
        }
        count = unsafe Int(stream.pointee.total_out)
        return true
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

    private func step(_ bytes: RawSpan, _ flush: Int32) -> Int32 {
        unsafe bytes.withUnsafeBytes { source in
            unsafe stream.pointee.next_in = UnsafeMutablePointer(
                mutating: source.bindMemory(to: UInt8.self).baseAddress)
            unsafe stream.pointee.avail_in = UInt32(source.count)
            return unsafe CZlib.deflate(stream, flush)
        }
    }

    private func reserve(_ bytes: Int) -> Bool {
        guard bytes > capacity else { return true }
        guard let grown = unsafe realloc(memory, bytes) else { return false }
        unsafe memory = grown.assumingMemoryBound(to: UInt8.self)
        capacity = bytes
        return true
    }
}
