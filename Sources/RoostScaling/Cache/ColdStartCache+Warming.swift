public import RoostBasics

extension ColdStartCache {
    /// Cold versions that are worth loading now without being asked, the most valuable first; together they fit what
    /// is free, so that loading them evicts nothing.
    ///
    /// Versions that were never loaded are not among them: nothing is known of their cost. Takes a sort of what is cold.
    public func worthWarming(at now: Instant) -> [Key] {
        var cold: [(slot: Int, savings: Double)] = []
        for slot in slots.values where !entries[slot].isResident && entries[slot].loadTime != nil {
            if entries[slot].isPinned || entries[slot].touched != nil {
                cold.append((slot, entries[slot].isPinned ? .infinity : entries[slot].value(at: now).savings))
            }
        }
        // By slot among equals: the order of a dictionary is another one in each process.
        cold.sort { $0.savings == $1.savings ? $0.slot < $1.slot : $0.savings > $1.savings }
        var room = free.bytes
        return cold.filter { candidate in
            guard entries[candidate.slot].bytes <= room else { return false }
            room -= entries[candidate.slot].bytes
            return true
        }.map { keys[$0.slot] }
    }

    /// What is known of a version that was loaded at least once; nil of any other.
    public func history(of key: Key, at now: Instant) -> CacheHistory? {
        guard let slot = slots[key], let loadTime = entries[slot].loadTime else { return nil }
        let entry = entries[slot]
        return CacheHistory(
            size: ByteCount(bytes: entry.bytes), loadTime: loadTime, idle: entry.idle(at: now),
            idleTimes: entry.idleTimes.counts.indices.map { entry.idleTimes.counts[$0] })
    }

    /// Takes over what was known of a version, as after a restart. What is measured here already stands; idle times
    /// in another number of bins are not understood and left out.
    public mutating func remember(_ key: Key, _ history: CacheHistory, at now: Instant) {
        change(slot(of: key)) { entry in
            if entry.loadTime == nil {
                entry.loadTime = history.loadTime
                if !entry.isResident { entry.bytes = CacheEntry.plausible(history.size) }
            }
            guard entry.touched == nil, let idle = history.idle, let times = IdleTimes(counts: history.idleTimes) else {
                return
            }
            (entry.touched, entry.idleBefore, entry.idleTimes) = (now, idle, times)
        }
    }
}
