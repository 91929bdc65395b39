/// A plain number, `-12.345`, read without leaving registers. Hot kernel.
struct QuickNumber {
    /// Fewer than 20 digits, so that they fit.
    let digits: UInt64
    let decimals: Int
    let isNegative: Bool
    /// Behind the number; 0 when it is not a plain one, or too near to the end of the body: then the full scanner
    /// decides what it is.
    let next: Int

    private static let none = Self(digits: 0, decimals: 0, isNegative: false, next: 0)
    private static let zeros: UInt64 = 0x3030_3030_3030_3030

    /// Bytes that are looked at, at most: sign, 7 digits, point, 8 digits, and 8 more.
    private static let reach = 26

    @inline(__always) init(_ cursor: JSONCursor) {
        guard cursor.at &+ Self.reach <= cursor.end else {
            self = .none
            return
        }
        var place = unsafe UnsafeRawPointer(cursor.base + cursor.at)
        let isNegative = unsafe place.load(as: UInt8.self) == UInt8(ascii: "-")
        unsafe place += isNegative ? 1 : 0

        let whole = unsafe UInt64(littleEndian: place.loadUnaligned(as: UInt64.self)) ^ Self.zeros
        let wholeCount = Self.digitCount(whole)
        // No digit, or eight and more, or a zero in front of others.
        guard 1...7 ~= wholeCount, whole & 0xFF != 0 || wholeCount == 1 else {
            self = .none
            return
        }
        var digits = Self.value(whole, wholeCount)
        unsafe place += wholeCount
        var decimals = 0
        if unsafe place.load(as: UInt8.self) == UInt8(ascii: ".") {
            unsafe place += 1
            var part = unsafe UInt64(littleEndian: place.loadUnaligned(as: UInt64.self)) ^ Self.zeros
            var count = Self.digitCount(part)
            if count == 8 {
                digits = digits &* 100_000_000 &+ Self.value(part)
                decimals = 8
                unsafe place += 8
                part = unsafe UInt64(littleEndian: place.loadUnaligned(as: UInt64.self)) ^ Self.zeros
                count = Self.digitCount(part)
            }
            guard count < 8 else {
                self = .none
                return
            }
            if count > 0 {
                digits = digits &* tens[count] &+ Self.value(part, count)
                unsafe place += count
            }
            decimals &+= count
            guard decimals > 0, wholeCount &+ decimals <= 19 else {
                self = .none
                return
            }
        }
        guard unsafe place.load(as: UInt8.self) | 0x20 != UInt8(ascii: "e") else {
            self = .none
            return
        }
        self.digits = digits
        self.decimals = decimals
        self.isNegative = isNegative
        next = unsafe place - UnsafeRawPointer(cursor.base)
    }

    private init(digits: UInt64, decimals: Int, isNegative: Bool, next: Int) {
        (self.digits, self.decimals, self.isNegative, self.next) = (digits, decimals, isNegative, next)
    }

    /// How many of the eight bytes are digits, from the lowest up to the first that is none; each was xored with `0`.
    @inline(__always) static func digitCount(_ word: UInt64) -> Int {
        let other = ((word &+ 0x7676_7676_7676_7676) | word) & 0x8080_8080_8080_8080
        return other.trailingZeroBitCount >> 3
    }

    /// The number that `count` digits are, 1 to 7.
    @inline(__always) static func value(_ word: UInt64, _ count: Int) -> UInt64 {
        value(word &<< UInt64(truncatingIfNeeded: 64 &- 8 &* count))
    }

    /// The number that eight digits are, the first one lowest (Lemire).
    @inline(__always) static func value(_ word: UInt64) -> UInt64 {
        let pairs = word &* 10 &+ word >> 8
        let mask: UInt64 = 0x0000_00FF_0000_00FF
        let low = (pairs & mask) &* (100 + 1_000_000 << 32)
        let high = ((pairs >> 16) & mask) &* (1 + 10_000 << 32)
        return (low &+ high) >> 32
    }
}

private let tens: [UInt64] = [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000]
