internal import RoostBasics

/// One block of 100 places in which every version stays within one of its due count after each prefix.
struct Pattern {
    static let length = 100

    private let percents: [Int]
    private(set) var slots: [UInt8]
    /// How often a version stands in the first `t` places: at `version × (length + 1) + t`.
    private var counts: [Int]

    /// Earliest deadline first: place `j` of a version with share `p` belongs into
    /// `floor(100 j / p) ..< ceil(100 (j + 1) / p)`. For unit jobs on one machine that order finds a
    /// schedule whenever there is one, and shares that sum to 100 always have one.
    init(percents: [Int]) {
        self.percents = percents
        var slots: [UInt8] = []
        var placed = [Int](repeating: 0, count: percents.count)
        for t in 0..<Self.length {
            let released = percents.indices.filter {
                placed[$0] < percents[$0] && placed[$0] * Self.length / percents[$0] <= t
            }
            let deadline = { (version: Int) in
                ((placed[version] + 1) * Self.length + percents[version] - 1) / percents[version]
            }
            guard let chosen = released.min(by: { deadline($0) < deadline($1) }) else {
                preconditionFailure("shares sum to 100, so each place has a version that is due")
            }
            placed[chosen] += 1
            slots.append(UInt8(chosen))
        }
        self.slots = slots
        counts = percents.indices.flatMap { version in
            slots.reduce(into: [0]) { $0.append(($0.last ?? 0) + (Int($1) == version ? 1 : 0)) }
        }
    }

    /// Random exchanges of two places, each made only if the condition still holds afterwards.
    /// Rare versions are moved as often as frequent ones, over the length of their own strata.
    mutating func shuffle(using random: inout SplitMix) {
        for _ in 0..<Self.exchanges {
            let version = Int(random.next() % UInt64(percents.count))
            let place = Int(random.next() % UInt64(percents[version]))
            let reach = Self.length / percents[version] + 1
            guard let from = slot(of: version, place) else { continue }
            let to = from + Int(random.next() % UInt64(2 * reach + 1)) - reach
            guard slots.indices.contains(to), slots[to] != slots[from] else { continue }
            exchange(min(from, to), max(from, to))
        }
    }

    private static let exchanges = 200
    private static let stride = length + 1

    /// Where `version` stands for the (`place` + 1)-th time: binary search in its prefix counts.
    private func slot(of version: Int, _ place: Int) -> Int? {
        var low = 0, high = Self.length
        while low < high {
            let middle = (low + high) / 2
            if counts[version * Self.stride + middle + 1] > place { high = middle } else { low = middle + 1 }
        }
        return low < Self.length ? low : nil
    }

    private mutating func exchange(_ first: Int, _ second: Int) {
        let early = Int(slots[first]), late = Int(slots[second])
        let earlyCounts = early * Self.stride, lateCounts = late * Self.stride
        // Between the two places `early` has one less than before and `late` one more.
        for t in first + 1...second {
            guard isDue(early, counts[earlyCounts + t] - 1, after: t), isDue(late, counts[lateCounts + t] + 1, after: t)
            else { return }
        }
        for t in first + 1...second {
            counts[earlyCounts + t] -= 1
            counts[lateCounts + t] += 1
        }
        slots.swapAt(first, second)
    }

    /// |count − share × t| < 1, in hundredths.
    private func isDue(_ version: Int, _ count: Int, after t: Int) -> Bool {
        abs(count * Self.length - percents[version] * t) < Self.length
    }
}
