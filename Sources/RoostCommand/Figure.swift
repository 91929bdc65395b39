/// Numbers for people.
enum Figure {
    /// Without a fraction where there is none, else with one digit of it.
    static func plain(_ number: Double) -> String {
        guard number.isFinite else { return "?" }
        let tenths = (number * 10).rounded()
        guard abs(tenths) < 1e15 else { return "\(number)" }
        let whole = Int(tenths)
        return whole % 10 == 0 ? "\(whole / 10)" : "\(whole < 0 ? "-" : "")\(abs(whole) / 10).\(abs(whole) % 10)"
    }

    /// Three digits that count: `0.21 ms`, `12.3 ms`, `1.2 s`.
    static func milliseconds(_ number: Double) -> String {
        if number >= 1000 { return "\(plain(number / 1000)) s" }
        guard number.isFinite, number < 1 else { return "\(plain(number)) ms" }
        let hundredths = Int((max(0, number) * 100).rounded())
        return hundredths == 100 ? "1 ms" : "0.\(hundredths < 10 ? "0" : "")\(hundredths) ms"
    }

    /// `3.1 MiB`.
    static func bytes(_ number: Double) -> String {
        var number = number
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if number < 1024 { return "\(plain(number)) \(unit)" }
            number /= 1024
        }
        return "\(plain(number)) TiB"
    }

    /// `12 s`, `5 min`, `3 h`, `12 d`.
    static func seconds(_ number: Double) -> String {
        for (unit, size) in [("d", 86400.0), ("h", 3600), ("min", 60)] where number >= 2 * size {
            return "\(plain((number / size).rounded(.down))) \(unit)"
        }
        return "\(plain(number.rounded(.down))) s"
    }
}
