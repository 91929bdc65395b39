import Foundation
import RoostBasics
import RoostDelivery
import Testing

@Suite struct CronScheduleTests {
    func dues(_ cron: String, _ zone: String, from: String, count: Int = 3) throws -> [String] {
        let schedule = try CronSchedule(cron), rules = try Zones.rules(zone)
        var at = try Zones.utc(from), dues: [String] = []
        while dues.count < count, let next = schedule.next(after: at, in: rules) {
            dues.append(Zones.text(next))
            at = next
        }
        return dues
    }

    /// By UTC, the three times after the one given.
    @Test(
        arguments: [
            ("*/20 * * * *", "UTC", "2026-01-01 00:00", ["2026-01-01 00:20", "2026-01-01 00:40", "2026-01-01 01:00"]),
            (
                "0 3 * * *", "Asia/Kathmandu", "2026-01-01 00:00",
                ["2026-01-01 21:15", "2026-01-02 21:15", "2026-01-03 21:15"]
            ),
            ("@weekly", "UTC", "2026-01-01 00:00", ["2026-01-04 00:00", "2026-01-11 00:00", "2026-01-18 00:00"]),
            ("@yearly", "UTC", "2026-01-01 00:00", ["2027-01-01 00:00", "2028-01-01 00:00", "2029-01-01 00:00"]),
            ("0 0 29 2 *", "UTC", "2026-01-01 00:00", ["2028-02-29 00:00", "2032-02-29 00:00", "2036-02-29 00:00"]),
            ("0 0 29 2 *", "UTC", "2096-12-01 00:00", ["2104-02-29 00:00", "2108-02-29 00:00", "2112-02-29 00:00"]),
            // Either day when both are restricted, both when one begins with a star.
            ("0 0 13 * fri", "UTC", "2026-01-01 00:00", ["2026-01-02 00:00", "2026-01-09 00:00", "2026-01-13 00:00"]),
            (
                "0 0 */30 * mon", "UTC", "2026-01-01 00:00",
                ["2026-06-01 00:00", "2026-08-31 00:00", "2027-02-01 00:00"]
            ),
            (
                "5 4 * JAN-mar/2 7", "UTC", "2026-01-01 00:00",
                ["2026-01-04 04:05", "2026-01-11 04:05", "2026-01-18 04:05"]
            ),
            // The hour that is skipped: once, right after it. A schedule with a star just goes on.
            (
                "30 2 * * *", "Europe/Berlin", "2026-03-28 00:00",
                ["2026-03-28 01:30", "2026-03-29 01:00", "2026-03-30 00:30"]
            ),
            (
                "0,15,30 2,3 * * *", "Europe/Berlin", "2026-03-29 00:00",
                ["2026-03-29 01:00", "2026-03-29 01:15", "2026-03-29 01:30"]
            ),
            (
                "*/30 * * * *", "Europe/Berlin", "2026-03-29 00:29",
                ["2026-03-29 00:30", "2026-03-29 01:00", "2026-03-29 01:30"]
            ),
            (
                "30 */2 * * *", "Europe/Berlin", "2026-03-28 22:00",
                ["2026-03-28 23:30", "2026-03-29 02:30", "2026-03-29 04:30"]
            ),
            // The hour that is repeated: the first of both; with a star both.
            (
                "30 2 * * *", "Europe/Berlin", "2026-10-24 12:00",
                ["2026-10-25 00:30", "2026-10-26 01:30", "2026-10-27 01:30"]
            ),
            (
                "30 * * * *", "Europe/Berlin", "2026-10-25 00:00",
                ["2026-10-25 00:30", "2026-10-25 01:30", "2026-10-25 02:30"]
            ),
            (
                "15,45 1 * * *", "America/New_York", "2026-11-01 05:30",
                ["2026-11-01 05:45", "2026-11-02 06:15", "2026-11-02 06:45"]
            ),
            // Half an hour at Lord Howe: 2:00 becomes 2:30, and 2:00 becomes 1:30.
            (
                "15 2 * * *", "Australia/Lord_Howe", "2026-10-03 00:00",
                ["2026-10-03 15:30", "2026-10-04 15:15", "2026-10-05 15:15"]
            ),
            (
                "45 1 * * *", "Australia/Lord_Howe", "2026-04-04 00:00",
                ["2026-04-04 14:45", "2026-04-05 15:15", "2026-04-06 15:15"]
            ),
            (
                "45 * * * *", "Australia/Lord_Howe", "2026-04-04 14:00",
                ["2026-04-04 14:45", "2026-04-04 15:15", "2026-04-04 16:15"]
            ),
        ] as [(String, String, String, [String])])
    func dueTimesAreThoseOfCron(_ cron: String, _ zone: String, _ from: String, _ expected: [String]) throws {
        #expect(try dues(cron, zone, from: from) == expected)
    }

