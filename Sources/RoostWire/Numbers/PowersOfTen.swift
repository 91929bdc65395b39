/// 10^q as 128 leading bits, for every power that a Double's text can need.
///
/// `10^q = significand × 2^(binaryExponent - 127)` up to the last bit. Computed once, exactly, on first use (in
/// the template, so that forks share it), instead of 1,300 constants that nobody can check by eye.
struct PowersOfTen {
    static let smallest = -342
    static let largest = 324
    /// The table; make one copy a local in loops.
    static let table = PowersOfTen()

    private let high: [UInt64]
    private let low: [UInt64]
    private let isExact: [Bool]

    private init() {
        var rows: [(high: UInt64, low: UInt64, exact: Bool)] = []
        for power in Self.smallest...Self.largest {
            let five = BigNatural.power(of: 5, abs(power))
            let leading = power < 0 ? Self.reciprocal(of: five) : five.leading128()
            rows.append((leading.high, leading.low, leading.exact))
        }
        high = rows.map(\.high)
        low = rows.map(\.low)
        isExact = rows.map(\.exact)
    }

    /// As parsing needs it: rounded toward zero, but away from zero for the powers whose reciprocals divide
    /// 64-bit numbers, so that an exact quotient shows as one.
    @inline(__always) func parsing(_ power: Int) -> (high: UInt64, low: UInt64) {
        if (-27)...(-1) ~= power { return ceiling(power) }
        return (high[power - Self.smallest], low[power - Self.smallest])
    }

    /// Rounded away from zero.
    @inline(__always) func ceiling(_ power: Int) -> (high: UInt64, low: UInt64) {
        let index = power - Self.smallest
        let (sum, carry) = low[index].addingReportingOverflow(isExact[index] ? 0 : 1)
        return (high[index] &+ (carry ? 1 : 0), sum)
    }

    /// The 64 leading bits, rounded away from zero.
    @inline(__always) func ceiling64(_ power: Int) -> UInt64 {
        let index = power - Self.smallest
        return high[index] &+ (low[index] != 0 || !isExact[index] ? 1 : 0)
    }

    /// floor(log2(10^power)); for |power| <= 1233.
    @inline(__always) static func binaryExponent(_ power: Int) -> Int { (power * 1_741_647) >> 19 }

    /// 128 leading bits of 1 / five.
    private static func reciprocal(of five: BigNatural) -> (high: UInt64, low: UInt64, exact: Bool) {
        // five is no power of two except for 1, which is not asked for: the quotient lies in (1, 2).
        var remainder = BigNatural(1)
        remainder.shiftLeft(five.bitWidth)
        var quotient: (high: UInt64, low: UInt64) = (0, 0)
        for _ in 0..<128 {
            quotient.high = quotient.high << 1 | quotient.low >> 63
            quotient.low <<= 1
            if remainder >= five {
                remainder.subtract(five)
                quotient.low |= 1
            }
            remainder.shiftLeft(1)
        }
        return (quotient.high, quotient.low, remainder.isZero)
    }
}
