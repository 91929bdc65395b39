public import RoostBasics

/// Shares the host's instances among versions by weight.
///
/// A value: inputs are calls, what follows from them is pulled with `next` until that is nil. Time is an argument.
/// - Never more than `limit` instances are granted and not yet released.
/// - Weighted max-min fairness, in whole instances: a free place goes to the waiting version with the fewest instances
///   for its weight, and a version gives a busy instance up only if it still has more for its weight afterwards than
///   the waiting one has now. (Adams' divisor method; Balinski and Young, "Fair Representation", 1982. Each such move
///   raises the smaller of two levels, so moves come to an end under constant demand and none is ever taken back.)
///   In particular every version has its first instance before any has its second.
/// - An idle instance is given up to whoever waits.
/// - With more versions wanting than places they take turns: a version's only instance may be reclaimed, for a version
///   that has none, once it has had it for `turn` × weight.
/// - No more instances are reclaimed than versions wait for.
///
/// Granting from free places takes constant time. While versions wait, an input costs one pass over all versions.
public struct InstanceBudget<Key: Hashable & Sendable> {
    /// Instances of all versions together.
    public let limit: Int
    /// How long a version may keep its only instance while another has none, for each unit of weight.
    ///
    /// It should be much longer than loading a version takes.
    public let turn: Instant.Span
    var shares: [Share] = []
    private var positions: [Key: Int] = [:]
    /// Positions of versions that wait, in the order of their claims.
    var waiting: [Int] = []
    /// Granted and not released, of all versions.
    var heldTotal = 0
    /// Reclaimed and not released, of all versions.
    var leavingTotal = 0
    /// Until then, and until the next input, nobody gives an instance up: a search has shown it.
    private var settledUntil: Instant?

    /// What one version has.
    struct Share {
        let key: Key
        var weight: Int
        /// Granted and not released.
        var held = 0
        /// Of those, reclaimed.
        var leaving = 0
        /// Of those, without work and not reclaimed.
        var idle = 0
        /// When it last got an instance.
        var granted = Instant(nanoseconds: 0)
        var isWaiting = false
        /// The version is gone; this goes with its last instance.
        var isForgotten = false
        /// What it keeps when all that was reclaimed has ended.
        var kept: Int { held - leaving }
    }

    /// - Parameter limit: at least one.
    public init(limit: Int, turn: Instant.Span = .seconds(10)) {
        self.limit = max(1, limit)
        self.turn = turn
    }

    /// Places that nobody has; claims that are made for comfort and not for waiting work should keep to these.
    public var free: Int { limit - heldTotal }

    /// Whether a version waits for a place.
    public var isContended: Bool { !waiting.isEmpty }

    /// Instances of the version: granted and not released.
    public func held(by key: Key) -> Int { positions[key].map { shares[$0].held } ?? 0 }

    /// Whether a claim of the version waits.
    public func isWaiting(_ key: Key) -> Bool { positions[key].map { shares[$0].isWaiting } ?? false }

    // MARK: inputs

    /// A version's part in relation to others, from its manifest: 1 until told otherwise, at least that, at most a
    /// million.
    public mutating func weigh(_ key: Key, _ weight: Int) {
        shares[position(of: key)].weight = min(max(1, weight), 1_000_000)
        settledUntil = nil
    }

    /// The version wants one more instance because work waits for it. Repeating it while it waits changes nothing.
    public mutating func claim(_ key: Key, at now: Instant) -> Verdict<Key> {
        let at = position(of: key)
        if waiting.isEmpty, free > 0 {
            grant(at, at: now)
            return .granted
        }
        if !shares[at].isWaiting {
            shares[at].isWaiting = true
            waiting.append(at)
            settledUntil = nil
        }
        // A place that came free a moment ago is given out by `next`.
        return .wait(reclaimFrom: free > 0 ? nil : reclaim(at: now))
    }

    /// The version no longer wants another instance.
    public mutating func withdraw(_ key: Key) {
        guard let at = positions[key], shares[at].isWaiting else { return }
        shares[at].isWaiting = false
        waiting.removeAll { $0 == at }
        settledUntil = nil
    }

    /// How many instances of the version have no work and were not told to end.
    ///
    /// What counts as idle is the caller's to say; counting each pause between two requests makes versions swap
    /// instances for nothing, so let one be idle for longer than starting another takes.
    public mutating func idle(_ key: Key, _ count: Int) {
        guard let at = positions[key], shares[at].idle != count else { return }
        shares[at].idle = min(max(0, count), shares[at].kept)
        settledUntil = nil
    }

    /// An instance of the version has really ended, or did not come about: its place is free.
    public mutating func released(_ key: Key) {
        guard let at = positions[key], shares[at].held > 0 else { return }
        shares[at].held -= 1
        heldTotal -= 1
        if shares[at].leaving > 0 {
            shares[at].leaving -= 1
            leavingTotal -= 1
        }
        shares[at].idle = min(shares[at].idle, shares[at].kept)
        settledUntil = nil
        if shares[at].isForgotten, shares[at].held == 0 { remove(at) }
    }

    /// The version is gone, with its weight and its claim; instances that it still has count until they are released.
    public mutating func forget(_ key: Key) {
        withdraw(key)
        guard let at = positions[key] else { return }
        shares[at].isForgotten = true
        shares[at].weight = 1
        if shares[at].held == 0 { remove(at) }
    }

    private mutating func remove(_ at: Int) {
        positions[shares[at].key] = nil
        let last = shares.count - 1
        if at != last {
            positions[shares[last].key] = at
            if let place = waiting.firstIndex(of: last) { waiting[place] = at }
            shares.swapAt(at, last)
        }
        shares.removeLast()
    }

    // MARK: actions

    /// What to do next; nil when there is nothing. Call until nil after any input, and at `wakeUp`.
    public mutating func next(at now: Instant) -> BudgetAction<Key>? {
        if free > 0, let at = waiting.min(by: isNeedier) {
            shares[at].isWaiting = false
            waiting.removeAll { $0 == at }
            grant(at, at: now)
            return .granted(shares[at].key)
        }
        return reclaim(at: now).map { .reclaim(from: $0) }
    }

    /// When `next` may have something to say though nothing happens: a turn ends. Nil when only inputs matter.
    public var wakeUp: Instant? { waiting.isEmpty || settledUntil == .never ? nil : settledUntil }

    private mutating func grant(_ at: Int, at now: Instant) {
        shares[at].held += 1
        shares[at].granted = now
        heldTotal += 1
        settledUntil = nil
    }

    /// Finds who gives an instance up, for the neediest claim that nothing is on its way for yet.
    private mutating func reclaim(at now: Instant) -> Key? {
        if let settledUntil, now < settledUntil { return nil }
        guard let victim = victim(at: now) else {
            settledUntil = nextTurn()
            return nil
        }
        shares[victim].leaving += 1
        leavingTotal += 1
        if shares[victim].idle > 0 { shares[victim].idle -= 1 }
        return shares[victim].key
    }

    private mutating func position(of key: Key) -> Int {
        if let at = positions[key] {
            shares[at].isForgotten = false
            return at
        }
        shares.append(Share(key: key, weight: 1))
        positions[key] = shares.count - 1
        return shares.count - 1
    }
}
