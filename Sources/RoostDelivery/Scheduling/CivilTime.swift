/// A date and time of day as a wall clock shows it, without saying where: the proleptic Gregorian calendar.
///
/// Seconds of it count from 1970-01-01 00:00 on that wall clock. Days and dates convert by H. Hinnant's
/// "chrono-Compatible Low-Level Date Algorithms".
struct CivilTime: Hashable, Sendable {
    var year: Int
    /// 1 to 12.
    var month: Int
    /// 1 to 31.
    var day: Int
    var hour = 0
    var minute = 0
    var second = 0

    init(year: Int, month: Int, day: Int) {
        (self.year, self.month, self.day) = (year, month, day)
    }

    init(seconds: Int64) {
        let days = Self.floorDivide(seconds, by: 86_400), rest = Int(seconds - days * 86_400)
        self.init(days: days)
        (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60)
    }

    /// The start of a day; 1970-01-01 is day zero.
    init(days: Int64) {
        let shifted = days + 719_468  // from 0000-03-01, so that leap days end a year
        let era = Self.floorDivide(shifted, by: 146_097), ofEra = shifted - era * 146_097
        let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
        let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * ofYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        self.init(
            year: Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0), month: Int(month),
            day: Int(ofYear - (153 * marchMonth + 2) / 5 + 1))
    }

    var days: Int64 {
        let years = Int64(month <= 2 ? year - 1 : year)
        let era = Self.floorDivide(years, by: 400), yearOfEra = years - era * 400
        let ofYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + ofYear - 719_468
    }

    var seconds: Int64 { days * 86_400 + Int64(hour * 3600 + minute * 60 + second) }

    /// 0 is Sunday, as in cron and POSIX; 1970-01-01 was a Thursday.
    static func weekday(ofDay days: Int64) -> Int { Int(days + 4 - floorDivide(days + 4, by: 7) * 7) }

    static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    static func daysInMonth(_ month: Int, of year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    static func floorDivide(_ value: Int64, by divisor: Int64) -> Int64 {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }
}
