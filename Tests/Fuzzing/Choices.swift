import RoostBasics

/// Takes what a target has to choose (a signature, a plan, …) off the front of an input; the rest is what is read.
struct Choices {
    private var bytes: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

    var rest: [UInt8] { Array(bytes) }
    var isEmpty: Bool { bytes.isEmpty }

    /// 0 at the end.
    mutating func byte() -> UInt8 { bytes.popFirst() ?? 0 }

    /// One below `count`; printable digits choose by their value.
    mutating func number(below count: Int) -> Int { Int(byte() &- 0x30) % count }

    /// A little-endian integer; bytes that are not there are 0.
    mutating func integer<Integer: FixedWidthInteger>(_: Integer.Type) -> Integer {
        var value: Integer = 0
        for place in 0..<Integer.bitWidth / 8 { value |= Integer(truncatingIfNeeded: byte()) << Integer(8 * place) }
        return value
    }

    /// The next `count` bytes, or what is left.
    mutating func take(_ count: Int) -> [UInt8] {
        defer { bytes = bytes.dropFirst(count) }
        return Array(bytes.prefix(count))
    }
}

extension [UInt8] {
    /// Chance that is the same for the same bytes: FNV-1a of them as seed.
    var chance: SplitMix { SplitMix(state: reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }) }

    /// These bytes cut at random, each piece 1 to `most` long.
    func pieces(_ most: Int, _ chance: inout SplitMix) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = self[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...most, using: &chance))
            pieces.append(Array(piece))
            rest = rest.dropFirst(piece.count)
        }
        return pieces
    }

    /// As text, for messages.
    var shown: String { String(decoding: self, as: UTF8.self).debugDescription }
}
