import Foundation
import RoostDelivery

/// Time zone data that does not depend on the machine.
enum Zones {
    static let names = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]

    static func bytes(_ name: String) throws -> [UInt8] {
        let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "fixtures/zoneinfo/\(name)")
        return [UInt8](try Data(contentsOf: path))
    }

    static func rules(_ name: String) throws -> TimeZoneRules {
        name == "UTC" ? .utc : try TimeZoneRules(tzif: bytes(name), name: name)
    }

    /// `2026-03-29 01:00` or with seconds, by UTC.
    static func utc(_ text: String) throws -> Int64 {
        let parts = text.split { "- :".contains($0) }.compactMap { Int($0) }
        var components = DateComponents()
        (components.year, components.month, components.day) = (parts[0], parts[1], parts[2])
        (components.hour, components.minute, components.second) = (parts[3], parts[4], parts.count > 5 ? parts[5] : 0)
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        guard let date = calendar.date(from: components) else { throw CocoaError(.formatting) }
        return Int64(date.timeIntervalSince1970)
    }

    static func text(_ wall: Int64?) -> String {
        guard let wall else { return "never" }
        let date = Date(timeIntervalSince1970: Double(wall))
        let text = date.formatted(.iso8601.dateSeparator(.dash).timeSeparator(.colon).dateTimeSeparator(.space))
        return String(text.prefix(text.hasSuffix(":00Z") ? 16 : 19))
    }
}
