import RoostBasics

/// The rules of `ColdStartCache` told a second time, without sums kept, values remembered or lists: every question is
/// answered by looking at everything.
struct ReferenceCache {
    struct Version {
        var isWarm = false
        var isLoading = false
        var isHeld = false
        var isPinned = false
        var bytes: Int
        var loadTime: Double?
        var lastCall: UInt64?
        var quarters = [Int](repeating: 0, count: 18)

        var isResident: Bool { isWarm || isLoading }
        var isEvictable: Bool { isWarm && !isHeld && !isPinned }
    }

    var budget: Int
    var versions: [Int: Version] = [:]

    var used: Int { versions.values.filter(\.isResident).reduce(0) { $0 + $1.bytes } }
    var room: Int { budget - versions.values.filter { $0.isResident && $0.isPinned }.reduce(0) { $0 + $1.bytes } }

    func fits(_ version: Version) -> Bool { version.isPinned || version.bytes <= room }

    /// Memory of what is there and has to share the budget.
    var charged: Int { versions.values.filter { $0.isResident && fits($0) }.reduce(0) { $0 + $1.bytes } }

    /// Whether something has to go, and can.
    var mustEvict: Bool {
        versions.values.contains { $0.isEvictable && !fits($0) }
            || charged > budget && versions.values.contains(where: \.isEvictable)
    }

    static func bin(_ nanoseconds: UInt64) -> Int {
        (0..<17).first { nanoseconds / 1_000_000_000 < 1 << UInt64($0) } ?? 17
    }

    mutating func touch(_ key: Int, at now: Instant) {
        guard var version = versions[key] else { return }
        if let last = version.lastCall {
            let bin = Self.bin(now.nanoseconds - last)
            for (at, quarters) in [(max(0, bin - 1), 1), (bin, 2), (min(17, bin + 1), 1)] {
                version.quarters[at] += quarters
            }
            if version.quarters.reduce(0, +) > 1200 { version.quarters = version.quarters.map { $0 / 2 } }
        }
        version.lastCall = now.nanoseconds
        versions[key] = version
    }

    func value(of key: Int, at now: Instant) -> Double {
        guard let version = versions[key] else { return 0 }
        guard fits(version) else { return -1 }
        let first = version.lastCall.map { Self.bin(now.nanoseconds - $0) } ?? 17
        let times = version.quarters.map { Double($0) / 4 + 1.0 / 18 }
        let widths = (0..<18).map { $0 == 0 ? 1.0 : Double(1 << ($0 - 1)) }
        var best = 0.0
        for end in first..<18 {
            let called = times[first...end].reduce(0, +)
            // Called halfway through its bin, or not before the end.
            var kept = (times[(end + 1)...].reduce(0, +) + 0.1) * widths[first...end].reduce(0, +)
            for bin in first...end {
                kept += times[bin] * (widths[first..<bin].reduce(0, +) + widths[bin] / 2)
            }
            best = max(best, called / kept)
        }
        return best * (version.loadTime ?? 0) / Double(max(1, version.bytes))
    }

    /// The least value of what may be evicted.
    func leastValue(at now: Instant) -> Double {
        versions.filter { $0.value.isEvictable }.keys.map { value(of: $0, at: now) }.min() ?? .infinity
    }
}
