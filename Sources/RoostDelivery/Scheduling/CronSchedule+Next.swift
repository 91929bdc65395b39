extension CronSchedule {
    /// The first due time after `wall`, both in seconds since 1970 UTC. Nil only where the calendar ends for us, in more
    /// than four hundred years.
    public func next(after wall: Int64, in rules: TimeZoneRules) -> Int64? {
        guard Self.reach.contains(wall) else { return nil }
        var at = wall + 1
        let last = at + Self.horizon
        while at < last {
            let period = rules.period(at: at)
            if isFixed, period.start == at, skips(before: period, rules) { return at }
            var from = at + Int64(period.offset)
            if isFixed, let shown = period.start.map({ $0 + Int64(rules.period(at: $0 - 1).offset) }) {
                from = max(from, shown)  // what was shown before is not meant again
            }
            if let due = nextShown(from: from, before: min(last, period.end ?? last) + Int64(period.offset)) {
                return due - Int64(period.offset)
            }
            guard let end = period.end else { return nil }
            at = end
        }
        return nil
    }

    /// The last due time that is not after `now`, if there is one after `wall`.
    public func last(after wall: Int64, through now: Int64, in rules: TimeZoneRules) -> Int64? {
        func comes(_ from: Int64) -> Bool { next(after: from, in: rules).map { $0 <= now } ?? false }
        guard wall < now, comes(wall) else { return nil }
        var (some, none) = (wall, now)  // after `some` there is one, after `none` there is none
        while none - some > 1 {
            let middle = some + (none - some) / 2
            if comes(middle) { some = middle } else { none = middle }
        }
        return next(after: some, in: rules)
    }

    /// The calendar repeats after four hundred years.
    private static let horizon: Int64 = 400 * 366 * 86_400
    /// Dates with four digits: nobody has others, and no arithmetic overflows.
    static let reach: ClosedRange<Int64> = -62_135_596_800...253_402_300_799

    /// Whether the gap before a period hides a time that was due.
    private func skips(before period: TimeZoneRules.Period, _ rules: TimeZoneRules) -> Bool {
        guard let start = period.start else { return false }
        let before = rules.period(at: start - 1).offset
        return before < period.offset
            && nextShown(from: start + Int64(before), before: start + Int64(period.offset)) != nil
    }

    /// The first due time that the clock on the wall shows, from a shown time on; whole minutes.
    private func nextShown(from: Int64, before end: Int64) -> Int64? {
        let start = CivilTime.floorDivide(from + 59, by: 60)  // whole minutes
        var days = CivilTime.floorDivide(start, by: 1440), clock = Int(start - days * 1440)
        while days * 86_400 < end {
            let date = CivilTime(days: days)
            guard month.contains(date.month) else {
                (days, clock) = (days + Int64(CivilTime.daysInMonth(date.month, of: date.year) - date.day + 1), 0)
                continue
            }
            if fits(date, days: days), let minutes = nextMinute(from: clock) {
                let due = days * 86_400 + Int64(minutes) * 60
                return due < end ? due : nil
            }
            (days, clock) = (days + 1, 0)
        }
        return nil
    }

    /// The first due minute of a day, from a minute of the day on.
    private func nextMinute(from clock: Int) -> Int? {
        if hour.contains(clock / 60), let minute = minute.first(from: clock % 60) { return clock / 60 * 60 + minute }
        guard let hour = hour.first(from: clock / 60 + 1), let minute = minute.first(from: 0) else { return nil }
        return hour * 60 + minute
    }
}
