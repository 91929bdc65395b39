/// One of the IEEE 754 binary interchange formats, as conversion from decimal sees it.
struct BinaryFormat {
    /// Explicit bits of the significand.
    let significandBits: Int
    let exponentBias: Int
    /// Powers of ten outside of this range give zero or infinity for any 64-bit significand.
    let powers: ClosedRange<Int>
    /// Powers of ten between which a decimal can lie exactly between two values.
    let tiePowers: ClosedRange<Int>

    static let half = Self(significandBits: 10, exponentBias: 15, powers: -27...4, tiePowers: -22...5)
    static let single = Self(significandBits: 23, exponentBias: 127, powers: -65...38, tiePowers: -17...10)
    static let double = Self(significandBits: 52, exponentBias: 1023, powers: -342...308, tiePowers: -4...23)

    var infinity: UInt64 { UInt64(2 * exponentBias + 1) << UInt64(significandBits) }

    /// The bits of `significand × 2^exponent` (plus less than one unit when `hasMore`), rounded to nearest, ties
    /// to even. The top bit of `significand` must be set.
    func round(_ significand: UInt64, exponent: Int, hasMore: Bool) -> UInt64 {
        let biased = exponent + 63 + exponentBias
        let shift = 63 - significandBits + (biased >= 1 ? 0 : 1 - biased)
        guard shift <= 64 else { return 0 }
        var kept = shift == 64 ? 0 : significand >> UInt64(shift)
        let rest = shift == 64 ? significand : significand & (1 << UInt64(shift) - 1)
        let half: UInt64 = 1 << UInt64(shift - 1)
        if rest > half || (rest == half && (hasMore || kept & 1 == 1)) { kept += 1 }
        // The hidden bit adds one to the exponent field; so does a carry out of the significand.
        let bits = biased >= 1 ? UInt64(biased - 1) << UInt64(significandBits) + kept : kept
        return min(bits, infinity)
    }

    /// The bits of `digits × 10^power`, correctly rounded (Lemire, "Number Parsing at a Gigabyte per Second", 2021;
    /// Mushtak and Lemire, "Fast Number Parsing Without Fallback", 2022). `digits` must not be 0.
    func nearest(_ digits: UInt64, power: Int) -> UInt64 {
        if power < powers.lowerBound { return 0 }
        if power > powers.upperBound { return infinity }
        let zeros = digits.leadingZeroBitCount
        let normal = digits << UInt64(zeros)
        let ten = PowersOfTen.table.parsing(power)
        var (high, low) = normal.multipliedFullWidth(by: ten.high)
        let mask = UInt64.max >> UInt64(significandBits + 3)
        if high & mask == mask {
            let (sum, carry) = low.addingReportingOverflow(normal.multipliedFullWidth(by: ten.low).high)
            low = sum
            if carry { high += 1 }
        }
        let upper = high >> 63
        let shift = upper + UInt64(64 - significandBits - 3)
        var kept = high >> shift
        var field = PowersOfTen.binaryExponent(power) + 63 + Int(upper) - zeros + exponentBias
        if field <= 0 {
            guard 1 - field < 64 else { return 0 }
            kept >>= UInt64(1 - field)
            return (kept + kept & 1) >> 1
        }
        if low <= 1, tiePowers.contains(power), kept & 3 == 1, kept << shift == high {
            kept &= ~1  // exactly between two values, the lower one even
        }
        kept = (kept + kept & 1) >> 1
        if kept >= 2 << UInt64(significandBits) {
            kept >>= 1
            field += 1
        }
        let bits = UInt64(field) << UInt64(significandBits) | kept & (1 << UInt64(significandBits) - 1)
        return min(bits, infinity)
    }
}
