internal import CLibuv

/// Runs at the end of each turn of the loop: after every read, timer and message of the turn, just before the loop
/// blocks. The place to ring doorbells and to flush what a turn has gathered. It never keeps the loop alive.
public final class TurnHook: Handle {
    private var onTurnEnd: (() -> Void)?

    public init(on loop: Loop, _ onTurnEnd: @escaping () -> Void) throws(UVError) {
        self.onTurnEnd = onTurnEnd
        try unsafe super.init(UV_PREPARE, on: loop) { storage in
            unsafe uv_prepare_init(loop.raw, storage.assumingMemoryBound(to: uv_prepare_t.self))
        }
        keepsLoopAlive(false)
        try unsafe uv_prepare_start(live(uv_prepare_t.self)) {
            unsafe Handle.behind($0)?._withUnsafeGuaranteedRef { $0.fired() }
        }
    }

    override func fired() { onTurnEnd?() }
    override func closed() { onTurnEnd = nil }
}
