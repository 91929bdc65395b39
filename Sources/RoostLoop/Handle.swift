internal import CLibuv

/// What libuv keeps for us: storage that never moves, and one retain that libuv holds from init to close callback.
///
/// Safe: the storage is reached only through `live` and `hot`, which refuse a handle that is not open; it is freed
/// in libuv's close callback, the last time that libuv touches it.
@safe public class Handle {
    private enum State { case open, closing, closed }
    private var state = State.open
    private let storage: UnsafeMutableRawPointer
    public let loop: Loop

    init(_ type: uv_handle_type, on loop: Loop, open: (UnsafeMutableRawPointer) -> Int32) throws(UVError) {
        loop.preconditionOnLoop()
        self.loop = loop
        unsafe storage = .allocate(byteCount: uv_handle_size(type), alignment: 16)
        do { try UVError.check(unsafe open(storage), "init \(Self.self)") } catch {
            unsafe storage.deallocate()  // libuv never adopted it: no close callback will come
            throw error
        }
        try unsafe uv_handle_set_data(live(uv_handle_t.self), Unmanaged.passRetained(self).toOpaque())
        loop.handleOpened()
    }

    /// What a libuv callback means for this kind of handle.
    func fired() {}
    /// Called once, after libuv's last use; subclasses drop their closures here, which ends every retain cycle.
    func closed() {}

    public final var isOpen: Bool { state == .open }

    /// The way to the C struct; throws once `close` was called.
    final func live<Raw>(_: Raw.Type) throws(UVError) -> UnsafeMutablePointer<Raw> {
        loop.preconditionOnLoop()
        guard state == .open else { throw UVError(code: UV_EINVAL.rawValue, operation: "\(Self.self) after close") }
        return unsafe storage.assumingMemoryBound(to: Raw.self)
    }

    /// As `live`, for what runs per request: nil once `close` was called, and the thread is checked in debug builds.
    final func hot<Raw>(_: Raw.Type) -> UnsafeMutablePointer<Raw>? {
        assert(
            {
                loop.preconditionOnLoop(); return true
            }())
        return unsafe state == .open ? storage.assumingMemoryBound(to: Raw.self) : nil
    }

    /// May be repeated. The memory goes after libuv's last call, in a later turn of the loop.
    public func close() {
        guard let raw = unsafe try? live(uv_handle_t.self) else { return }
        state = .closing
        unsafe uv_close(raw) { unsafe Handle.behind($0)?.takeRetainedValue().finishClose() }
    }

    /// Whether this handle keeps `Loop.run` from returning; it does unless told otherwise.
    public final func keepsLoopAlive(_ keeps: Bool) {
        guard let raw = unsafe hot(uv_handle_t.self) else { return }
        unsafe keeps ? uv_ref(raw) : uv_unref(raw)
    }

    private func finishClose() {
        state = .closed
        closed()
        loop.handleClosed()
        unsafe storage.deallocate()
    }

    /// Every trampoline in the module comes back to Swift through this one function.
    static func behind(_ raw: UnsafeMutableRawPointer?) -> Unmanaged<Handle>? {
        guard let raw = unsafe raw,
            let data = unsafe uv_handle_get_data(raw.assumingMemoryBound(to: uv_handle_t.self))
        else { return nil }
        return unsafe Unmanaged.fromOpaque(data)
    }
}
