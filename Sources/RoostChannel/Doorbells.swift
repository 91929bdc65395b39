internal import CRoost
internal import Glibc

/// Watches the doorbells of all instances through one descriptor of its own, which a loop can poll.
///
/// Edge-triggered, so that no doorbell is ever read: a plugin could make that read block.
public final class Doorbells {
    private let epoll: Descriptor
    private var tags = [UInt32](repeating: 0, count: 64)

    public init() throws(ChannelError) {
        epoll = try Descriptor(roost_doorbells(), "epoll_create1")
    }

    /// Readable when any doorbell has rung.
    public var descriptor: Int32 { epoll.number }

    public func add(_ doorbell: Int32, tag: UInt32) throws(ChannelError) {
        guard roost_doorbells_add(epoll.number, doorbell, tag) == 0 else { throw .system("epoll_ctl", errno) }
    }

    public func remove(_ doorbell: Int32) { _ = roost_doorbells_remove(epoll.number, doorbell) }

    /// Calls `each` with the tag of every doorbell that rang since the last call.
    public func takeRung(_ each: (UInt32) -> Void) {
        while true {
            let count = unsafe Int(roost_doorbells_take(epoll.number, &tags, Int32(tags.count)))
            for index in 0..<count { each(tags[index]) }
            if count < tags.count { return }
        }
    }
}
