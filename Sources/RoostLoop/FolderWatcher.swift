internal import CLibuv
internal import RoostBasics

/// Says that something in a folder may have changed. It never says what: events get lost without a signal,
/// so whoever hears it lists the folder again.
///
/// It watches the name: a folder that is replaced by another of that name is watched on, and one that is gone is
/// looked for every second until it is there again.
public final class FolderWatcher: Handle {
    private let path: String
    private var onDirty: (() -> Void)?
    /// Made when the folder is first missed.
    private var search: Timer?
    private static let searchPeriod = Instant.Span.seconds(1)

    public init(_ path: String, on loop: Loop, _ onDirty: @escaping () -> Void) throws(UVError) {
        self.path = path
        self.onDirty = onDirty
        try unsafe super.init(UV_FS_EVENT, on: loop) { storage in
            unsafe uv_fs_event_init(loop.raw, storage.assumingMemoryBound(to: uv_fs_event_t.self))
        }
        do throws(UVError) { try watch() } catch {
            close()
            throw error
        }
    }

    private func watch() throws(UVError) {
        let status = try unsafe uv_fs_event_start(
            live(uv_fs_event_t.self),
            { raw, _, _, _ in unsafe Handle.behind(raw)?.takeUnretainedValue().fired() }, path, 0)
        try UVError.check(status, "watch folder \(path)")
    }

    /// Any event may be the last from a folder that was moved away or deleted: what bears the name now is watched.
    override func fired() {
        if let raw = unsafe hot(uv_fs_event_t.self) { unsafe uv_fs_event_stop(raw) }
        _ = watchOrSearch()
        onDirty?()
    }

    /// False when the folder is not there, or cannot be watched: it is looked for again later.
    private func watchOrSearch() -> Bool {
        do throws(UVError) {
            try watch()
            return true
        } catch {}
        do throws(UVError) {
            if search == nil { search = try Timer(on: loop) }
            try search?.start(after: Self.searchPeriod) { [unowned self] in
                if watchOrSearch() { onDirty?() }
            }
        } catch {
            // Only a loop that is ending refuses a timer.
            search = nil
        }
        return false
    }

    public override func close() {
        search?.close()
        search = nil
        super.close()
    }

    override func closed() { onDirty = nil }
}
