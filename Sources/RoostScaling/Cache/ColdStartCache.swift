public import RoostBasics

/// Which templates – loaded processes that wait to be forked – stay in memory within a budget.
///
/// A value: inputs are calls, evictions are pulled with `next`. Time is an argument.
///
/// The template goes whose keeping saves least waiting for its memory: calls expected per second × load time ÷ size.
/// Cost, size and the view of keep-alive as a cache are FaasCache's (Fuerst and Sharma, ASPLOS '21); in place of
/// its Greedy-Dual clock and frequency stands what each function's own idle times say of its next call (`IdleTimes`).
/// The simulator compares the two, and more: docs/SCALING.md.
///
/// - After `next` has given nil, what is there fits the budget, or nothing in it may be evicted.
/// - Never evicted: what is pinned, what loads, what is held because requests wait for it.
/// - What is larger than the room that pinned templates leave is loaded when it is called and goes first when nobody
///   holds it. Evicting everything would not make room for it, so nothing is evicted for it: for that long the memory
///   in use exceeds the budget.
/// - What is known of a version outlives its template, until `forget`.
///
/// An input costs constant time and allocates only for a key that is new. An eviction costs one pass over those that
/// may be evicted, of a few nanoseconds each; a load, which takes milliseconds, is what brings it about.
public struct ColdStartCache<Key: Hashable & Sendable> {
    /// For all templates together. May change at any time; ask `next` then.
    public var budget: ByteCount { didSet { recount() } }
    /// Assumed of a template that was never measured.
    public let sizeDefault: ByteCount
    var slots: [Key: Int] = [:]
    var entries: [CacheEntry] = []
    /// By slot, as entries.
    var keys: [Key] = []
    var freeSlots: [Int] = []
    /// Those that may be evicted, in no order.
    var candidates: [CacheCandidate] = []
    var usage = CacheUsage()

    public init(budget: ByteCount, sizeDefault: ByteCount = .mebibytes(64)) {
        self.budget = budget
        self.sizeDefault = sizeDefault
    }

    /// Memory of all templates that are there or load, as measured or estimated.
    public var used: ByteCount { ByteCount(bytes: usage.resident) }
    /// Memory that may be filled without an eviction.
    public var free: ByteCount { ByteCount(bytes: max(0, budget.bytes - charged)) }
    /// Whether the version's template is there, or loads.
    public func isResident(_ key: Key) -> Bool { slots[key].map { entries[$0].isResident } ?? false }

    // MARK: inputs

    /// A request needs the function, which was idle.
    ///
    /// Not for each request of a busy one; but a function that is busy for long should be touched now and then, say
    /// with each tick of its pool, lest it look idle.
    public mutating func touched(_ key: Key, at now: Instant) {
        let slot = slot(of: key)
        entries[slot].touch(at: now)
        if let place = entries[slot].place { candidates[place].until = Instant(nanoseconds: 0) }
    }

    /// A template is being made. It counts with its last measured size, or the default, and cannot be evicted yet.
    public mutating func loading(_ key: Key) {
        change(slot(of: key)) { $0.state = .loading }
    }

    /// The template can be forked.
    /// - Parameters:
    ///   - size: its memory, shared pages counted in proportion (PSS).
    ///   - loadTime: since it was started.
    public mutating func loaded(_ key: Key, size: ByteCount, loadTime: Instant.Span) {
        change(slot(of: key)) {
            $0.state = .warm
            $0.bytes = CacheEntry.plausible(size)
            $0.loadTime = loadTime
        }
    }

    /// The template has another size than was thought.
    public mutating func measured(_ key: Key, size: ByteCount) {
        change(slot(of: key)) { $0.bytes = CacheEntry.plausible(size) }
    }

    /// The template ended by itself, or could not be made. (Not to be said of one that `next` gave: it counts as gone.)
    public mutating func gone(_ key: Key) {
        guard let slot = slots[key] else { return }
        change(slot) { $0.state = .cold }
    }

    /// Requests wait for the template: it stays at least until `release`. Repeating it changes nothing.
    public mutating func hold(_ key: Key) { change(slot(of: key)) { $0.isHeld = true } }

    /// Nobody waits for the template any more: it was forked, or those who waited are gone.
    public mutating func release(_ key: Key) {
        guard let slot = slots[key] else { return }
        change(slot) { $0.isHeld = false }
    }

    /// Once it is loaded it stays, whatever that means for others, until `unpin`.
    public mutating func pin(_ key: Key) {
        change(slot(of: key)) { $0.isPinned = true }
    }

    /// It may be evicted again.
    public mutating func unpin(_ key: Key) {
        guard let slot = slots[key] else { return }
        change(slot) { $0.isPinned = false }
    }

    /// The version is retired: nothing of it is kept, its template is gone.
    public mutating func forget(_ key: Key) {
        guard let slot = slots.removeValue(forKey: key) else { return }
        change(slot) { $0.state = .cold }
        freeSlots.append(slot)
    }

    // MARK: evictions

    /// A template to end now; nil when there is none. Call until nil after any input. It counts as gone at once.
    public mutating func next(at now: Instant) -> Key? {
        guard !candidates.isEmpty, charged > budget.bytes || usage.unfittingEvictable > 0 else { return nil }
        var least = 0
        for place in candidates.indices {
            if candidates[place].until <= now {
                let slot = candidates[place].slot
                (candidates[place].value, candidates[place].until) = value(entries[slot], at: now)
            }
            if candidates[place].value < candidates[least].value { least = place }
        }
        let slot = candidates[least].slot
        change(slot) { $0.state = .cold }
        return keys[slot]
    }
}
