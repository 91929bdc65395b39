public import RoostBasics

/// What is counted of one version during one step of a rollout, in fixed memory (27 KiB): nothing is kept by request.
///
/// (An arm, as of a clinical trial.)
public struct Arm: Hashable, Sendable {
    /// Latencies of a version's first requests are those of cold caches, and left out.
    public static let warmUp = 50

    public internal(set) var requests = 0
    /// Model errors, deaths and timeouts among the requests.
    public internal(set) var errors = 0
    /// How many of the coming requests belong to the version's first ones.
    public internal(set) var warmUpLeft: Int
    public internal(set) var latencies = LatencyCounts()
    public internal(set) var blocks = KeyBlocks()

    /// - Parameter warmUpLeft: the version's first requests that are still to come.
    public init(warmUpLeft: Int = Self.warmUp) { self.warmUpLeft = warmUpLeft }

    /// Counts one answered request: constant time, no allocation.
    ///
    /// The latency counts when the request succeeded, paid for no start and is not among the version's first ones: a
    /// failure may be quick, and is judged as one anyway.
    /// - Parameters:
    ///   - isError: the model failed, its process died or the time ran out.
    ///   - cluster: a hash of the sticky key, evenly spread; nil for a request without one, which counts by itself.
    ///   - paysForStart: it waited for a fork or a load.
    public mutating func add(isError: Bool, latency: Instant.Span, rows: Int, cluster: UInt32?, paysForStart: Bool) {
        requests += 1
        if isError { errors += 1 }
        if let cluster { blocks.add(cluster, isError: isError) }
        if warmUpLeft > 0 {
            warmUpLeft -= 1
        } else if !isError && !paysForStart {
            latencies.add(latency, rows: rows)
        }
    }
}
