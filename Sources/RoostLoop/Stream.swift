internal import CLibuv
internal import Glibc
internal import RoostBasics

/// What a stream tells its owner, always on the loop's thread and never from within a call of the owner's.
public protocol StreamDelegate: AnyObject {
    /// Bytes came. They lie in the loop's one read buffer and are gone after this call.
    func stream(_ stream: Stream, didRead bytes: RawSpan)
    /// The peer sends no more (nil), or the stream broke. Nothing is read after this.
    func streamDidEnd(_ stream: Stream, error: UVError?)
    /// Everything handed to `write` has gone to the kernel, or writing broke. Not called for writes that were taken
    /// at once.
    func streamDidDrain(_ stream: Stream, error: UVError?)
}

/// A connected TCP or Unix-domain stream: bytes in by borrowed span, bytes out at once or by owned copy.
public final class Stream: Handle {
    private var delegate: (any StreamDelegate)?
    /// Whether it came over a Unix-domain socket.
    public let isLocal: Bool
    public private(set) var isReading = false
    /// Bytes accepted by `write` that the kernel has not taken.
    public var unsentBytes: Int { outgoing.count + waiting.count }

    /// In libuv's hands while `isWriting`.
    private var outgoing = ByteBuffer()
    /// Gathers while `outgoing` is under way.
    private var waiting = ByteBuffer()
    private var isWriting = false
    /// Safe: one write is in flight at a time, libuv touches the request only between `submit` and its callback, and
    /// the memory is freed in `deinit`, which the retain held by libuv keeps until after the close callback.
    private let request = WriteRequest()

    init(accepting local: Bool, on loop: Loop) throws(UVError) {
        isLocal = local
        try unsafe super.init(local ? UV_NAMED_PIPE : UV_TCP, on: loop) { storage in
            if local {
                return unsafe uv_pipe_init(loop.raw, storage.assumingMemoryBound(to: uv_pipe_t.self), 0)
            }
            return unsafe uv_tcp_init(loop.raw, storage.assumingMemoryBound(to: uv_tcp_t.self))
        }
    }

    /// Adopts a connected Unix-domain socket, which then belongs to the stream.
    public convenience init(adopting descriptor: Int32, on loop: Loop) throws(UVError) {
        try self.init(accepting: true, on: loop)
        do {
            try UVError.check(unsafe uv_pipe_open(live(uv_pipe_t.self), descriptor), "uv_pipe_open")
        } catch {
            close()
            throw error
        }
    }

    /// Small writes go out at once instead of waiting for the peer's acknowledgement. Nothing to do on local streams.
    public func sendWithoutDelay() throws(UVError) {
        guard !isLocal else { return }
        try UVError.check(unsafe uv_tcp_nodelay(live(uv_tcp_t.self), 1), "uv_tcp_nodelay")
    }

    // MARK: Reading

    /// Starts, or starts again after `pauseReading`. The delegate is retained until the stream has closed.
    public func startReading(_ delegate: any StreamDelegate) throws(UVError) {
        self.delegate = delegate
        try resumeReading()
    }

    public func resumeReading() throws(UVError) {
        guard !isReading else { return }
        let status = try unsafe uv_read_start(
            live(uv_stream_t.self),
            { raw, _, buffer in
                guard let data = unsafe raw?.pointee.data else { return }
                unsafe buffer?.pointee =
                    Unmanaged<Stream>.fromOpaque(data)._withUnsafeGuaranteedRef { unsafe $0.loop.readBuffer }
            },
            { raw, count, buffer in
                guard count != 0, let data = unsafe raw?.pointee.data else { return }
                let start = unsafe UnsafeRawPointer(buffer?.pointee.base)
                unsafe Unmanaged<Stream>.fromOpaque(data)._withUnsafeGuaranteedRef { unsafe $0.didRead(count, start) }
            })
        try UVError.check(status, "uv_read_start")
        isReading = true
    }

    /// Leaves what comes in the kernel, which in the end stops the sender. The end of the stream is not seen either:
    /// ask `peerHasGone`.
    public func pauseReading() {
        guard isReading, let raw = unsafe hot(uv_stream_t.self) else { return }
        unsafe uv_read_stop(raw)
        isReading = false
    }

    private func didRead(_ count: Int, _ start: UnsafeRawPointer?) {
        if count > 0 {
            unsafe delegate?.stream(self, didRead: UnsafeRawBufferPointer(start: start, count: count).bytes)
        } else {
            isReading = false
            let code = Int32(truncatingIfNeeded: count)
            delegate?.streamDidEnd(
                self, error: code == UV_EOF.rawValue ? nil : UVError(code: code, operation: "uv_read"))
        }
    }

    /// Whether the peer has closed or half-closed, also while reading is paused and unread bytes stand before the end.
    public var peerHasGone: Bool {
        var descriptor: Int32 = -1
        guard let raw = unsafe hot(uv_handle_t.self), unsafe uv_fileno(raw, &descriptor) == 0 else { return true }
        let gone = Self.peerHungUp | Int16(POLLHUP) | Int16(POLLERR)
        var entry = pollfd(fd: descriptor, events: gone, revents: 0)
        return unsafe poll(&entry, 1, 0) == 1 && entry.revents & gone != 0
    }

