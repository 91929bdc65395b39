internal import RoostBasics
internal import RoostDelivery
internal import RoostFiles

extension TimeZoneRules {
    /// Where systems keep the compiled time zone database.
    private static let database = Folder("/usr/share/zoneinfo")
    private static let bytesMax = 1 << 20

    /// The rules of a zone as this system has them. Waits for a disk.
    static func installed(_ zone: TimeZoneName) -> Result<TimeZoneRules, RoostError> {
        guard !zone.isUTC else { return .success(.utc) }
        do throws(RoostError) {
            let bytes = try database.read(zone.text, limit: bytesMax)
            return .success(try TimeZoneRules(tzif: bytes, name: zone.text))
        } catch {
            guard error.code == .notFound else { return .failure(error) }
            return .failure(
                RoostError(
                    .notFound,
                    "this system knows no time zone \"\(zone)\": correct its name, or install the package tzdata"))
        }
    }
}
