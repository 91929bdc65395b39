public import RoostBasics

/// Requests of about the same size: latencies are compared within one group only, because a request for a thousand
/// rows takes longer than one for a single row whatever the version.
public enum RowGroup: Int, Hashable, Sendable, CaseIterable {
    /// 1 row.
    case one
    /// 2 to 8 rows.
    case few
    /// 9 to 64 rows.
    case some
    /// More than 64 rows.
    case many

    @inlinable public init(rows: Int) {
        self = rows <= 1 ? .one : rows <= 8 ? .few : rows <= 64 ? .some : .many
    }

    /// `1`, `2-8`, `9-64`, `>64`: in evidence and in sentences.
    public var name: String {
        switch self {
        case .one: "1"
        case .few: "2-8"
        case .some: "9-64"
        case .many: ">64"
        }
    }
}

/// Counts latencies by row group in fixed memory (25 KiB), from 8 us to 137 s, with buckets at most 1.6 % wide.
///
/// Log-linear as HdrHistogram's (Tene 2012): each power of two is divided into 64 equal buckets. What is shorter goes
/// to the first bucket, what is longer to the last. Counts are of 32 bits and stop at their limit, which one bucket
/// reaches after half a day at 100,000 requests a second.
public struct LatencyCounts: Hashable, Sendable {
    /// Each power of two has 2⁶ buckets, the first power begins at 2¹³ ns, and there are 24 of them. (Computed, so that
    /// no access asks whether they were initialised.)
    private static var bits: Int { 6 }
    private static var first: Int { 13 }
    /// Buckets of one row group; the one before all powers is for what is shorter.
    public static var buckets: Int { 1 + (24 << bits) }

    /// The groups one after the other.
    private var counts = [UInt32](repeating: 0, count: buckets * RowGroup.allCases.count)

    /// Of each group, so that a verdict need not add up the empty ones.
    private var (ones, fews, somes, manys) = (0, 0, 0, 0)
    /// The buckets in use are all between these, whatever the group: latencies of one model take few of them.
    private(set) var (lowest, highest) = (buckets, -1)

    public init() {}

    /// Counts one; constant time, no allocation.
    public mutating func add(_ latency: Instant.Span, rows: Int) {
        let group = RowGroup(rows: rows)
        let bucket = Self.bucket(of: latency.nanoseconds)
        let place = group.rawValue * Self.buckets + bucket
        guard counts[place] < .max else { return }
        counts[place] += 1
        raise(group, by: 1)
        lowest = min(lowest, bucket)
        highest = max(highest, bucket)
    }

    mutating func set(_ group: RowGroup, bucket: Int, to count: UInt32) {
        let place = group.rawValue * Self.buckets + bucket
        raise(group, by: Int(count) - Int(counts[place]))
        counts[place] = count
        if count > 0 { (lowest, highest) = (min(lowest, bucket), max(highest, bucket)) }
    }

    /// The counts of one group, by bucket.
    public func counts(_ group: RowGroup) -> ArraySlice<UInt32> {
        counts[(group.rawValue * Self.buckets)..<((group.rawValue + 1) * Self.buckets)]
    }

    public func total(_ group: RowGroup) -> Int {
        switch group {
        case .one: ones
        case .few: fews
        case .some: somes
        case .many: manys
        }
    }

    private mutating func raise(_ group: RowGroup, by count: Int) {
        switch group {
        case .one: ones += count
        case .few: fews += count
        case .some: somes += count
        case .many: manys += count
        }
    }

    static func bucket(of nanoseconds: UInt64) -> Int {
        guard nanoseconds >> UInt64(first) != 0 else { return 0 }
        let power = UInt64.bitWidth - 1 - nanoseconds.leadingZeroBitCount
        let within = Int(nanoseconds >> UInt64(power - bits)) & ((1 << bits) - 1)
        return min(1 + ((power - first) << bits) + within, buckets - 1)
    }

    /// The shortest time that belongs to `bucket`, in nanoseconds; for the bucket behind the last one, where that ends.
    static func edge(of bucket: Int) -> Double {
        guard bucket > 0 else { return 0 }
        let (power, within) = ((bucket - 1) >> bits, (bucket - 1) & ((1 << bits) - 1))
        return Double(((1 << bits) + within) << (power + first - bits))
    }
}
