public import RoostBasics

/// When something is due: `0 3 * * mon-fri`, as cron has it (minute, hour, day of month, month, day of week).
///
/// Lists, ranges, steps and English names work as in Vixie cron; so do `@hourly`, `@daily` (`@midnight`), `@weekly`,
/// `@monthly` and `@yearly` (`@annually`). Where both days are restricted, that is, neither field begins with `*`, a
/// date is meant that fits **either**; else it has to fit both.
///
/// **Daylight saving** as in Debian's cron. A schedule at fixed times (neither minute nor hour begins with `*`) runs
/// once for each time that it names: what falls into an hour that is skipped runs once, right after the gap; in an hour
/// that is repeated the first of both counts. A schedule with a wildcard goes by elapsed time: it runs whenever the
/// clock on the wall shows a time that fits.
public struct CronSchedule: Hashable, Sendable, CustomStringConvertible {
    /// As it was written.
    public let text: String
    let minute: CronField
    let hour: CronField
    let day: CronField
    let month: CronField
    let weekday: CronField

    /// - Throws: `invalidArgument`, naming the field and what it allows; also for a date that never comes.
    public init(_ text: String) throws(RoostError) {
        self.text = text
        let fields = try Self.expand(text).split { $0 == " " || $0 == "\t" }
        guard fields.count == 5 else {
            throw RoostError(
                .invalidArgument,
                "\"\(text)\" has \(fields.count) fields, cron has five: minute, hour, day of month, month, day of week")
        }
        do {
            minute = try CronField(fields[0], .minute)
            hour = try CronField(fields[1], .hour)
            day = try CronField(fields[2], .day)
            month = try CronField(fields[3], .month)
            weekday = try CronField(fields[4], .weekday)
        } catch { throw RoostError(.invalidArgument, "\"\(text)\": \(error.message)") }
        guard canCome else {
            throw RoostError(.invalidArgument, "\"\(text)\" never comes: no month of it has such a day")
        }
    }

    public var description: String { text }

    /// Neither minute nor hour begins with `*`.
    var isFixed: Bool { !minute.isStar && !hour.isStar }

    private static func expand(_ text: String) throws(RoostError) -> String {
        guard text.hasPrefix("@") else { return text }
        guard let fields = nicknames[text.lowercased()] else {
            throw RoostError(
                .invalidArgument,
                "\"\(text)\" is no schedule: known are \(nicknames.keys.sorted().joined(separator: ", "))")
        }
        return fields
    }

    private static let nicknames = [
        "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
        "@monthly": "0 0 1 * *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
    ]

    /// Whether any date fits. Where a weekday alone is enough, one does.
    private var canCome: Bool {
        if isEitherDay { return true }
        return (1...12).contains {
            month.contains($0) && (day.first(from: 1) ?? 99) <= CivilTime.daysInMonth($0, of: 4)
        }
    }

    private var isEitherDay: Bool { !day.isStar && !weekday.isStar }

    /// Whether it is due on a date; `days` is the same date.
    func fits(_ date: CivilTime, days: Int64) -> Bool {
        guard month.contains(date.month) else { return false }
        let isDay = day.contains(date.day), isWeekday = weekday.contains(CivilTime.weekday(ofDay: days))
        return isEitherDay ? isDay || isWeekday : isDay && isWeekday
    }
}
