internal import RoostBasics

/// A template that may be evicted; small, so that looking at all of them takes little.
struct CacheCandidate {
    let slot: Int
    /// The least goes first; below zero when the template does not fit at all.
    var value = 0.0
    /// The value holds before this.
    var until = Instant(nanoseconds: 0)
}

/// Sums over the templates that are there or load, in bytes.
struct CacheUsage {
    var resident = 0
    var pinned = 0
    /// Of those that do not fit into what pinned ones leave; and how many of them may be evicted.
    var unfitting = 0
    var unfittingEvictable = 0

    mutating func count(_ entry: CacheEntry, _ sign: Int) {
        guard entry.isResident else { return }
        resident += sign * entry.bytes
        if entry.isPinned { pinned += sign * entry.bytes }
        guard entry.isUnfitting else { return }
        unfitting += sign * entry.bytes
        if entry.isEvictable { unfittingEvictable += sign }
    }
}

/// Sums and lists that follow from the entries.
extension ColdStartCache {
    /// What has to fit the budget.
    var charged: Int { usage.resident - usage.unfitting }

    /// The one way in which what counts of an entry is changed.
    mutating func change(_ slot: Int, _ body: (inout CacheEntry) -> Void) {
        let pinned = usage.pinned
        usage.count(entries[slot], -1)
        body(&entries[slot])
        entries[slot].isUnfitting = !fits(entries[slot])
        usage.count(entries[slot], 1)
        list(slot)
        if usage.pinned != pinned { recount() }
    }

    /// Pinned memory or the budget has changed, and with it what fits.
    mutating func recount() {
        usage = CacheUsage()
        for entry in entries where entry.isResident && entry.isPinned { usage.pinned += entry.bytes }
        var fresh = CacheUsage()
        for slot in entries.indices {
            entries[slot].isUnfitting = !fits(entries[slot])
            fresh.count(entries[slot], 1)
        }
        usage = fresh
        for place in candidates.indices { candidates[place].until = Instant(nanoseconds: 0) }
    }

    private func fits(_ entry: CacheEntry) -> Bool { entry.isPinned || entry.bytes <= budget.bytes - usage.pinned }

    /// Puts an entry into the list of candidates or takes it out; its value has to be found anew in any case.
    private mutating func list(_ slot: Int) {
        if entries[slot].isEvictable {
            if let place = entries[slot].place {
                candidates[place].until = Instant(nanoseconds: 0)
            } else {
                entries[slot].place = candidates.count
                candidates.append(CacheCandidate(slot: slot))
            }
        } else if let place = entries[slot].place {
            entries[slot].place = nil
            let last = candidates.removeLast()
            guard last.slot != slot else { return }
            candidates[place] = last
            entries[last.slot].place = place
        }
    }

    /// What keeping a template is worth now, and until when that holds if nothing happens.
    func value(_ entry: CacheEntry, at now: Instant) -> (savings: Double, until: Instant) {
        entry.isUnfitting ? (-1, .never) : entry.value(at: now)
    }

    /// The place of a key, which is made for a new one.
    mutating func slot(of key: Key) -> Int {
        if let slot = slots[key] { return slot }
        let entry = CacheEntry(size: sizeDefault)
        let slot = freeSlots.popLast() ?? entries.count
        if slot == entries.count {
            entries.append(entry)
            keys.append(key)
        } else {
            entries[slot] = entry
            keys[slot] = key
        }
        slots[key] = slot
        return slot
    }
}
