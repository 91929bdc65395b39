/// Whole percents over the versions of a function; they sum to 100, and none is zero.
public struct TrafficShares: Hashable, Sendable, CustomStringConvertible {
    public struct Entry: Hashable, Sendable {
        public let version: VersionNumber
        /// 1 to 100.
        public let percent: Int
    }

    /// In ascending order of versions; never empty.
    public let entries: [Entry]

    /// Versions with 0 percent are left out.
    /// - Throws: unless each share is 0 to 100 and all sum to 100.
    public init(_ percents: [VersionNumber: Int]) throws(RoostError) {
        for (version, percent) in percents where !(0...100).contains(percent) {
            throw RoostError(.invalidArgument, "the share of version \(version) must be 0 to 100, got \(percent)")
        }
        let sum = percents.values.reduce(0, +)
        guard sum == 100 else { throw RoostError(.invalidArgument, "shares must sum to 100, got \(sum)") }
        entries = percents.filter { $0.value > 0 }.sorted { $0.key < $1.key }
            .map { Entry(version: $0.key, percent: $0.value) }
    }

    /// Everything to one version.
    public init(all version: VersionNumber) { entries = [Entry(version: version, percent: 100)] }

    private init(entries: [Entry]) { self.entries = entries }

    public var versions: [VersionNumber] { entries.map(\.version) }

    /// The version with the largest share, the higher one of two equals.
    public var leading: VersionNumber {
        entries.dropFirst().reduce(entries[0]) { $1.percent >= $0.percent ? $1 : $0 }.version
    }

    /// In percent, 0 for a version without a share.
    public subscript(version: VersionNumber) -> Int { entries.first { $0.version == version }?.percent ?? 0 }

    /// These shares among only those versions that `isKept` accepts: the others' go to them in proportion,
    /// rounded by largest remainder. Nil when none is kept.
    public func restricted(to isKept: (VersionNumber) -> Bool) -> TrafficShares? {
        let kept = entries.filter { isKept($0.version) }
        let total = kept.reduce(0) { $0 + $1.percent }
        guard total > 0 else { return nil }
        guard total < 100 else { return self }
        var percents = kept.map { $0.percent * 100 / total }
        // Largest remainder first, lower version first among equals; nobody falls to zero, so nobody is lost.
        let order = kept.indices.sorted {
            (kept[$0].percent * 100 % total, -$0) > (kept[$1].percent * 100 % total, -$1)
        }
        for place in order.prefix(100 - percents.reduce(0, +)) { percents[place] += 1 }
        return TrafficShares(entries: zip(kept, percents).map { Entry(version: $0.version, percent: $1) })
    }

    /// `2=90 3=10`.
    public var description: String { entries.map { "\($0.version)=\($0.percent)" }.joined(separator: " ") }
}
