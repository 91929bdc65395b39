/// What the clocks of one place show, and showed: offsets from UTC over time, as the IANA time zone database has them.
public struct TimeZoneRules: Hashable, Sendable {
    /// A stretch of time with one offset.
    public struct Period: Hashable, Sendable {
        /// Seconds east of UTC.
        public let offset: Int
        /// Its first second, by UTC; nil: since ever.
        public let start: Int64?
        /// The first second after it; nil: for ever.
        public let end: Int64?
    }

    struct Transition: Hashable, Sendable {
        let at: Int64
        let offset: Int
    }

    /// Before the first transition.
    let initialOffset: Int
    /// Ascending in time; each changes the offset.
    let transitions: [Transition]
    /// From the last transition on.
    let footer: PosixTimeZone?

    /// Changes that only rename the offset are left out.
    init(initialOffset: Int, transitions: [Transition], footer: PosixTimeZone?) {
        var changes: [Transition] = []
        for transition in transitions where transition.offset != changes.last?.offset ?? initialOffset {
            changes.append(transition)
        }
        (self.initialOffset, self.transitions, self.footer) = (initialOffset, changes, footer)
        lastKnown = transitions.last?.at
    }

    /// Where the footer takes over: the last transition of the file, even when it changes nothing.
    private let lastKnown: Int64?

    /// Universal time.
    public static let utc = TimeZoneRules(initialOffset: 0, transitions: [], footer: nil)

    /// Seconds east of UTC at a time in seconds since 1970 UTC.
    public func offset(at wall: Int64) -> Int { period(at: wall).offset }

    /// The stretch of time around a time in seconds since 1970 UTC.
    public func period(at wall: Int64) -> Period {
        let next = firstTransition(after: wall)
        let start = next > 0 ? transitions[next - 1].at : nil
        let offset = next > 0 ? transitions[next - 1].offset : initialOffset
        if let footer, wall >= lastKnown ?? .min { return byFooter(footer, at: wall, start, offset) }
        if next < transitions.count { return Period(offset: offset, start: start, end: transitions[next].at) }
        guard let footer, let lastKnown else { return Period(offset: offset, start: start, end: nil) }
        return Period(offset: offset, start: start, end: footer.change(from: offset, notBefore: lastKnown))
    }

    /// What the clocks showed there, as seconds since 1970-01-01 00:00 on them, is which times: none in a gap, two where
    /// an hour is repeated, else one.
    public func times(showing shown: Int64) -> [Int64] {
        // No offset is further from UTC than a day and two hours (RFC 8536, 3.2).
        var at = shown - 93_600, found: [Int64] = []
        while true {
            let period = period(at: at), time = shown - Int64(period.offset)
            if time >= period.start ?? .min, time < period.end ?? .max { found.append(time) }
            guard let end = period.end, end <= shown + 93_600 else { return found }
            at = end
        }
    }

    /// The rule for the far future knows changes of each year; those before the last transition did not happen.
    private func byFooter(_ footer: PosixTimeZone, at wall: Int64, _ start: Int64?, _ offset: Int) -> Period {
        let period = footer.period(at: wall)
        guard let lastKnown, period.start ?? .min < lastKnown else { return period }
        return Period(offset: period.offset, start: period.offset == offset ? start : lastKnown, end: period.end)
    }

    /// How many transitions are not after `wall`.
    private func firstTransition(after wall: Int64) -> Int {
        var (low, high) = (0, transitions.count)
        while low < high {
            let middle = (low + high) / 2
            if transitions[middle].at <= wall { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
