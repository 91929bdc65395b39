internal import CLibuv

/// Watches a descriptor that belongs to somebody else, who must close the handle before the descriptor.
public final class Poll: Handle {
    /// What may happen to the descriptor.
    public struct Events: OptionSet, Sendable {
        public let rawValue: Int32
        public init(rawValue: Int32) { self.rawValue = rawValue }
        public static let readable = Self(rawValue: 1)
        public static let writable = Self(rawValue: 2)
        /// The peer has closed or half-closed.
        public static let disconnected = Self(rawValue: 4)
    }

    private var onEvents: ((Events) -> Void)?

    /// Level-triggered: what is not dealt with is reported again.
    public init(
        _ descriptor: Int32, for events: Events, on loop: Loop, _ onEvents: @escaping (Events) -> Void
    ) throws(UVError) {
        self.onEvents = onEvents
        try unsafe super.init(UV_POLL, on: loop) { storage in
            unsafe uv_poll_init(loop.raw, storage.assumingMemoryBound(to: uv_poll_t.self), descriptor)
        }
        do { try watch(events) } catch {
            close()
            throw error
        }
    }

    /// Changes what is watched for; an empty set pauses.
    public func watch(_ events: Events) throws(UVError) {
        let status = try unsafe uv_poll_start(live(uv_poll_t.self), events.rawValue) { raw, status, events in
            unsafe Handle.behind(raw)?._withUnsafeGuaranteedRef {
                // A failed poll (POLLERR) is shown as readable: the owner's next read meets the error itself.
                unsafe unsafeDowncast($0, to: Poll.self).occurred(Events(rawValue: status < 0 ? 1 : events))
            }
        }
        try UVError.check(status, "uv_poll_start")
    }

    private func occurred(_ events: Events) { onEvents?(events) }
    override func closed() { onEvents = nil }
}
