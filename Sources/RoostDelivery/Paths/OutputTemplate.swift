public import RoostBasics

/// Where a scheduled run writes: a path below the data folder, in which `{date}` stands for the due date and `{time}` for
/// the due time, as clocks in the schedule's time zone show them: `out/{date}.csv` is `out/2026-01-31.csv`.
public struct OutputTemplate: Hashable, Sendable, CustomStringConvertible {
    /// As it was written.
    public let text: String

    /// - Throws: for what is no path below the data folder, and for anything else in braces.
    public init(_ text: String) throws(RoostError) {
        var rest = text
        for placeholder in Self.placeholders { rest = rest.split(separator: placeholder).joined(separator: "0") }
        if rest.contains(where: { $0 == "{" || $0 == "}" }) {
            throw RoostError(
                .invalidArgument, "\"\(text)\" has braces around something else than \(Self.placeholders[0]) or {time}")
        }
        _ = try DataPath(text)
        guard !text.hasSuffix("/") else {
            throw RoostError(.invalidArgument, "\"\(text)\" is a folder: name a file, like \"\(text){date}.csv\"")
        }
        self.text = text
    }

    public var description: String { text }

    private static let placeholders = ["{date}", "{time}"]

    /// - Parameter due: in seconds since 1970 UTC.
    public func path(due: Int64, in rules: TimeZoneRules) -> String {
        let shown = CivilTime(seconds: due + Int64(rules.offset(at: due)))
        let date = "\(Self.digits(shown.year, 4))-\(Self.digits(shown.month, 2))-\(Self.digits(shown.day, 2))"
        let time = "\(Self.digits(shown.hour, 2))-\(Self.digits(shown.minute, 2))"
        return text.replacing("{date}", with: date).replacing("{time}", with: time)
    }

    private static func digits(_ number: Int, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
}
