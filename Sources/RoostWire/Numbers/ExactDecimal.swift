/// A decimal with all of its digits, for the texts that 19 digits do not decide.
struct ExactDecimal {
    /// More significant digits than any halfway point between two Doubles has (767).
    static let digitsMax = 800

    private var value = BigNatural(0)
    private var power: Int
    private var digits = 0

    /// - Parameters:
    ///   - text: a JSON number, checked before; sign and exponent part are skipped.
    ///   - power: of ten, for the last digit of the text.
    init(_ text: RawSpan, power: Int) {
        self.power = power
        var dropped = 0
        var isStuck = false
        for index in 0..<text.byteCount {
            let byte = unsafe text.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            if byte | 0x20 == UInt8(ascii: "e") { break }
            guard byte &- 0x30 < 10 else { continue }
            if digits == 0, byte == 0x30 { continue }
            if digits < Self.digitsMax {
                value.multiply(by: 10, adding: UInt64(byte &- 0x30))
                digits += 1
            } else {
                dropped += 1
                isStuck = isStuck || byte != 0x30
            }
        }
        self.power += dropped
        if isStuck {
            // Some digit follows: just above what is kept, and so never exactly halfway.
            value.multiply(by: 10, adding: 1)
            self.power -= 1
            digits += 1
        }
    }

    /// The bits of the value without its sign, correctly rounded: long division to 64 bits and a remainder.
    func nearest(_ format: BinaryFormat) -> UInt64 {
        if value.isZero || digits + power < -330 { return 0 }
        if digits + power > 310 { return format.infinity }
        var numerator = value
        var denominator = BigNatural.power(of: 10, max(0, -power))
        for _ in 0..<max(0, power) { numerator.multiply(by: 10, adding: 0) }
        var exponent = numerator.bitWidth - denominator.bitWidth
        if exponent > 0 { denominator.shiftLeft(exponent) } else { numerator.shiftLeft(-exponent) }
        if numerator < denominator {
            numerator.shiftLeft(1)
            exponent -= 1
        }
        var quotient: UInt64 = 0
        for _ in 0..<64 {
            quotient <<= 1
            if numerator >= denominator {
                numerator.subtract(denominator)
                quotient |= 1
            }
            numerator.shiftLeft(1)
        }
        return format.round(quotient, exponent: exponent - 63, hasMore: !numerator.isZero)
    }
}
