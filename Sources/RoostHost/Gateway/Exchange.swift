internal import RoostBasics
internal import RoostHTTP

/// One request and its reply.
struct Exchange {
    static let inside = -1

    enum State {
        /// In nobody's hands. Goes to waiting.
        case free
        /// With the handler. Goes to held, or to free when its reply is on its way.
        case waiting
        /// Answered out of turn; the reply waits for those before it. Goes to free.
        case held
    }

    var state = State.free
    var generation: UInt32 = 0
    /// The connection's place in the server's table; `inside` for a request of the host itself.
    var connection = 0
    /// The next request of the same connection, or of the list of free slots; -1 at the end.
    var next = -1
    var isHead = false
    var isHTTP11 = true
    var closes = false
    /// Closing waits for the client to finish sending, so that it reads the reply.
    var lingers = false
    var reply: HeldReply?
}

/// The bytes of a reply that is not its connection's next.
final class HeldReply {
    var bytes = ByteBuffer()
}

/// All exchanges: slots that are used again, told apart by generation.
struct ExchangeTable {
    private var slots: [Exchange] = []
    private var firstFree = -1

    subscript(slot: Int) -> Exchange {
        _read { yield slots[slot] }
        _modify { yield &slots[slot] }
    }

    func id(of slot: Int) -> RequestID {
        RequestID(slot: UInt32(truncatingIfNeeded: slot), generation: slots[slot].generation)
    }

    /// The slot of a request that still waits for its reply.
    func slot(waiting id: RequestID) -> Int? {
        let slot = Int(id.slot)
        guard slot < slots.count, slots[slot].generation == id.generation, slots[slot].state == .waiting
        else { return nil }
        return slot
    }

    mutating func take(for connection: Int) -> Int {
        var slot = firstFree
        if slot < 0 {
            slot = slots.count
            slots.append(Exchange())
        } else {
            firstFree = slots[slot].next
        }
        slots[slot].state = .waiting
        slots[slot].connection = connection
        slots[slot].next = -1
        return slot
    }

    /// Makes every id of the slot so far dead.
    mutating func free(_ slot: Int) {
        slots[slot].state = .free
        slots[slot].generation &+= 1
        slots[slot].isHead = false
        slots[slot].isHTTP11 = true
        slots[slot].closes = false
        slots[slot].lingers = false
        slots[slot].reply = nil
        slots[slot].next = firstFree
        firstFree = slot
    }
}
