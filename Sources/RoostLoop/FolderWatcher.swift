internal import CLibuv

/// Says that something in a folder may have changed. It never says what: events get lost without a signal,
/// so whoever hears it lists the folder again.
public final class FolderWatcher: Handle {
    private var onDirty: (() -> Void)?

    public init(_ path: String, on loop: Loop, _ onDirty: @escaping () -> Void) throws(UVError) {
        self.onDirty = onDirty
        try unsafe super.init(UV_FS_EVENT, on: loop) { storage in
            unsafe uv_fs_event_init(loop.raw, storage.assumingMemoryBound(to: uv_fs_event_t.self))
        }
        let status = try unsafe uv_fs_event_start(
            live(uv_fs_event_t.self),
            { raw, _, _, _ in unsafe Handle.behind(raw)?.takeUnretainedValue().fired() }, path, 0)
        if status < 0 {
            close()
            throw UVError(code: status, operation: "watch folder \(path)")
        }
    }

    override func fired() { onDirty?() }
    override func closed() { onDirty = nil }
}
