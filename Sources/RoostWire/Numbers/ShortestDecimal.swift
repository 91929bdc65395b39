/// The shortest decimal that reads back as the same binary number, and of those the nearest:
/// `digits × 10^power`. Giulietti, "The Schubfach way to render doubles", 2020.
struct ShortestDecimal {
    var digits: UInt64
    var power: Int

    /// Of a finite positive number.
    @inline(__always) init(_ value: Float) {
        let field = Int(value.bitPattern >> 23) & 0xFF
        let fraction = UInt64(value.bitPattern & 0x7F_FFFF)
        let significand = field == 0 ? fraction : fraction | 1 << 23
        let exponent = max(field, 1) - 150
        if let whole = Self.whole(significand, exponent, bits: 24) {
            self = whole
            return
        }
        self.init(significand, exponent, isPowerOfTwo: fraction == 0 && field > 1) { power, shift in
            let ten = PowersOfTen.table.ceiling64(power)
            return Interval(significand, fraction == 0 && field > 1) { Self.oddly(ten, $0 << shift) }
        }
    }

    /// Of a finite positive number.
    @inline(__always) init(_ value: Double) {
        let field = Int(value.bitPattern >> 52) & 0x7FF
        let fraction = value.bitPattern & 0xF_FFFF_FFFF_FFFF
        let significand = field == 0 ? fraction : fraction | 1 << 52
        let exponent = max(field, 1) - 1075
        if let whole = Self.whole(significand, exponent, bits: 53) {
            self = whole
            return
        }
        self.init(significand, exponent, isPowerOfTwo: fraction == 0 && field > 1) { power, shift in
            let ten = PowersOfTen.table.ceiling(power)
            return Interval(significand, fraction == 0 && field > 1) { Self.oddly(ten.high, ten.low, $0 << shift) }
        }
    }

    /// The number and the middles to its neighbours, times four, scaled by a power of ten.
    private struct Interval {
        let low, middle, high: UInt64

        @inline(__always) init(_ significand: UInt64, _ isPowerOfTwo: Bool, _ scaled: (UInt64) -> UInt64) {
            low = scaled(4 * significand - 2 + (isPowerOfTwo ? 1 : 0))
            middle = scaled(4 * significand)
            high = scaled(4 * significand + 2)
        }
    }

    private init(digits: UInt64, power: Int) {
        self.digits = digits
        self.power = power
    }

    /// Integers below 2^bits are their own shortest text, but for zeros at the end.
    @inline(__always) private static func whole(_ significand: UInt64, _ exponent: Int, bits: Int) -> Self? {
        guard exponent <= 0, exponent > -bits, significand & (1 &<< UInt64(-exponent) &- 1) == 0 else { return nil }
        return Self(digits: significand &>> UInt64(-exponent), power: 0)
    }

    @inline(__always) private init(
        _ significand: UInt64, _ exponent: Int, isPowerOfTwo: Bool, _ scale: (_ power: Int, _ shift: UInt64) -> Interval
    ) {
        // floor(log10(2^exponent)), or of three quarters of it where the lower neighbour is nearer.
        let power = (exponent * 1_262_611 - (isPowerOfTwo ? 524_031 : 0)) >> 22
        let shift = UInt64(exponent + PowersOfTen.binaryExponent(-power) + 1)
        let interval = scale(-power, shift)
        // An even number owns the ends of its interval.
        let isOdd = significand & 1
        let (lower, upper) = (interval.low + isOdd, interval.high - isOdd)
        let middle = interval.middle
        let whole = middle / 4
        if whole >= 10 {
            let tens = whole / 10
            let downFits = lower <= 40 * tens
            let upFits = 40 * tens + 40 <= upper
            if downFits != upFits {
                self.init(digits: tens + (upFits ? 1 : 0), power: power + 1)
                return
            }
        }
        let downFits = lower <= 4 * whole
        let upFits = 4 * whole + 4 <= upper
        if downFits != upFits {
            self.init(digits: whole + (upFits ? 1 : 0), power: power)
            return
        }
        let half = 4 * whole + 2
        let up = middle > half || (middle == half && whole & 1 != 0)
        self.init(digits: whole + (up ? 1 : 0), power: power)
    }

    /// `ten × value`, shifted right by 64 and rounded to odd.
    @inline(__always) private static func oddly(_ ten: UInt64, _ value: UInt64) -> UInt64 {
        let product = ten.multipliedFullWidth(by: value)
        // `value` has 32 bits: the wanted part is the upper half of the 96-bit product.
        return product.high | (product.low >> 32 > 1 ? 1 : 0)
    }

    /// `ten × value`, shifted right by 128 and rounded to odd.
    @inline(__always) private static func oddly(_ high: UInt64, _ low: UInt64, _ value: UInt64) -> UInt64 {
        let carry = low.multipliedFullWidth(by: value).high
        let product = high.multipliedFullWidth(by: value)
        let (sum, overflow) = product.low.addingReportingOverflow(carry)
        return product.high &+ (overflow ? 1 : 0) | (sum > 1 ? 1 : 0)
    }
}
