internal import CLibuv

/// Hears one signal number on the loop.
public final class SignalWatcher: Handle {
    private var onSignal: (() -> Void)?

    /// `number` is the signal's, such as `SIGTERM`.
    public init(_ number: Int32, on loop: Loop, _ onSignal: @escaping () -> Void) throws(UVError) {
        self.onSignal = onSignal
        try unsafe super.init(UV_SIGNAL, on: loop) { storage in
            unsafe uv_signal_init(loop.raw, storage.assumingMemoryBound(to: uv_signal_t.self))
        }
        let status = try unsafe uv_signal_start(
            live(uv_signal_t.self), { raw, _ in unsafe Handle.behind(raw)?.takeUnretainedValue().fired() }, number)
        if status < 0 {
            close()
            throw UVError(code: status, operation: "uv_signal_start \(number)")
        }
    }

    override func fired() { onSignal?() }
    override func closed() { onSignal = nil }
}
