/// One value of each row of a block: a lane is a row.
///
/// Two vectors of 16, so that the compiler keeps a block in eight registers of the x86-64 baseline, and what one node
/// costs besides is shared by 32 rows.
///
/// Safe: where bits change their type, both are vectors of 16 lanes of 32 bits.
struct RowBlock {
    static let rows = 32
    var low: SIMD16<Float>
    var high: SIMD16<Float>

    init(repeating value: Float) {
        low = SIMD16(repeating: value)
        high = SIMD16(repeating: value)
    }

    /// With `value` where a lane is NaN.
    @inline(__always) func replacingMissing(with value: Float) -> Self {
        var result = self
        result.low.replace(with: value, where: low .!= low)
        result.high.replace(with: value, where: high .!= high)
        return result
    }

    @inline(__always) static func += (sums: inout Self, other: Self) {
        sums.low += other.low
        sums.high += other.high
    }
}

/// The bits of a block, on their way through a tree (`Selection`).
struct BlockBits {
    private typealias Bits = SIMD16<UInt32>
    private var low = Bits(repeating: 0)
    private var high = Bits(repeating: 0)

    /// A right leaf is the key.
    @inline(__always) mutating func select(_ flip: UInt32, where features: RowBlock, isLessThan threshold: Float) {
        let (flip, threshold) = (Bits(repeating: flip), SIMD16(repeating: threshold))
        low = (low ^ flip) & Self.bits(features.low .< threshold)
        high = (high ^ flip) & Self.bits(features.high .< threshold)
    }

    /// A left leaf is the key.
    @inline(__always) mutating func select(_ flip: UInt32, where features: RowBlock, isAtLeast threshold: Float) {
        let (flip, threshold) = (Bits(repeating: flip), SIMD16(repeating: threshold))
        low = (low ^ flip) & Self.bits(features.low .>= threshold)
        high = (high ^ flip) & Self.bits(features.high .>= threshold)
    }

    /// Neither child is a leaf.
    @inline(__always) mutating func select(
        _ left: Self, _ flip: UInt32, where features: RowBlock, isLessThan threshold: Float
    ) {
        let (flip, threshold) = (Bits(repeating: flip), SIMD16(repeating: threshold))
        low ^= (low ^ left.low ^ flip) & Self.bits(features.low .< threshold)
        high ^= (high ^ left.high ^ flip) & Self.bits(features.high .< threshold)
    }

    /// The values that the bits are with this key.
    @inline(__always) func values(key: UInt32) -> RowBlock {
        let key = Bits(repeating: key)
        var values = RowBlock(repeating: 0)
        values.low = unsafe unsafeBitCast(low ^ key, to: SIMD16<Float>.self)
        values.high = unsafe unsafeBitCast(high ^ key, to: SIMD16<Float>.self)
        return values
    }

    /// All ones where true.
    @inline(__always) private static func bits(_ mask: SIMDMask<SIMD16<Int32>>) -> Bits {
        unsafe unsafeBitCast(mask, to: Bits.self)
    }
}
