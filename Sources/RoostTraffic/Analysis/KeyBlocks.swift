/// Requests and errors of sticky keys, summed in 256 blocks that keys are hashed to.
///
/// Requests of one key succeed and fail together, so a thousand of them prove less than a thousand callers. Blocks
/// are independent of each other where keys are, so the spread of errors over the blocks shows how much less: the
/// cluster-robust variance (Liang and Zeger, "Longitudinal data analysis using generalized linear models", 1986),
/// with several keys to a block so that memory is fixed (2 KiB).
public struct KeyBlocks: Hashable, Sendable {
    public static var count: Int { 256 }

    /// Of block i: requests at 2i, errors at 2i + 1.
    private var sums = [UInt32](repeating: 0, count: 2 * count)

    /// Whether no request had a key.
    public private(set) var isEmpty = true

    public init() {}

    mutating func add(_ cluster: UInt32, isError: Bool) {
        let place = Int(cluster % UInt32(Self.count)) * 2
        isEmpty = false
        guard sums[place] < .max else { return }
        sums[place] += 1
        if isError { sums[place + 1] += 1 }
    }

    mutating func set(_ block: Int, requests: UInt32, errors: UInt32) {
        isEmpty = isEmpty && requests == 0
        sums[2 * block] = requests
        sums[2 * block + 1] = errors
    }

    /// - Precondition: `block` is 0 to 255.
    public subscript(_ block: Int) -> (requests: Int, errors: Int) {
        (Int(sums[2 * block]), Int(sums[2 * block + 1]))
    }
}
