/// A number as JSON writes it, converted exactly.
///
/// Source: W. D. Clinger, "How to read floating point numbers accurately" (PLDI 1990): a mantissa and a power of ten
/// that doubles hold exactly give, by one multiplication or division, the nearest double. The rest goes to `strtod`.
struct Decimal {
    let double: Double
    let float: Float

    init(double: Double, float: Float) {
        self.double = double
        self.float = float
    }

    /// For what the fast path cannot do. The text has been checked: it is a number, if perhaps beyond all range.
    init(text: String) { self.init(double: Double(text) ?? .nan, float: Float(text) ?? .nan) }

    /// Whether rounding the nearest double once more gives the nearest float32: it does except where that double
    /// lies halfway between two floats, and the number itself perhaps not.
    static func roundsOnce(_ double: Double) -> Bool {
        double == 0 || (double.magnitude >= 0x1p-126 && double.bitPattern & 0x1FFF_FFFF != 0x1000_0000)
    }
}

/// The digits of a number while they are scanned.
struct DecimalScan {
    private var mantissa: UInt64 = 0
    /// Digits behind the point.
    var fraction = 0

    mutating func append(_ digit: Int) {
        // Beyond 2^53 the fast path is closed anyway; saturating keeps it closed.
        mantissa = mantissa > 1 << 53 ? mantissa : mantissa * 10 + UInt64(digit)
    }

    /// The nearest double, when one exact operation gives it.
    func value(exponent: Int) -> Double? {
        let power = exponent - fraction
        guard mantissa <= 1 << 53, power.magnitude < Self.powersOfTen.count else { return mantissa == 0 ? 0 : nil }
        let scale = Self.powersOfTen[Int(power.magnitude)]
        return power < 0 ? Double(mantissa) / scale : Double(mantissa) * scale
    }

    /// Ten to the power of the index: each exact as a double.
    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
        1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
    ]
}

extension DocumentReader {
    /// Scans `-? digits (. digits)? (e sign? digits)?`, or one of the tokens for what is not finite.
    mutating func decimal() throws(DocumentError) -> Decimal {
        let start = position
        let isNegative = bytes[position] == UInt8(ascii: "-")
        if isNegative { position += 1 }
        guard position < bytes.count else { throw truncated() }
        if bytes[position] == UInt8(ascii: "I") {
            try word("Infinity")
            return isNegative
                ? Decimal(double: -.infinity, float: -.infinity) : Decimal(double: .infinity, float: .infinity)
        }
        if bytes[position] == UInt8(ascii: "N"), !isNegative {
            try word("NaN")
            return Decimal(double: .nan, float: .nan)
        }
        var scan = DecimalScan()
        let leading = position
        try digits { scan.append($0) }
        guard bytes[leading] != UInt8(ascii: "0") || position == leading + 1 else {
            throw DocumentError("a number with leading zeros at byte \(start)")
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            try digits { digit in
                scan.append(digit)
                scan.fraction += 1
            }
        }
        let exponent = try self.exponent()
        if let magnitude = scan.value(exponent: exponent), Decimal.roundsOnce(magnitude) {
            let value = isNegative ? -magnitude : magnitude
            return Decimal(double: value, float: Float(value))
        }
        let text = (start..<position).map { bytes[$0] }
        return Decimal(text: String(decoding: text, as: UTF8.self))
    }

    private mutating func exponent() throws(DocumentError) -> Int {
        guard position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") else { return 0 }
        position += 1
        guard position < bytes.count else { throw truncated() }
        let isNegative = bytes[position] == UInt8(ascii: "-")
        if isNegative || bytes[position] == UInt8(ascii: "+") { position += 1 }
        var exponent = 0
        try digits { exponent = min(exponent * 10 + $0, 100_000) }
        return isNegative ? -exponent : exponent
    }

    /// One digit at least.
    private mutating func digits(_ body: (Int) -> Void) throws(DocumentError) {
        guard position < bytes.count else { throw truncated() }
        guard bytes[position] &- 0x30 < 10 else { throw unexpected("a digit") }
        while position < bytes.count, bytes[position] &- 0x30 < 10 {
            body(Int(bytes[position] &- 0x30))
            position += 1
        }
    }
}
