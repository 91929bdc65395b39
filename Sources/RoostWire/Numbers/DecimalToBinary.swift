/// The powers of ten that Double holds exactly.
private let exactPowers: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
]

/// From 10^-22 to 10^18, each the nearest Double.
private let approximatePowers: [Double] = [
    1e-22, 1e-21, 1e-20, 1e-19, 1e-18, 1e-17, 1e-16, 1e-15, 1e-14, 1e-13, 1e-12, 1e-11, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6,
    1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    1e16, 1e17, 1e18,
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
        if !number.isCut, let value = Self.float(number.digits, power: number.power) {
            return number.isNegative ? -value : value
        }
        let bits = nearest(number, .single)
        guard bits < BinaryFormat.single.infinity else { return nil }
        return Float(bitPattern: UInt32(bits) | (number.isNegative ? 1 << 31 : 0))
    }

    /// `digits × 10^power` after three roundings: less than 4 units off in the last place.
    @inline(__always) private static func approximate(_ digits: UInt64, power: Int) -> Double? {
        guard digits <= UInt64(Int64.max), power <= 18, power >= -22 else { return nil }
        return Double(Int64(bitPattern: digits)) * approximatePowers[power &+ 22]
    }

    /// `digits × 10^power` without its sign, when one multiplication in Double decides: three roundings, so less than
    /// 4 units off in its last place. Rounding that to Float is right unless the middle between two Floats is as
    /// near. No division; and the range excludes subnormal and infinite Floats.
    @inline(__always) static func float(_ digits: UInt64, power: Int) -> Float? {
        guard let value = approximate(digits, power: power) else { return nil }
        let distance = Int64(value.bitPattern & 0x1FFF_FFFF) &- 0x1000_0000
        return distance.magnitude > 8 ? Float(value) : nil
    }

    /// The Float16 nearest to the decimal text; nil when it is beyond the largest one.
    func half(_ number: Decimal) -> Float16? {
        if !number.isCut, let value = Self.approximate(number.digits, power: number.power), value >= 0x1p-14 {
            let distance = Int64(value.bitPattern & 0x3FF_FFFF_FFFF) &- 0x200_0000_0000
            let half = Float16(value)
            if distance.magnitude > 8 { return half.isFinite ? (number.isNegative ? -half : half) : nil }
        }
        // Near the middle between two, or subnormal: rare enough for the exact way.
        let bits = exactly(number, .half)
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
        return exactly(number, format)
    }

    private func exactly(_ number: Decimal, _ format: BinaryFormat) -> UInt64 {
        // `power` belongs to the last digit kept; the text may have more behind it.
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
        return max(0, significant - 19)
    }
}
