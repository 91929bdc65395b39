/// A JSON number as read: `digits × 10^power`, and where its text stands.
struct Decimal {
    /// The first 19 significant digits at most; the rest is in the text.
    var digits: UInt64
    var power: Int
    let isNegative: Bool
    /// Neither a point nor an exponent.
    let isInteger: Bool
    /// Digits were left out that are not all zero.
    var isCut: Bool
    let start: Int
    let end: Int
}

private let powersOfTen: [UInt64] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000]

extension JSONCursor {
    /// Reads a number by the JSON grammar. The cursor must stand at `-` or a digit.
    @inline(__always) mutating func number() throws(Fault) -> Decimal {
        let start = at
        let isNegative = current == UInt8(ascii: "-")
        if isNegative { at += 1 }
        var digits: UInt64 = 0
        let first = current
        var count = takeDigits(into: &digits)
        guard count > 0, first != 0x30 || count == 1 else {
            throw Fault(.syntax(count > 0 ? "no digit after a leading 0" : "a digit"), at: count > 0 ? start : at)
        }
        var power = 0
        var isInteger = true
        if take(UInt8(ascii: ".")) {
            isInteger = false
            let decimals = takeDigits(into: &digits)
            guard decimals > 0 else { throw Fault(.syntax("a digit after '.'"), at: at) }
            power = -decimals
            count += decimals
        }
        if current | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            power += try exponent()
        }
        var number = Decimal(
            digits: digits, power: power, isNegative: isNegative, isInteger: isInteger, isCut: false, start: start,
            end: at)
        if count > 19 { cut(&number) }
        return number
    }

    /// Takes the digits that are next: `value` becomes `value × 10^n` plus their value, modulo 2^64.
    /// Eight at a time, whatever their number: no branch depends on how long short numbers are.
    /// - Returns: how many, n.
    @inline(__always) mutating func takeDigits(into value: inout UInt64) -> Int {
        let start = at
        while true {
            let word = self.word(at) ^ 0x3030_3030_3030_3030
            // The high bit of each byte that is no digit; wrong only above the first one that is none.
            let other = ((word &+ 0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080
            if other == 0 {
                value = value &* 100_000_000 &+ Self.eightDigits(word)
                at &+= 8
                continue
            }
            let count = other.trailingZeroBitCount >> 3
            if count > 0 {
                let aligned = word &<< UInt64(truncatingIfNeeded: 64 &- 8 &* count)
                value = value &* powersOfTen[count] &+ Self.eightDigits(aligned)
                at &+= count
            }
            return at &- start
        }
    }

    /// The number whose decimal digits are the bytes of `word`, the first one lowest.
    @inline(__always) private static func eightDigits(_ word: UInt64) -> UInt64 {
        let pairs = word &* 10 &+ word >> 8
        let mask: UInt64 = 0x0000_00FF_0000_00FF
        let low = (pairs & mask) &* (100 + 1_000_000 << 32)
        let high = ((pairs >> 16) & mask) &* (1 + 10_000 << 32)
        return (low &+ high) >> 32
    }

    /// Reads an exponent part, of any length; beyond 10^12 its value no longer matters.
    @inline(never) private mutating func exponent() throws(Fault) -> Int {
        at += 1
        let isNegative = take(UInt8(ascii: "-"))
        if !isNegative { _ = take(UInt8(ascii: "+")) }
        guard current &- 0x30 < 10 else { throw Fault(.syntax("a digit in the exponent"), at: at) }
        var value = 0
        while current &- 0x30 < 10 {
            if value < 1_000_000_000_000 { value = value * 10 + Int(current &- 0x30) }
            at += 1
        }
        return isNegative ? -value : value
    }

    /// Reads the digits of a long number again, keeping the first 19 significant ones.
    @inline(never) private func cut(_ number: inout Decimal) {
        var (digits, kept, dropped): (UInt64, Int, Int) = (0, 0, 0)
        for index in number.start..<number.end {
            let digit = byte(index) &- 0x30
            if byte(index) | 0x20 == UInt8(ascii: "e") { break }
            guard digit < 10, kept > 0 || digit > 0 else { continue }
            if kept < 19 {
                digits = digits * 10 + UInt64(digit)
                kept += 1
            } else {
                dropped += 1
                number.isCut = number.isCut || digit > 0
            }
        }
        number.digits = digits
        number.power += dropped
    }
}
