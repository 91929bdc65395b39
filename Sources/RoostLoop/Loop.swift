internal import CLibuv
internal import Glibc
public import RoostBasics

/// One libuv loop, owned by the thread that made it.
///
/// Not `Sendable` on purpose: the compiler then keeps the loop, its handles and their
/// closures on one thread. The only door from another thread is `Mailbox.Sender`.
///
/// Safe: `raw`, `turnMark` and the read buffer are allocated here, never move, and are freed in `deinit`, which
/// cannot run while a handle is open because handles retain their loop.
@safe public final class Loop {
    let raw: UnsafeMutablePointer<uv_loop_t>
    /// One buffer serves every read: libuv asks for it and hands it back within one call.
    let readBuffer: uv_buf_t
    /// Runs last before the loop blocks; from then on `now` is stale.
    private let turnMark: UnsafeMutablePointer<uv_prepare_t>
    private let owner = uv_thread_self()
    /// Nanoseconds; zero when the clock must be read again.
    private var cachedNow: UInt64 = 0
    /// Handles not yet closed; tests expect zero at the end.
    public private(set) var openHandles = 0

    /// The most that one read delivers, in bytes.
    public static let readBytesMax = 65_536

    public init() throws(UVError) {
        unsafe raw = .allocate(capacity: 1)
        unsafe readBuffer = uv_buf_init(.allocate(capacity: Self.readBytesMax), UInt32(Self.readBytesMax))
        unsafe turnMark = .allocate(capacity: 1)
        let status = unsafe uv_loop_init(raw)
        guard status >= 0 else {
            unsafe raw.deallocate()
            unsafe readBuffer.base.deallocate()
            unsafe turnMark.deallocate()
            throw UVError(code: status, operation: "uv_loop_init")
        }
        // libuv writes without MSG_NOSIGNAL; a peer that has gone must be an error, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        unsafe uv_prepare_init(raw, turnMark)
        unsafe turnMark.pointee.data = Unmanaged.passUnretained(self).toOpaque()
        // libuv runs what was started last first, so this one runs after every `TurnHook`.
        unsafe uv_prepare_start(turnMark) { mark in
            guard let data = unsafe mark?.pointee.data else { return }
            unsafe Unmanaged<Loop>.fromOpaque(data)._withUnsafeGuaranteedRef { $0.cachedNow = 0 }
        }
        unsafe uv_unref(UnsafeMutableRawPointer(turnMark).assumingMemoryBound(to: uv_handle_t.self))
    }

    /// Runs until every handle that counts has closed or gone idle, or until `stop`.
    public func run() {
        preconditionOnLoop()
        cachedNow = 0
        _ = unsafe uv_run(raw, UV_RUN_DEFAULT)
    }

    /// Lets `run` return at the end of this turn.
    public func stop() {
        preconditionOnLoop()
        unsafe uv_stop(raw)
    }

    /// The monotonic clock, read once per turn of the loop: everything within a turn happens at one instant.
    public var now: Instant {
        if cachedNow == 0 { cachedNow = uv_hrtime() }
        return Instant(nanoseconds: cachedNow)
    }

    func handleOpened() { openHandles += 1 }
    func handleClosed() { openHandles -= 1 }

    func preconditionOnLoop(_ caller: StaticString = #function) {
        var (owner, current) = (owner, uv_thread_self())
        precondition(unsafe uv_thread_equal(&owner, &current) != 0, "\(caller) called off its loop")
    }

    deinit {
        // Open handles retain their loop, so only the turn mark is left and libuv cannot refuse.
        unsafe uv_close(UnsafeMutableRawPointer(turnMark).assumingMemoryBound(to: uv_handle_t.self), nil)
        _ = unsafe uv_run(raw, UV_RUN_NOWAIT)
        let status = unsafe uv_loop_close(raw)
        precondition(status == 0, "loop released with \(openHandles) open handles")
        unsafe turnMark.deallocate()
        unsafe raw.deallocate()
        unsafe readBuffer.base.deallocate()
    }
}
