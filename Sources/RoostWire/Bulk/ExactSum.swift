internal import RoostBasics

/// A sum of floating-point numbers without rounding, so that it does not depend on the order: two halves of a file
/// give the bits that the whole gives.
///
/// A number in base 2^16 from 2^-1074 on, whose digits may run over until `normalize` carries them (Neal: "Fast exact
/// summation using small and large superaccumulators", 2015, with digits that are small enough to add a Float to one).
struct ExactSum: Hashable, Sendable {
    /// For every finite Double, and 2^64 of them.
    static let digitCount = 136
    /// How often may be added between two calls of `normalize`.
    static let additionsMax = 1 << 20
    /// Of Double's smallest number.
    private static let lowest = -1074

    /// Each in 0..<2^16, but for the last, which has the sign.
    private(set) var digits: [Int64]

    init() { digits = Array(repeating: 0, count: Self.digitCount) }

    /// - Parameter digits: as `add` has changed them.
    init(_ digits: ArraySlice<Int64>) {
        precondition(digits.count == Self.digitCount)
        self.digits = Array(digits)
        normalize()
    }

    mutating func add(_ other: Self) {
        for index in digits.indices { digits[index] &+= other.digits[index] }
        normalize()
    }

    private mutating func normalize() {
        var span = digits.mutableSpan
        Self.normalize(&span, from: 0)
    }

    /// Carries what runs over in the digits from `first` on, so that equal sums have equal digits.
    static func normalize(_ digits: inout MutableSpan<Int64>, from first: Int) {
        var carry: Int64 = 0
        for index in first..<first + digitCount - 1 {
            let digit = digits[index] &+ carry
            digits[index] = digit & 0xFFFF
            carry = digit >> 16
        }
        digits[first + digitCount - 1] &+= carry
    }

    /// Adds a finite number to the digits from `first` on.
    @inline(__always) static func add(_ value: Float, to digits: inout MutableSpan<Int64>, from first: Int) {
        let exponent = Int(value.bitPattern >> 23) & 0xFF
        // Subnormal numbers have the exponent of the smallest normal ones and no leading bit.
        let significand = Int64(value.bitPattern & 0x7F_FFFF | (exponent == 0 ? 0 : 0x80_0000))
        let place = (exponent == 0 ? 1 : exponent) &- 150 &- lowest
        let signed = Int32(bitPattern: value.bitPattern) < 0 ? 0 &- significand : significand
        digits[first &+ place >> 4] &+= signed &<< Int64(place & 15)
    }

    /// Adds a finite number to the digits from `first` on.
    @inline(__always) static func add(_ value: Double, to digits: inout MutableSpan<Int64>, from first: Int) {
        let exponent = Int(value.bitPattern >> 52) & 0x7FF
        let significand = Int64(value.bitPattern & 0xF_FFFF_FFFF_FFFF | (exponent == 0 ? 0 : 1 << 52))
        let place = (exponent == 0 ? 1 : exponent) &- 1
        let sign: Int64 = value.sign == .minus ? -1 : 1
        let (low, high) = (significand & 0x3FF_FFFF, significand >> 26)
        digits[first &+ place >> 4] &+= (sign &* low) &<< Int64(place & 15)
        digits[first &+ (place &+ 26) >> 4] &+= (sign &* high) &<< Int64((place &+ 26) & 15)
    }

    /// The nearest Double, or the one beside it.
    var value: Double {
        let isNegative = (digits.last ?? 0) < 0
        var magnitude = self
        if isNegative {
            for index in digits.indices { magnitude.digits[index] = 0 &- digits[index] }
            magnitude.normalize()
        }
        guard let top = magnitude.digits.lastIndex(where: { $0 != 0 }) else { return 0 }
        var sum = 0.0
        for index in max(0, top - 4)...top {
            let digit = Double(magnitude.digits[index])
            sum += Double(sign: .plus, exponent: 16 * index + Self.lowest, significand: digit)
        }
        return isNegative ? -sum : sum
    }
}

extension ExactSum {
    /// As it travels: the sign, and the digits that are not those which the sign implies.
    func encode(to bytes: inout [UInt8]) {
        let fill: Int64 = (digits.last ?? 0) < 0 ? 0xFFFF : 0
        let body = digits.dropLast()
        let first = body.firstIndex { $0 != 0 } ?? body.endIndex
        let end = (body.lastIndex { $0 != fill }).map { $0 + 1 } ?? 0
        bytes.append(word: UInt64(bitPattern: digits.last ?? 0))
        bytes.append(UInt8(first))
        bytes.append(UInt8(max(0, end - first)))
        for index in first..<max(first, end) {
            bytes.append(UInt8(truncatingIfNeeded: digits[index]))
            bytes.append(UInt8(truncatingIfNeeded: digits[index] >> 8))
        }
    }

    init(_ reader: inout WordReader) throws(RoostError) {
        self.init()
        let top = Int64(bitPattern: try reader.word())
        let (first, count) = (Int(try reader.byte()), Int(try reader.byte()))
        guard first + count <= Self.digitCount - 1 else { throw reader.malformed }
        for index in first..<first + count {
            let low = Int64(try reader.byte())
            digits[index] = low | Int64(try reader.byte()) << 8
        }
        if top < 0 { for index in first + count..<Self.digitCount - 1 { digits[index] = 0xFFFF } }
        digits[Self.digitCount - 1] = top
    }
}
