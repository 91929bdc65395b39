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
private struct DecimalScan {
    var mantissa: UInt64 = 0
    var place: Int

    /// Takes all digits that stand here; how many.
    @inline(__always)
    mutating func digits(_ bytes: Span<UInt8>) -> Int {
        let start = place
        while place < bytes.count {
            let digit = bytes[place] &- 0x30
            guard digit < 10 else { break }
            // Beyond 2^53 the fast path is closed anyway; saturating keeps it closed.
            mantissa = mantissa > 1 << 53 ? mantissa : mantissa &* 10 &+ UInt64(digit)
            place += 1
        }
        return place - start
    }

    /// The nearest double, when one exact operation gives it.
    @inline(__always)
    func value(power: Int) -> Double? {
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
        let (bytes, start) = (self.bytes, position)
        let isNegative = bytes[start] == UInt8(ascii: "-")
        var scan = DecimalScan(place: isNegative ? start + 1 : start)
        let leading = scan.place
        let whole = scan.digits(bytes)
        guard whole > 0 else { return try nonFinite(at: leading, isNegative: isNegative) }
        guard whole == 1 || bytes[leading] != UInt8(ascii: "0") else {
            throw DocumentError("a number with leading zeros at byte \(start)")
        }
        var power = 0
        if scan.place < bytes.count, bytes[scan.place] == UInt8(ascii: ".") {
            scan.place += 1
            power = -scan.digits(bytes)
            guard power < 0 else { throw noDigit(at: scan.place) }
        }
        position = scan.place
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") { power += try exponent() }
        if let magnitude = scan.value(power: power), Decimal.roundsOnce(magnitude) {
            let value = isNegative ? -magnitude : magnitude
            return Decimal(double: value, float: Float(value))
        }
        let text = (start..<position).map { bytes[$0] }
        return Decimal(text: String(decoding: text, as: UTF8.self))
    }

    /// Passes over `-? digits (. digits)? (E sign? digits)?` without making a number of it. False, with nothing done, for
    /// anything else, also for what is wrong.
    mutating func skipPlainNumber() -> Bool {
        let bytes = self.bytes
        var place = position
        if place < bytes.count, bytes[place] == UInt8(ascii: "-") { place += 1 }
        let leading = place
        guard Self.skipDigits(bytes, &place), place == leading + 1 || bytes[leading] != UInt8(ascii: "0") else {
            return false
        }
        if place < bytes.count, bytes[place] == UInt8(ascii: ".") {
            place += 1
            guard Self.skipDigits(bytes, &place) else { return false }
        }
        if place < bytes.count, bytes[place] | 0x20 == UInt8(ascii: "e") {
            place += 1
            if place < bytes.count, bytes[place] == UInt8(ascii: "-") || bytes[place] == UInt8(ascii: "+") {
                place += 1
            }
            guard Self.skipDigits(bytes, &place) else { return false }
        }
        position = place
        return true
    }

    /// Whether there was one.
    @inline(__always)
    private static func skipDigits(_ bytes: Span<UInt8>, _ place: inout Int) -> Bool {
        let start = place
        while place < bytes.count, bytes[place] &- 0x30 < 10 { place += 1 }
        return place > start
    }

    /// From `e` on.
    private mutating func exponent() throws(DocumentError) -> Int {
        var scan = DecimalScan(place: position + 1)
        var isNegative = false
        if scan.place < bytes.count, bytes[scan.place] == UInt8(ascii: "-") || bytes[scan.place] == UInt8(ascii: "+") {
            isNegative = bytes[scan.place] == UInt8(ascii: "-")
            scan.place += 1
        }
        guard scan.digits(bytes) > 0 else { throw noDigit(at: scan.place) }
        position = scan.place
        // Beyond any double; no sum with a count of digits overflows.
        let exponent = Int(min(scan.mantissa, 1 << 40))
        return isNegative ? -exponent : exponent
    }

    private mutating func nonFinite(at place: Int, isNegative: Bool) throws(DocumentError) -> Decimal {
        position = place
        if place < bytes.count, bytes[place] == UInt8(ascii: "I") {
            try word("Infinity")
            return isNegative
                ? Decimal(double: -.infinity, float: -.infinity) : Decimal(double: .infinity, float: .infinity)
        }
        guard place < bytes.count, bytes[place] == UInt8(ascii: "N"), !isNegative else { throw noDigit(at: place) }
        try word("NaN")
        return Decimal(double: .nan, float: .nan)
    }

    private mutating func noDigit(at place: Int) -> DocumentError {
        position = place
        return place < bytes.count ? unexpected("a digit") : truncated()
    }
}
