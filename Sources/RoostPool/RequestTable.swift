internal import RoostBasics

/// A request that the pool has accepted.
struct Request {
    var id: RequestID
    var arrived: Instant
    /// When the caller gets a 504: arrival plus timeout, or earlier when the caller said so.
    var deadline: Instant
    var errand: Errand
    /// Runs by itself: an instance died with it once.
    var isSuspect = false
    /// The caller has an answer or is gone; a reply that comes yet is dropped.
    var isAnswered = false
    /// In no list: the host is about to hear that somebody else answers it.
    var isLeaving = false
    /// Who runs it; nil while it waits.
    var instance: InstanceID?
    fileprivate var generation: UInt32 = 0
    fileprivate var previous: Int32 = RequestTable.none
    fileprivate var next: Int32 = RequestTable.none

    init(id: RequestID, errand: Errand, arrived: Instant, deadline: Instant) {
        self.id = id
        self.errand = errand
        self.arrived = arrived
        self.deadline = deadline
    }

    fileprivate mutating func endUse(next free: Int32) {
        generation &+= 1
        instance = nil
        next = free
    }
}

/// Places of one list in a `RequestTable`, first in, first out.
struct RequestList {
    fileprivate(set) var count = 0
    fileprivate(set) var first: Int32 = RequestTable.none
    fileprivate var last: Int32 = RequestTable.none
    var isEmpty: Bool { count == 0 }
}

/// All requests of a pool in one array, each in exactly one doubly linked list, so that adding, moving and removing
/// cost the same however many wait, and nothing is allocated once the array has grown.
struct RequestTable {
    static let none: Int32 = -1
    private var entries: [Request] = []
    private var free: Int32 = none
    /// Entries in use: all requests of the pool.
    private(set) var count = 0
    /// Of these, copies that nobody waits for.
    private(set) var shadowCount = 0

    subscript(_ index: Int32) -> Request {
        _read { yield entries[Int(index)] }
        _modify { yield &entries[Int(index)] }
    }

    /// A new entry, in no list yet.
    mutating func insert(_ request: Request) -> Int32 {
        count += 1
        if request.errand == .shadow { shadowCount += 1 }
        guard free != Self.none else {
            entries.append(request)
            return Int32(entries.count - 1)
        }
        let index = free
        let (next, generation) = (entries[Int(index)].next, entries[Int(index)].generation)
        entries[Int(index)] = request
        entries[Int(index)].generation = generation
        free = next
        return index
    }

    func ticket(_ index: Int32) -> Ticket { Ticket(index: index, generation: entries[Int(index)].generation) }

    /// Whether the ticket is that of an entry in use; tickets may come from outside.
    func holds(_ ticket: Ticket) -> Bool {
        entries.indices.contains(Int(ticket.index)) && entries[Int(ticket.index)].generation == ticket.generation
    }

    /// Gives the place of an entry that is in no list back.
    mutating func release(_ index: Int32) {
        count -= 1
        if entries[Int(index)].errand == .shadow { shadowCount -= 1 }
        entries[Int(index)].endUse(next: free)
        free = index
    }

    mutating func append(_ index: Int32, to list: inout RequestList) {
        var entries = entries.mutableSpan  // one look whether the array is shared, instead of one per change
        entries[Int(index)].previous = list.last
        entries[Int(index)].next = Self.none
        if list.last == Self.none { list.first = index } else { entries[Int(list.last)].next = index }
        list.last = index
        list.count += 1
    }

    mutating func prepend(_ index: Int32, to list: inout RequestList) {
        var entries = entries.mutableSpan
        entries[Int(index)].previous = Self.none
        entries[Int(index)].next = list.first
        if list.first == Self.none { list.last = index } else { entries[Int(list.first)].previous = index }
        list.first = index
        list.count += 1
    }

    mutating func remove(_ index: Int32, from list: inout RequestList) {
        var entries = entries.mutableSpan
        let (previous, next) = (entries[Int(index)].previous, entries[Int(index)].next)
        if previous == Self.none { list.first = next } else { entries[Int(previous)].next = next }
        if next == Self.none { list.last = previous } else { entries[Int(next)].previous = previous }
        list.count -= 1
    }

    /// The entries of a list, oldest first; the list may be changed while they are visited.
    func indices(of list: RequestList) -> [Int32] {
        var found: [Int32] = []
        found.reserveCapacity(list.count)
        var index = list.first
        while index != Self.none {
            found.append(index)
            index = entries[Int(index)].next
        }
        return found
    }
}
