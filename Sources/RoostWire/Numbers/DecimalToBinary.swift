/// The powers of ten that Double holds exactly.
private let exactPowers: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
]

extension JSONCursor {
    /// The Double nearest to `number`; nil when it is beyond the largest one.
    @inline(__always) func double(_ number: Decimal) -> Double? {
        if let value = Self.clinger(number) { return number.isNegative ? -value : value }
        let bits = nearest(number, .double)
        guard bits < BinaryFormat.double.infinity else { return nil }
        return Double(bitPattern: bits | (number.isNegative ? 1 << 63 : 0))
    }

    /// The Float nearest to the decimal text (not to the nearest Double); nil when it is beyond the largest one.
    @inline(__always) func float(_ number: Decimal) -> Float? {
        // A Double that was rounded once rounds again to the right Float, unless it lies exactly between two:
        // then the first rounding may have put it there. The range excludes subnormal Floats.
        if let value = Self.clinger(number), value.bitPattern & 0x1FFF_FFFF != 0x1000_0000 {
            return Float(number.isNegative ? -value : value)
        }
        let bits = nearest(number, .single)
        guard bits < BinaryFormat.single.infinity else { return nil }
        return Float(bitPattern: UInt32(bits) | (number.isNegative ? 1 << 31 : 0))
    }

    /// The Float16 nearest to the decimal text; nil when it is beyond the largest one.
    func half(_ number: Decimal) -> Float16? {
        let bits = nearest(number, .half)
        guard bits < BinaryFormat.half.infinity else { return nil }
        return Float16(bitPattern: UInt16(bits) | (number.isNegative ? 1 << 15 : 0))
    }

    /// The value without its sign when both factors are exact in Double, so that one operation rounds once
    /// (Clinger, "How to Read Floating Point Numbers Accurately", 1990).
    @inline(__always) private static func clinger(_ number: Decimal) -> Double? {
        guard number.digits <= 1 << 53, number.power <= 22, number.power >= -22, !number.isCut else { return nil }
        let digits = Double(Int64(bitPattern: number.digits))
        return number.power < 0 ? digits / exactPowers[-number.power] : digits * exactPowers[number.power]
    }

    @inline(never) private func nearest(_ number: Decimal, _ format: BinaryFormat) -> UInt64 {
        guard number.digits != 0 else { return 0 }
        let bits = format.nearest(number.digits, power: number.power)
        guard number.isCut, format.nearest(number.digits + 1, power: number.power) != bits else { return bits }
        // The digits left out decide. `power` belongs to the last digit kept; the text has more behind it.
        return withBytes(number.start, number.end) {
            ExactDecimal($0, power: number.power - leftOut(number)).nearest(format)
        }
    }

    /// How many digits of a long number `Decimal` left out.
    private func leftOut(_ number: Decimal) -> Int {
        var significant = 0
        for index in number.start..<number.end {
            if byte(index) | 0x20 == UInt8(ascii: "e") { break }
            let digit = byte(index) &- 0x30
            if digit < 10, significant > 0 || digit > 0 { significant += 1 }
        }
        return significant - 19
    }
}