    @Test(arguments: [
        ("* * * *", "has 4 fields, cron has five: minute, hour, day of month, month, day of week"),
        ("", "has 0 fields"), ("0 0 3 * * *", "has 6 fields"), ("60 * * * *", "minute \"60\": must be 0 to 59"),
        ("* 24 * * *", "hour \"24\": must be 0 to 23"), ("* * 0 * *", "day of month \"0\": must be 1 to 31"),
        ("* * * 13 *", "month \"13\": must be 1 to 12 or jan to dec"),
        ("* * * * 8", "day of week \"8\": must be 0 to 7 or sun to sat"), ("* * L * *", "day of month \"L\": must be"),
        ("5-1 * * * *", "minute \"5-1\": a range goes upwards"), ("*/0 * * * *", "the step must be 1 to 59"),
        ("*/90 * * * *", "minute \"*/90\": the step must be 1 to 59"), ("5/10 * * * *", "a step needs a range"),
        ("1,,2 * * * *", "minute \"\": must be 0 to 59"), ("-1 * * * *", "minute \"-1\""),
        ("+1 * * * *", "minute \"+1\""),
        ("*-5 * * * *", "minute \"*-5\""), ("1-2-3 * * * *", "minute \"1-2-3\""),
        ("* * * * mon-", "day of week \"mon-\""),
        ("0 0 30 2 *", "\"0 0 30 2 *\" never comes"), ("0 0 31 4,6,9,11 *", "never comes"),
        ("@reboot", "\"@reboot\" is no schedule: known are @annually, @daily"), ("* * * * ,", "day of week"),
    ])
    func whatIsNoScheduleIsRefused(_ cron: String, _ words: String) throws {
        let error = try #require(throws: RoostError.self) { try CronSchedule(cron) }
        #expect(error.message.contains(words), "\(error.message)")
    }

    @Test func aDateThatNeverComesIsFineWhereAWeekdayIsEnough() throws {
        #expect(try dues("0 0 30 2 mon", "UTC", from: "2026-01-01 00:00", count: 1) == ["2026-02-02 00:00"])
    }

    /// Random expressions against a walk over all minutes, which knows the sets of numbers without reading them.
    @Test(arguments: Zones.names)
    func nextIsWhatAWalkOverAllMinutesFinds(_ zone: String) throws {
        let rules = try Zones.rules(zone)
        var dice = SplitMix(state: 42), compared = 0
        for round in 0..<24 {
            let random = RandomCron(using: &dice), schedule = try CronSchedule(random.text)
            let start = try Zones.utc(["2025-12-31 22:00", "2026-03-01 00:00", "2026-09-20 00:00"][round % 3])
            let days: Int64 = round < 3 ? 500 : 60
            var at = start - 1
            for due in random.walk(from: start, to: start + days * 86_400, rules) {
                #expect(schedule.next(after: at, in: rules) == due, "\(random.text) after \(Zones.text(at)) in \(zone)")
                #expect(schedule.last(after: at, through: due + 1, in: rules) == due)
                (at, compared) = (due, compared + 1)
            }
        }
        #expect(compared > 500)
    }
}

/// An expression, and what it means.
struct RandomCron {
    let text: String
    private let sets: [Set<Int>]
    private let areStars: [Bool]

    init(using dice: inout SplitMix) {
        var (fields, sets, stars): ([String], [Set<Int>], [Bool]) = ([], [], [])
        for (range, starOdds) in [(0...59, 0.2), (0...23, 0.4), (1...28, 0.5), (1...12, 0.7), (0...6, 0.5)] {
            let full = range.upperBound == 28 ? 1...31 : range
            if dice.unit() < starOdds {
                let step = dice.unit() < 0.5 ? 1 : Int.random(in: 2...5, using: &dice)
                fields.append(step == 1 ? "*" : "*/\(step)")
                sets.append(Set(stride(from: full.lowerBound, through: full.upperBound, by: step)))
                stars.append(true)
            } else {
                // Fixed hours near the changes of the clock, where it gets interesting.
                let near = range.upperBound == 23 ? 0...4 : range
                let numbers = (0..<3).map { _ in Int.random(in: near, using: &dice) }
                fields.append(numbers.map(String.init).joined(separator: ","))
                sets.append(Set(numbers))
                stars.append(false)
            }
        }
        (text, self.sets, areStars) = (fields.joined(separator: " "), sets, stars)
    }

    private static let calendar: Calendar = {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        return calendar
    }()

    private func fitsDay(_ day: Int64) -> Bool {
        let parts = Self.calendar.dateComponents(
            [.day, .month, .weekday], from: Date(timeIntervalSince1970: Double(day * 86_400)))
        guard let date = parts.day, let month = parts.month, let weekday = parts.weekday else { return false }
        let isDay = sets[2].contains(date), isWeekday = sets[4].contains(weekday - 1)
        return sets[3].contains(month) && (areStars[2] || areStars[4] ? isDay && isWeekday : isDay || isWeekday)
    }

    /// Minute by minute of elapsed time; `shown` is what the wall clock has already shown.
    func walk(from start: Int64, to end: Int64, _ rules: TimeZoneRules) -> [Int64] {
        let isFixed = !areStars[0] && !areStars[1]
        var dues: [Int64] = [], days: [Int64: Bool] = [:]
        func fits(_ shown: Int64) -> Bool {
            let minute = Int(shown / 60 % 60), hour = Int(shown / 3600 % 24), day = shown / 86_400
            guard sets[0].contains(minute), sets[1].contains(hour) else { return false }
            if let known = days[day] { return known }
            days[day] = fitsDay(day)
            return days[day] == true
        }
        var shownMax = start - 60 * 86_400  // a walk does not begin in a repeated hour
        var period = rules.period(at: start - 86_400)
        for at in stride(from: start - 86_400, to: end, by: 60) {
            if at >= period.end ?? .max { period = rules.period(at: at) }
            let shown = at + Int64(period.offset)
            let skipped = stride(from: max(shownMax + 60, shown - 7200), to: shown, by: 60)
            let isNew = shown > shownMax
            let isGap = isNew && at > start - 86_400 && shown - shownMax > 60
            if isFixed ? isNew && (fits(shown) || isGap && skipped.contains(where: fits)) : fits(shown), at >= start {
                dues.append(at)
            }
            shownMax = max(shownMax, shown)
        }
        return dues
    }
}