    /// Linux's POLLRDHUP, which glibc shows only to GNU sources.
    private static let peerHungUp: Int16 = 0x2000

    // MARK: Writing

    /// Offers bytes to the kernel once and says how many it took; none while an earlier `write` is under way.
    public func tryWrite(_ first: RawSpan, _ second: RawSpan = RawSpan()) throws(UVError) -> Int {
        guard !isWriting, let raw = unsafe hot(uv_stream_t.self) else { return 0 }
        let status = unsafe first.withUnsafeBytes { first in
            unsafe second.withUnsafeBytes { second in
                var buffers = unsafe (uv_buf_t(reading: first), uv_buf_t(reading: second))
                // A pointer to the whole pair: one to its first member reaches no further than that.
                return unsafe withUnsafeMutableBytes(of: &buffers) { pair in
                    unsafe uv_try_write(
                        raw, pair.assumingMemoryBound(to: uv_buf_t.self).baseAddress, second.isEmpty ? 1 : 2)
                }
            }
        }
        if status >= 0 { return Int(status) }
        if status == UV_EAGAIN.rawValue { return 0 }
        throw UVError(code: status, operation: "uv_try_write")
    }

    /// Sends both spans in order: what the kernel does not take at once is copied and sent later. The owner bounds
    /// the copies by watching `unsentBytes`; `streamDidDrain` tells when they have gone.
    public func write(_ first: RawSpan, _ second: RawSpan = RawSpan()) throws(UVError) {
        guard isOpen else { throw UVError(code: UV_EINVAL.rawValue, operation: "write after close") }
        let taken = try tryWrite(first, second)
        let total = first.byteCount + second.byteCount
        guard taken < total else { return }
        let taken1 = min(taken, first.byteCount)
        waiting.append(first.extracting(droppingFirst: taken1))
        waiting.append(second.extracting(droppingFirst: taken - taken1))
        try submit()
    }

    /// Hands what waits to libuv, unless something is under way already.
    private func submit() throws(UVError) {
        guard !isWriting, !waiting.isEmpty else { return }
        swap(&outgoing, &waiting)
        let stream = try unsafe live(uv_stream_t.self)
        unsafe request.raw.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        let status = unsafe Self.start(request.raw, on: stream, sending: outgoing)
        try UVError.check(status, "uv_write")
        isWriting = true
    }

    private static func start(
        _ request: UnsafeMutablePointer<uv_write_t>, on stream: UnsafeMutablePointer<uv_stream_t>,
        sending buffer: borrowing ByteBuffer
    ) -> Int32 {
        unsafe buffer.bytes.withUnsafeBytes { bytes in
            var buffer = unsafe uv_buf_t(reading: bytes)
            return unsafe uv_write(request, stream, &buffer, 1) { request, status in
                guard let data = unsafe request?.pointee.data else { return }
                unsafe Unmanaged<Stream>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.didWrite(status) }
            }
        }
    }

    private func didWrite(_ status: Int32) {
        isWriting = false
        outgoing.removeAll()
        if status < 0 {
            waiting.removeAll()
            delegate?.streamDidDrain(self, error: UVError(code: status, operation: "uv_write"))
            return
        }
        if !waiting.isEmpty {
            do { try submit() } catch { delegate?.streamDidDrain(self, error: error) }
            return
        }
        // A slow peer's megabytes are not kept for its next slow moment.
        if outgoing.capacity > Self.keptBytesMax { outgoing.release() }
        if waiting.capacity > Self.keptBytesMax { waiting.release() }
        delegate?.streamDidDrain(self, error: nil)
    }

    private static let keptBytesMax = 16_384

    /// Tells the peer that no more comes; what came before is sent first only if nothing is unsent.
    public func shutdownWriting() {
        var descriptor: Int32 = -1
        guard let raw = unsafe hot(uv_handle_t.self), unsafe uv_fileno(raw, &descriptor) == 0 else { return }
        _ = Glibc.shutdown(descriptor, Int32(SHUT_WR))
    }

    override func closed() { delegate = nil }
}

/// Memory for libuv's account of one write.
///
/// Safe: allocated and freed with the stream that owns it.
@safe private final class WriteRequest {
    let raw: UnsafeMutablePointer<uv_write_t>
    init() { unsafe raw = .allocate(capacity: 1) }
    deinit { unsafe raw.deallocate() }
}

extension uv_buf_t {
    /// libuv has no constant buffers; writes only read through it.
    @unsafe fileprivate init(reading bytes: UnsafeRawBufferPointer) {
        unsafe self.init(
            base: UnsafeMutableRawPointer(mutating: bytes.baseAddress)?.assumingMemoryBound(to: CChar.self),
            len: bytes.count)
    }
}
