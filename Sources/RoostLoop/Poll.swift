internal import CLibuv

/// Tells when a descriptor that is not libuv's can be read. The descriptor stays its owner's, who closes it after this.
public final class Poll: Handle {
    private var onReadable: (() -> Void)?

    /// Level-triggered: `onReadable` comes at each turn until the descriptor is empty. An end or an error counts as
    /// readable.
    public init(on loop: Loop, descriptor: Int32, onReadable: @escaping () -> Void) throws(UVError) {
        self.onReadable = onReadable
        try unsafe super.init(UV_POLL, on: loop) { storage in
            unsafe uv_poll_init(loop.raw, storage.assumingMemoryBound(to: uv_poll_t.self), descriptor)
        }
        try start()
    }

    /// Again, after `stop`.
    public func start() throws(UVError) {
        let status = try unsafe uv_poll_start(live(uv_poll_t.self), Int32(UV_READABLE.rawValue)) { raw, _, _ in
            unsafe Handle.behind(raw)?.takeUnretainedValue().fired()
        }
        try UVError.check(status, "uv_poll_start")
    }

    public func stop() throws(UVError) {
        try UVError.check(try unsafe uv_poll_stop(live(uv_poll_t.self)), "uv_poll_stop")
    }

    override func fired() { onReadable?() }
    override func closed() { onReadable = nil }
}
