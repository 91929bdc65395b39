internal import RoostChannel

/// What has become of the copies that a version was given since the host started. Never part of its requests.
struct ShadowTally {
    /// Copies that were compared.
    private(set) var pairs: UInt64 = 0
    private(set) var rows: UInt64 = 0
    /// Rows of which both versions said a class, and those where it was another.
    private(set) var decisions: UInt64 = 0
    private(set) var flips: UInt64 = 0
    /// By the place of the output in the version's signature.
    private(set) var outputs: [Comparison.Numbers] = Array(
        repeating: Comparison.Numbers(), count: Comparison.tensorsMax)
    /// Left out because others needed the room or the time.
    var dropped: UInt64 = 0
    /// The version could not answer, died, or has nothing in common with what was served.
    var failed: UInt64 = 0

    var isEmpty: Bool { pairs == 0 && dropped == 0 && failed == 0 }

    mutating func add(_ comparison: Comparison) {
        pairs += 1
        rows &+= comparison.rows
        decisions &+= comparison.decisions
        flips &+= comparison.flips
        for index in outputs.indices { outputs[index].add(comparison.tensors[index]) }
    }
}

extension Comparison.Numbers {
    mutating func add(_ other: Self) {
        elements &+= other.elements
        sum += other.sum
        largest = max(largest, other.largest)
        relativeSum += other.relativeSum
    }

    var mean: Double { elements > 0 ? sum / Double(elements) : 0 }
    var relativeMean: Double { elements > 0 ? relativeSum / Double(elements) : 0 }
}
