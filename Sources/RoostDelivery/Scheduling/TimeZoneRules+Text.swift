extension TimeZoneRules {
    /// A time in seconds since 1970 UTC as clocks there show it, by RFC 3339: `2026-01-31T03:00:00+01:00`.
    ///
    /// Offsets that are no whole minutes, as those before 1900, are cut: the format knows no others.
    public func text(of wall: Int64) -> String {
        let minutes = offset(at: wall) / 60
        let shown = CivilTime(seconds: wall + Int64(minutes * 60))
        let date = [Self.digits(shown.year, 4), Self.digits(shown.month, 2), Self.digits(shown.day, 2)]
        let time = [Self.digits(shown.hour, 2), Self.digits(shown.minute, 2), Self.digits(shown.second, 2)]
        let away = "\(Self.digits(abs(minutes) / 60, 2)):\(Self.digits(abs(minutes) % 60, 2))"
        let zone = minutes == 0 ? "Z" : (minutes < 0 ? "-" : "+") + away
        return "\(date.joined(separator: "-"))T\(time.joined(separator: ":"))\(zone)"
    }

    private static func digits(_ number: Int, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}
