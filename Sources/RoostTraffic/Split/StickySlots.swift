public import RoostBasics

/// Which version answers whom, for requests with a key: 10,000 slots, each assigned to one version.
///
/// A key has one slot for good; a version holds as many slots as its share says. A change of shares moves the fewest
/// slots that can be moved, and only from versions that shrink to versions that grow. So a key leaves a version only
/// if that version's share fell: while a share grows from 1 to 100, nobody who has met the new version goes back to an
/// old one, however many versions there are. (Intervals laid end to end by cumulated shares, the usual way, break
/// that with three versions; compare "minimal disruption" in Eisenbud et al., "Maglev", NSDI 2016.)
///
/// Who holds what follows from the history of shares, so it is stored (`text`).
public struct StickySlots: Hashable, Sendable, CustomStringConvertible {
    public static let count = 10_000
    private static let perPercent = count / 100

    /// In ascending order; each holds a slot. What `owners` gives indices into.
    public private(set) var versions: [VersionNumber]
    /// Per slot the index of its version.
    public private(set) var owners: [UInt8]

    /// Everything to one version.
    public init(all version: VersionNumber) {
        versions = [version]
        owners = Array(repeating: 0, count: Self.count)
    }

    /// For a function that had no slots before: they leave the version with the largest share.
    public init(_ shares: TrafficShares) {
        self.init(all: shares.leading)
        move(to: shares)
    }

    public func owner(of slot: Int) -> VersionNumber { versions[Int(owners[slot])] }

    /// Changes the shares. A version that grows begins to take at a place of its own, so that the same keys are not
    /// the first to meet every new version, and goes on from there, so that what it holds stays in few runs.
    public mutating func move(to shares: TrafficShares) {
        // At most 100 versions have a share now and 100 had one before.
        let all = Set(versions).union(shares.versions).sorted()
        let places = versions.map { version in UInt8(all.firstIndex(of: version) ?? 0) }
        var owners = owners.map { places[Int($0)] }
        var surplus = all.map { -shares[$0] * Self.perPercent }
        for owner in owners { surplus[Int(owner)] += 1 }
        for taker in all.indices where surplus[taker] < 0 {
            var slot = Self.start(of: all[taker])
            while surplus[taker] < 0 {
                let owner = Int(owners[slot])
                if surplus[owner] > 0 {
                    surplus[owner] -= 1
                    surplus[taker] += 1
                    owners[slot] = UInt8(taker)
                }
                slot = (slot + 1) % Self.count
            }
        }
        // Who has no share has no slot any more.
        let kept = all.map { UInt8(shares.versions.firstIndex(of: $0) ?? 0) }
        self.owners = owners.map { kept[Int($0)] }
        versions = shares.versions
    }

    private static func start(of version: VersionNumber) -> Int {
        let hash = version.components.reduce(UInt64(0)) { SplitMix.mix($0 &+ UInt64($1) &+ SplitMix.step) }
        return Int(hash % UInt64(count))
    }

    // MARK: as text

    /// Runs of slots in order, each a length and a version: `9000*2 1000*3`.
    public var description: String {
        var runs: [(length: Int, owner: UInt8)] = []
        for owner in owners {
            if runs.last?.owner == owner { runs[runs.count - 1].length += 1 } else { runs.append((1, owner)) }
        }
        return runs.map { "\($0.length)*\(versions[Int($0.owner)])" }.joined(separator: " ")
    }

    /// Reads what `description` says.
    /// - Throws: unless it gives each of the slots to a version, and whole percents to each version.
    public init(_ text: String) throws(RoostError) {
        var runs: [(length: Int, version: VersionNumber)] = []
        for word in text.split(separator: " ") {
            let parts = word.split(separator: "*", omittingEmptySubsequences: false)
            guard parts.count == 2, let length = Int(parts[0]), (1...Self.count).contains(length),
                let version = VersionNumber(parts[1])
            else { throw RoostError(.invalidArgument, "\"\(word)\" is no run of slots such as 9000*2") }
            runs.append((length, version))
        }
        let counts = Dictionary(runs.map { ($0.version, $0.length) }, uniquingKeysWith: +)
        guard runs.reduce(0, { $0 + $1.length }) == Self.count,
            counts.values.allSatisfy({ $0 % Self.perPercent == 0 })
        else { throw RoostError(.invalidArgument, "the runs are not \(Self.count) slots in whole percents") }
        let versions = counts.keys.sorted()
        self.versions = versions
        owners = runs.flatMap { run in
            Array(repeating: UInt8(versions.firstIndex(of: run.version) ?? 0), count: run.length)
        }
    }
}
