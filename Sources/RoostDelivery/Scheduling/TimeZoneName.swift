internal import RoostBasics

/// The name of a time zone: `Europe/Berlin`, `UTC`. Whether there is such a zone, the data on the disk says.
public struct TimeZoneName: Hashable, Sendable, CustomStringConvertible {
    public let text: String

    /// What schedules use that name no zone.
    public static let utc = TimeZoneName(unchecked: "UTC")

    /// Nil for anything that is not one to four parts of letters, digits, `_`, `+` and `-`: a name is a path below the
    /// folder of the data, and never leads elsewhere.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...4).contains(parts.count), text.utf8.count <= 64,
            parts.allSatisfy({ part in
                part.utf8.first.map { $0.isAlphanumeric && !$0.isDigit } ?? false
                    && part.utf8.allSatisfy { $0.isAlphanumeric || "_+-".utf8.contains($0) }
            })
        else { return nil }
        self.text = text
    }

    private init(unchecked text: String) { self.text = text }

    /// Needs no data: `UTC`, `Etc/UTC`, `Z`.
    public var isUTC: Bool { ["UTC", "Etc/UTC", "Z"].contains(text) }

    public var description: String { text }
}
