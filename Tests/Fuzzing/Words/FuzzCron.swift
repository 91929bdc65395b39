import RoostDelivery

/// The first byte chooses the time, the second the clocks, the rest is a cron expression. Where clocks are never changed,
/// the next due time is the next minute that fits; where they are, due times at least ascend, and none is passed over.
func fuzzCron(_ input: [UInt8]) throws {
    var choices = Choices(input)
    let wall = 1_700_000_000 + Int64(choices.byte()) * 1_234_567
    let hasDaylight = choices.number(below: 2) == 1
    let text = String(decoding: choices.rest, as: UTF8.self)
    guard text.utf8.count < 200, let schedule = try? CronSchedule(text) else { return }
    let rules = hasDaylight ? try TimeZoneRules(tzif: TZif.file("CET-1CEST,M3.5.0,M10.5.0/3"), name: "Test") : .utc
    guard let next = schedule.next(after: wall, in: rules) else {
        throw Broken(description: "\(text) never comes")
    }
    try expect(next > wall && next % 60 == 0, "\(text) comes at \(next), after \(wall)")
    try expect(
        schedule.next(after: next - 1, in: rules) == next, "\(text) comes at \(next), and not a second before it")
    try expect(schedule.last(after: wall, through: next, in: rules) == next, "the last is not the next")
    try expect(schedule.last(after: wall, through: next - 1, in: rules) == nil, "there is one before the next")
    guard let second = schedule.next(after: next, in: rules) else { throw Broken(description: "\(text) comes once") }
    try expect(second > next, "\(text) goes back")
    if !hasDaylight { try check(text, wall, next) }
}

/// Two days, minute by minute.
private func check(_ text: String, _ wall: Int64, _ next: Int64) throws {
    guard let plain = PlainCron(text) else { throw Broken(description: "\(text) is accepted") }
    var minute = (wall / 60 + 1) * 60
    while minute < wall + 2 * 86_400 {
        if plain.fits(minute) { return try expect(next == minute, "\(text) is due at \(minute), not at \(next)") }
        minute += 60
    }
    try expect(next >= minute, "\(text) is not due at \(next)")
}

/// Cron with sets of numbers.
private struct PlainCron {
    private var sets: [Set<Int>] = []
    private let isEitherDay: Bool

    init?(_ text: String) {
        let nicknames = [
            "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
            "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
        ]
        let fields = (nicknames[text.lowercased()] ?? text).split { $0 == " " || $0 == "\t" }.map(String.init)
        let ranges = [0...59, 0...23, 1...31, 1...12, 0...7]
        guard fields.count == 5 else { return nil }
        for (field, range) in zip(fields, ranges) {
            guard let set = Self.numbers(field.lowercased(), range) else { return nil }
            sets.append(set)
        }
        isEitherDay = !fields[2].hasPrefix("*") && !fields[4].hasPrefix("*")
    }

    private static let names = [
        "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
        "dec": 12, "sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6,
    ]

    private static func numbers(_ field: String, _ range: ClosedRange<Int>) -> Set<Int>? {
        var found: Set<Int> = []
        for part in field.split(separator: ",", omittingEmptySubsequences: false) {
            let halves = part.split(separator: "/", omittingEmptySubsequences: false)
            let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false).map {
                names[String($0)] ?? Int($0)
            }
            var (low, high) = (range.lowerBound, range.upperBound == 7 ? 6 : range.upperBound)
            if halves[0] != "*" {
                guard let first = ends[0], let last = ends[ends.count - 1], ends.count <= 2, first <= last else {
                    return nil
                }
                (low, high) = (first, last)
            }
            guard let step = halves.count > 1 ? Int(halves[1]) : 1, step > 0 else { return nil }
            for number in stride(from: low, through: high, by: step) {
                found.insert(range.upperBound == 7 ? number % 7 : number)
            }
        }
        return found
    }

    /// At a time in seconds since 1970 UTC.
    func fits(_ wall: Int64) -> Bool {
        let day = Int(wall / 86_400)
        let (month, dayOfMonth) = Self.date(day)
        let (isDay, isWeekday) = (sets[2].contains(dayOfMonth), sets[4].contains((day + 4) % 7))
        return sets[0].contains(Int(wall / 60 % 60)) && sets[1].contains(Int(wall / 3600 % 24))
            && sets[3].contains(month)
            && (isEitherDay ? isDay || isWeekday : isDay && isWeekday)
    }

    /// By counting years and months.
    private static func date(_ day: Int) -> (month: Int, day: Int) {
        var (year, rest) = (1970, day)
        func isLeap() -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }
        while rest >= (isLeap() ? 366 : 365) {
            rest -= isLeap() ? 366 : 365
            year += 1
        }
        for (month, days) in [31, isLeap() ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
            if rest < days { return (month + 1, rest + 1) }
            rest -= days
        }
        return (12, 31)
    }
}
