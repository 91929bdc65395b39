/// A natural number of any size, with just what exact conversion needs. Slow and simple on purpose: it runs
/// for table set-up and for the one number in thousands that 128 bits cannot decide.
struct BigNatural: Comparable {
    /// Least significant first; no zero at the end.
    private(set) var words: [UInt64]

    init(_ value: UInt64) { words = value == 0 ? [] : [value] }

    static func power(of base: UInt64, _ exponent: Int) -> Self {
        var result = Self(1)
        for _ in 0..<exponent { result.multiply(by: base, adding: 0) }
        return result
    }

    var isZero: Bool { words.isEmpty }
    var bitWidth: Int { words.count * 64 - (words.last?.leadingZeroBitCount ?? 0) }

    mutating func multiply(by factor: UInt64, adding addend: UInt64) {
        var carry = addend
        for index in words.indices {
            let (high, low) = words[index].multipliedFullWidth(by: factor)
            let (sum, overflow) = low.addingReportingOverflow(carry)
            words[index] = sum
            carry = high + (overflow ? 1 : 0)
        }
        if carry != 0 { words.append(carry) }
    }

    mutating func shiftLeft(_ bits: Int) {
        guard !isZero, bits > 0 else { return }
        let part = bits % 64
        if part > 0 {
            var carry: UInt64 = 0
            for index in words.indices {
                let word = words[index]
                words[index] = word << part | carry
                carry = word >> (64 - part)
            }
            if carry != 0 { words.append(carry) }
        }
        if bits >= 64 { words.insert(contentsOf: repeatElement(0, count: bits / 64), at: 0) }
    }

    /// `smaller` must not exceed `self`.
    mutating func subtract(_ smaller: Self) {
        var borrow: UInt64 = 0
        for index in words.indices {
            let taken = index < smaller.words.count ? smaller.words[index] : 0
            let (first, under) = words[index].subtractingReportingOverflow(taken)
            let (second, underAgain) = first.subtractingReportingOverflow(borrow)
            words[index] = second
            borrow = under || underAgain ? 1 : 0
        }
        while words.last == 0 { words.removeLast() }
    }

    static func < (left: Self, right: Self) -> Bool {
        if left.words.count != right.words.count { return left.words.count < right.words.count }
        for (a, b) in zip(left.words.reversed(), right.words.reversed()) where a != b { return a < b }
        return false
    }

    /// The 128 leading bits, the first of them set, and whether nothing was cut off.
    func leading128() -> (high: UInt64, low: UInt64, exact: Bool) {
        var shifted = self
        shifted.shiftLeft((128 - bitWidth % 64) % 64)
        let count = shifted.words.count
        let low = count > 1 ? shifted.words[count - 2] : 0
        return (shifted.words[count - 1], low, shifted.words.dropLast(2).allSatisfy { $0 == 0 })
    }
}
