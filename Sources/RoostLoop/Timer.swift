internal import CLibuv
public import RoostBasics

/// Fires on its loop's thread, once or repeatedly.
public final class Timer: Handle {
    private var onFire: (() -> Void)?

    public init(on loop: Loop) throws(UVError) {
        try unsafe super.init(UV_TIMER, on: loop) { storage in
            unsafe uv_timer_init(loop.raw, storage.assumingMemoryBound(to: uv_timer_t.self))
        }
    }

    /// Starts, or starts anew with another time. Fractions of a millisecond are rounded up: a timer is never early.
    public func start(
        after delay: Instant.Span, every period: Instant.Span = .zero, _ onFire: @escaping () -> Void
    ) throws(UVError) {
        // libuv counts from the start of the turn; a long turn must not shorten the delay.
        unsafe uv_update_time(loop.raw)
        let status = try unsafe uv_timer_start(
            live(uv_timer_t.self), { unsafe Handle.behind($0)?.takeUnretainedValue().fired() },
            delay.wholeMilliseconds, period.wholeMilliseconds)
        try UVError.check(status, "uv_timer_start")
        self.onFire = onFire
    }

    /// Keeps the timer for another `start`; the closure is let go.
    public func stop() {
        guard let raw = unsafe hot(uv_timer_t.self) else { return }
        unsafe uv_timer_stop(raw)
        onFire = nil
    }

    override func fired() { onFire?() }
    override func closed() { onFire = nil }
}

extension Instant.Span {
    fileprivate var wholeMilliseconds: UInt64 { nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 == 0 ? 0 : 1) }
}
