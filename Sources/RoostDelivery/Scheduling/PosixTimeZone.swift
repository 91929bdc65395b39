/// A rule for all years to come, as a TZif file ends with: `CET-1CEST,M3.5.0,M10.5.0/3` (POSIX.1-2017, 8.3 "TZ", with
/// the wider hours of RFC 8536, 3.3.1).
struct PosixTimeZone: Hashable, Sendable {
    /// When in a year a clock changes.
    enum Day: Hashable, Sendable {
        /// 1 to 365; 29 February is not counted.
        case julian(Int)
        /// 0 to 365; 29 February counts.
        case ofYear(Int)
        /// The n-th such weekday of a month, 5: the last.
        case weekday(month: Int, week: Int, weekday: Int)
    }

    struct Rule: Hashable, Sendable {
        let day: Day
        /// Seconds after midnight, by the clock before the change; may be negative or beyond the day.
        var time = 7200
    }

    struct Daylight: Hashable, Sendable {
        let offset: Int
        let start: Rule
        let end: Rule
    }

    /// Seconds east of UTC.
    let standard: Int
    let daylight: Daylight?

    /// Nil when `text` is no such rule.
    init?(_ text: some StringProtocol) {
        var scanner = Scanner(rest: Array(text.utf8)[...])
        guard scanner.name(), let standard = scanner.offset() else { return nil }
        self.standard = -standard
        guard !scanner.rest.isEmpty else {
            daylight = nil
            return
        }
        guard scanner.name() else { return nil }
        let hasOffset = scanner.rest.first != UInt8(ascii: ",")
        guard let offset = hasOffset ? scanner.offset() : standard - 3600, let start = scanner.rule(),
            let end = scanner.rule(), scanner.rest.isEmpty
        else { return nil }
        daylight = Daylight(offset: -offset, start: start, end: end)
    }

    /// The stretch of time with one offset around `wall`.
    func period(at wall: Int64) -> TimeZoneRules.Period {
        guard let daylight else { return .init(offset: standard, start: nil, end: nil) }
        let changes = changes(around: wall, daylight)
        let next = changes.firstIndex { $0.at > wall } ?? changes.count
        guard next > 0 else { return .init(offset: standard, start: nil, end: changes.first?.at) }
        let end = next < changes.count ? changes[next].at : nil
        return .init(offset: changes[next - 1].offset, start: changes[next - 1].at, end: end)
    }

    /// The first time from `start` on at which the clocks do not show `offset`; nil: never.
    func change(from offset: Int, notBefore start: Int64) -> Int64? {
        let period = period(at: start)
        return period.offset == offset ? period.end : start
    }

    /// Those of the year and its neighbours that change anything. Where daylight saving ends as it begins anew, it does
    /// not end.
    private func changes(around wall: Int64, _ daylight: Daylight) -> [TimeZoneRules.Transition] {
        let year = CivilTime(seconds: wall).year
        var all: [(at: Int64, isStart: Bool)] = []
        for year in year - 2...year + 2 {
            all.append((daylight.start.seconds(in: year) - Int64(standard), true))
            all.append((daylight.end.seconds(in: year) - Int64(daylight.offset), false))
        }
        all.sort { $0.at == $1.at ? !$0.isStart && $1.isStart : $0.at < $1.at }
        var changes: [TimeZoneRules.Transition] = []
        for change in all {
            if changes.last?.at == change.at { changes.removeLast() }
            let offset = change.isStart ? daylight.offset : standard
            if changes.last?.offset != offset { changes.append(.init(at: change.at, offset: offset)) }
        }
        return changes
    }
}

extension PosixTimeZone.Rule {
    /// On the clock before the change.
    func seconds(in year: Int) -> Int64 {
        let first = CivilTime(year: year, month: 1, day: 1).days
        let days: Int64 =
            switch day {
            case .julian(let day): first + Int64(day - 1 + (day >= 60 && CivilTime.isLeap(year) ? 1 : 0))
            case .ofYear(let day): first + Int64(day)
            case .weekday(let month, let week, let weekday): Self.day(weekday, week, of: month, year)
            }
        return days * 86_400 + Int64(time)
    }

    private static func day(_ weekday: Int, _ week: Int, of month: Int, _ year: Int) -> Int64 {
        let first = CivilTime(year: year, month: month, day: 1).days
        let toWeekday = (weekday - CivilTime.weekday(ofDay: first) + 7) % 7
        let day = toWeekday + (week - 1) * 7
        return first + Int64(day < CivilTime.daysInMonth(month, of: year) ? day : day - 7)
    }
}

/// Reads the parts of a rule from its front.
private struct Scanner {
    var rest: ArraySlice<UInt8>

    private mutating func take(_ byte: UInt8) -> Bool {
        guard rest.first == byte else { return false }
        rest.removeFirst()
        return true
    }

    /// `CET`, or anything in angle brackets; at least three characters.
    mutating func name() -> Bool {
        if take(UInt8(ascii: "<")) {
            let name = rest.prefix { $0 != UInt8(ascii: ">") }
            rest = rest.dropFirst(name.count)
            return name.count >= 3 && take(UInt8(ascii: ">"))
        }
        let name = rest.prefix { ($0 | 0x20) &- 0x61 < 26 }
        rest = rest.dropFirst(name.count)
        return name.count >= 3
    }

    private mutating func number(in range: ClosedRange<Int>) -> Int? {
        let digits = rest.prefix { $0 &- 0x30 < 10 }
        rest = rest.dropFirst(digits.count)
        guard (1...3).contains(digits.count), let number = Int(String(decoding: digits, as: UTF8.self)),
            range.contains(number)
        else { return nil }
        return number
    }

    /// `-1`, `5:30`, `+167:59:59`, in seconds.
    mutating func offset() -> Int? {
        let isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        guard let hours = number(in: 0...167) else { return nil }
        var seconds = hours * 3600
        for unit in [60, 1] where take(UInt8(ascii: ":")) {
            guard let part = number(in: 0...59) else { return nil }
            seconds += part * unit
        }
        return isNegative ? -seconds : seconds
    }

    /// `,M3.5.0/2`, `,J60`, `,59`.
    mutating func rule() -> PosixTimeZone.Rule? {
        guard take(UInt8(ascii: ",")), let day = day() else { return nil }
        guard take(UInt8(ascii: "/")) else { return PosixTimeZone.Rule(day: day) }
        return offset().map { PosixTimeZone.Rule(day: day, time: $0) }
    }

    private mutating func day() -> PosixTimeZone.Day? {
        if take(UInt8(ascii: "J")) { return number(in: 1...365).map { .julian($0) } }
        guard take(UInt8(ascii: "M")) else { return number(in: 0...365).map { .ofYear($0) } }
        guard let month = number(in: 1...12), take(UInt8(ascii: ".")), let week = number(in: 1...5),
            take(UInt8(ascii: ".")), let weekday = number(in: 0...6)
        else { return nil }
        return .weekday(month: month, week: week, weekday: weekday)
    }
}
