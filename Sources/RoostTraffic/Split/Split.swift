public import RoostBasics

/// Which version answers the request number `counter`: a pure function of (shares, seed, counter).
///
/// Stratified, without dice and without aliasing. In blocks of 100 requests each version appears exactly
/// as often as its share says, and after every prefix of a block its count differs by less than one from what is
/// due (the quota condition of fair scheduling: Baruah et al., "Proportionate progress", 1996). So in
/// *every* window of 100 requests, wherever it begins, each version is within 1 of its share. Inside that
/// condition the places are pseudo-random, and each block uses another of the prepared patterns, chosen
/// by hashing its number: a caller with a period meets each version as often as anyone.
///
/// `choose` takes constant time and allocates nothing; making a split takes about two milliseconds.
public struct Split: Sendable {
    public let shares: TrafficShares
    public let seed: UInt64
    /// What `choose` gives indices into.
    public let versions: [VersionNumber]
    /// Index of the version per place, `Pattern.length` for each pattern; empty for a single version.
    private let places: [UInt8]

    public init(_ shares: TrafficShares, seed: UInt64) {
        self.shares = shares
        self.seed = seed
        versions = shares.versions
        guard versions.count > 1 else {
            places = []
            return
        }
        var random = SplitMix(state: seed)
        var pattern = Pattern(percents: shares.entries.map(\.percent))
        var places: [UInt8] = []
        places.reserveCapacity(Self.patternCount * Pattern.length)
        for _ in 0..<Self.patternCount {
            pattern.shuffle(using: &random)
            places += pattern.slots
        }
        self.places = places
    }

    /// The index, in `versions`, of the version that answers.
    @inline(__always)
    public func choose(_ counter: UInt64) -> Int {
        guard !places.isEmpty else { return 0 }
        let (block, place) = counter.quotientAndRemainder(dividingBy: UInt64(Pattern.length))
        let pattern = SplitMix.mix(seed &+ block &* SplitMix.step) & UInt64(Self.patternCount - 1)
        return Int(places[Int(pattern) * Pattern.length + Int(place)])
    }

    /// A power of two; 12,800 bytes of places in all.
    private static let patternCount = 128
}

/// A split with its counter, for the one thread that routes.
public struct SplitCounter: Sendable {
    public private(set) var split: Split
    public private(set) var counter: UInt64 = 0

    public init(_ shares: TrafficShares, seed: UInt64) { split = Split(shares, seed: seed) }

    /// The index, in `split.versions`, of the version for the next request.
    @inline(__always)
    public mutating func next() -> Int {
        defer { counter &+= 1 }
        return split.choose(counter)
    }

    /// From the next request on. The counter restarts, unless nothing changes.
    public mutating func replace(_ shares: TrafficShares) {
        guard shares != split.shares else { return }
        split = Split(shares, seed: SplitMix.mix(split.seed &+ SplitMix.step))
        counter = 0
    }
}

/// Chooses a percentage of something that comes one by one, as evenly as a split does.
public struct Sampler: Sendable {
    /// 1 to 100.
    public let percent: Int
    private var counter: SplitCounter

    public init(percent: Int, seed: UInt64) throws(RoostError) {
        self.percent = percent
        counter = SplitCounter(
            try TrafficShares([VersionNumber(0): 100 - percent, VersionNumber(1): percent]), seed: seed)
    }

    /// Whether the next one is chosen.
    public mutating func next() -> Bool { counter.split.versions.count == 1 || counter.next() == 1 }
}
