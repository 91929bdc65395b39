internal import RoostBasics

/// About how many different rows there were: HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) with hashes of 64
/// bits (Heule, Nunkesser, Hall 2013), estimated without tables as in Ertl: "New cardinality estimation algorithms for
/// HyperLogLog sketches", 2017, algorithm 6.
///
/// Merging takes the larger of each register: the order does not matter, nor whether a row is told of twice.
struct DistinctSketch: Hashable, Sendable {
    static let precision = 12
    private static let registerCount = 1 << precision
    /// Bits of a hash that are left for the rank.
    private static let rankBits = 64 - precision
    /// 1.04 ÷ √4096, of the number of different rows.
    static let standardError = 0.01625

    private var registers = [UInt8](repeating: 0, count: registerCount)

    @inline(__always) mutating func insert(_ hash: UInt64) {
        let place = Int(truncatingIfNeeded: hash >> UInt64(Self.rankBits))
        let rest = hash << UInt64(Self.precision) | 1 << UInt64(Self.precision - 1)
        let rank = UInt8(truncatingIfNeeded: rest.leadingZeroBitCount + 1)
        if registers[place] < rank { registers[place] = rank }
    }

    mutating func merge(_ other: Self) {
        for place in registers.indices { registers[place] = max(registers[place], other.registers[place]) }
    }

    var estimate: Double {
        var counts = [Int](repeating: 0, count: Self.rankBits + 2)
        for rank in registers { counts[Int(rank)] += 1 }
        let size = Double(Self.registerCount)
        var sum = size * Self.tau(1 - Double(counts[Self.rankBits + 1]) / size)
        for rank in (1...Self.rankBits).reversed() { sum = 0.5 * (sum + Double(counts[rank])) }
        sum += size * Self.sigma(Double(counts[0]) / size)
        return size * size / (2 * 0.693_147_180_559_945_3 * sum)
    }

    /// x + x^2 + 2 x^4 + 4 x^8 + …
    private static func sigma(_ start: Double) -> Double {
        guard start < 1 else { return .infinity }
        var (power, weight, sum, before) = (start, 1.0, start, -1.0)
        while sum != before {
            power *= power
            before = sum
            sum += power * weight
            weight += weight
        }
        return sum
    }

    private static func tau(_ start: Double) -> Double {
        guard start > 0, start < 1 else { return 0 }
        var (root, weight, sum, before) = (start, 1.0, 1 - start, -1.0)
        while sum != before {
            root = root.squareRoot()
            before = sum
            weight *= 0.5
            sum -= (1 - root) * (1 - root) * weight
        }
        return sum / 3
    }
}

extension DistinctSketch {
    /// As it travels: the registers that are not 0, each with its place, while that is shorter than all.
    func encode(to bytes: inout [UInt8]) {
        let used = registers.indices.filter { registers[$0] != 0 }
        guard used.count * 3 < Self.registerCount else {
            bytes.append(word: UInt64(Self.registerCount))
            bytes += registers
            return
        }
        bytes.append(word: UInt64(used.count))
        for place in used {
            bytes.append(UInt8(truncatingIfNeeded: place))
            bytes.append(UInt8(truncatingIfNeeded: place >> 8))
            bytes.append(registers[place])
        }
    }

    init(_ reader: inout WordReader) throws(RoostError) {
        let count = try reader.count(of: 1)
        let isWhole = count == Self.registerCount
        guard isWhole || count * 3 < Self.registerCount else { throw reader.malformed }
        for index in 0..<count {
            var place = index
            if !isWhole {
                place = Int(try reader.byte())
                place |= Int(try reader.byte()) << 8
            }
            let rank = try reader.byte()
            guard place < Self.registerCount, Int(rank) <= Self.rankBits + 1 else { throw reader.malformed }
            registers[place] = rank
        }
    }
}
