internal import RoostBasics

/// What a `ColdStartCache` keeps of one version, also while its template is not there.
struct CacheEntry {
    enum State {
        /// There is no template. Goes to loading.
        case cold
        /// A template is being made, its size is an estimate. Goes to warm, or cold when that fails.
        case loading
        /// There is a template. Goes to cold.
        case warm
    }

    var state = State.cold
    /// Requests wait for the template.
    var isHeld = false
    /// People have said that it stays.
    var isPinned = false
    /// Measured last, or the default.
    var bytes: Int
    /// Measured last; nil when it was never loaded.
    var loadTime: Instant.Span?
    var idleTimes = IdleTimes()
    /// The last call.
    var touched: Instant?
    /// Idle time to add to that since `touched`: from before the host started.
    var idleBefore = Instant.Span.zero
    /// It does not fit into what pinned templates leave of the budget.
    var isUnfitting = false
    /// Its place in the list of those that may be evicted; nil when it is not there.
    var place: Int?

    init(size: ByteCount) { bytes = Self.plausible(size) }

    /// No machine has more than 2^50 bytes, and sums of so much stay numbers.
    static func plausible(_ size: ByteCount) -> Int { min(max(0, size.bytes), 1 << 50) }

    var isResident: Bool { state != .cold }
    var isEvictable: Bool { state == .warm && !isHeld && !isPinned }

    /// Nil when it was never called.
    func idle(at now: Instant) -> Instant.Span? {
        touched.map { (Instant(nanoseconds: (now - $0).nanoseconds) + idleBefore) - Instant(nanoseconds: 0) }
    }

    mutating func touch(at now: Instant) {
        if let idle = idle(at: now) { idleTimes.record(idle) }
        touched = now
        idleBefore = .zero
    }

    /// Seconds of waiting that keeping the template saves, for each second and each byte; and until when this holds if
    /// nobody calls.
    func value(at now: Instant) -> (savings: Double, until: Instant) {
        // Never called: as if it had been idle for so long that nothing is known to come.
        let idle = idle(at: now) ?? IdleTimes.end(of: IdleTimes.binCount)
        let bin = IdleTimes.bin(of: idle)
        let seconds = loadTime.map(\.seconds) ?? 0
        let savings = idleTimes.callsPerSecond(from: bin) * seconds / Double(max(1, bytes))
        guard touched != nil, bin < IdleTimes.binCount - 1 else { return (savings, .never) }
        let rest = Instant.Span(nanoseconds: IdleTimes.end(of: bin).nanoseconds - idle.nanoseconds)
        return (savings, now + rest)
    }
}
