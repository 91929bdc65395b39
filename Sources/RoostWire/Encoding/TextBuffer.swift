/// Bytes that grow at their end, in memory that is kept from use to use. Hot kernel.
///
/// One owner, one thread: not `Sendable`.
///
/// Invariant that makes it safe: `base` is this object's own memory of `capacity` bytes, the first `count` of
/// them initialised; whoever writes calls `reserve` first.
@safe public final class TextBuffer {
    /// Memory above this many bytes is given back by `removeAll`.
    public static let keptBytesMax = 4 << 20

    @exclusivity(unchecked) private var base: UnsafeMutablePointer<UInt8>
    @safe @exclusivity(unchecked) private var capacity: Int
    public var count: Int { used }
    @safe @exclusivity(unchecked) private var used = 0

    public init(capacity: Int = 4096) {
        self.capacity = max(capacity, 64)
        unsafe base = .allocate(capacity: self.capacity)
    }

    deinit { unsafe base.deallocate() }

    public func removeAll() {
        used = 0
        guard capacity > Self.keptBytesMax else { return }
        unsafe base.deallocate()
        capacity = 4096
        unsafe base = .allocate(capacity: capacity)
    }

    /// The byte that was appended last; 0 when there is none.
    var last: UInt8 { used > 0 ? unsafe base[used - 1] : 0 }

    /// Forgets the bytes from index `kept` on.
    public func truncate(to kept: Int) {
        precondition(kept >= 0 && kept <= count)
        used = kept
    }

    /// Lends the bytes for the length of the call.
    @inline(__always) public func withBytes<Failure: Error, Result>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(start: base, count: count).bytes)
    }

    @inline(__always) public func append(_ byte: UInt8) {
        reserve(1)
        unsafe base[used] = byte
        used &+= 1
    }

    @inline(__always) public func append(_ text: StaticString) {
        let size = text.utf8CodeUnitCount
        reserve(size)
        unsafe (base + used).update(from: text.utf8Start, count: size)
        used &+= size
    }

    public func append(_ bytes: RawSpan) {
        reserve(bytes.byteCount)
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe UnsafeMutableRawPointer(base + used).copyMemory(from: start, byteCount: source.count)
        }
        used += bytes.byteCount
    }

    public func append(_ bytes: [UInt8]) { append(unsafe bytes.span.bytes) }

    /// Room for `more` bytes behind `count`.
    @inline(__always) private func reserve(_ more: Int) {
        if capacity &- used < more { enlarge(by: more) }
    }

    @inline(never) private func enlarge(by more: Int) {
        capacity = max(capacity * 2, count + more)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        unsafe larger.update(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = larger
    }
}

/// The two ASCII digits of 0 to 99, the first one lowest.
private let digitPairs: [UInt16] = [
    0x3030, 0x3130, 0x3230, 0x3330, 0x3430, 0x3530, 0x3630, 0x3730, 0x3830, 0x3930, 0x3031, 0x3131,
    0x3231, 0x3331, 0x3431, 0x3531, 0x3631, 0x3731, 0x3831, 0x3931, 0x3032, 0x3132, 0x3232, 0x3332,
    0x3432, 0x3532, 0x3632, 0x3732, 0x3832, 0x3932, 0x3033, 0x3133, 0x3233, 0x3333, 0x3433, 0x3533,
    0x3633, 0x3733, 0x3833, 0x3933, 0x3034, 0x3134, 0x3234, 0x3334, 0x3434, 0x3534, 0x3634, 0x3734,
    0x3834, 0x3934, 0x3035, 0x3135, 0x3235, 0x3335, 0x3435, 0x3535, 0x3635, 0x3735, 0x3835, 0x3935,
    0x3036, 0x3136, 0x3236, 0x3336, 0x3436, 0x3536, 0x3636, 0x3736, 0x3836, 0x3936, 0x3037, 0x3137,
    0x3237, 0x3337, 0x3437, 0x3537, 0x3637, 0x3737, 0x3837, 0x3937, 0x3038, 0x3138, 0x3238, 0x3338,
    0x3438, 0x3538, 0x3638, 0x3738, 0x3838, 0x3938, 0x3039, 0x3139, 0x3239, 0x3339, 0x3439, 0x3539,
    0x3639, 0x3739, 0x3839, 0x3939,
]
private let powersOfTen: [UInt64] = [
    1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000,
    100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000,
    10_000_000_000_000_000, 100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
]

extension TextBuffer {
    /// Appends the digits of `value`.
    public func append(decimal value: UInt64) {
        reserve(20)
        let size = Self.decimalLength(value)
        unsafe writeDigits(value, endingAt: base + used + size)
        used &+= size
    }

    /// Appends the digits of `value`, with its sign.
    public func append(decimal value: Int64) {
        if value < 0 { append(UInt8(ascii: "-")) }
        append(decimal: value.magnitude)
    }

    /// Appends the shortest JSON number that reads back as `value`, always with a point or an exponent, as
    /// Python prints it; `null` when it is not finite.
    public func append(json value: Float) {
        guard value.isFinite else { return append("null") }
        if value.sign == .minus { append(UInt8(ascii: "-")) }
        guard value != 0 else { return append("0.0") }
        append(ShortestDecimal(value.magnitude))
    }

    /// As for Float.
    public func append(json value: Double) {
        guard value.isFinite else { return append("null") }
        if value.sign == .minus { append(UInt8(ascii: "-")) }
        guard value != 0 else { return append("0.0") }
        append(ShortestDecimal(value.magnitude))
    }

    private func append(_ decimal: ShortestDecimal) {
        reserve(40)
        var (digits, power) = (decimal.digits, decimal.power)
        while digits % 10 == 0 {
            digits /= 10
            power += 1
        }
        let size = Self.decimalLength(digits)
        let point = size + power
        switch point {
        case -3...0: appendSmall(digits, size, zeros: -point)
        case 1...16: appendPlain(digits, size, point)
        default: appendScientific(digits, size, exponent: point - 1)
        }
    }

    /// `0.000ddd`
    private func appendSmall(_ digits: UInt64, _ size: Int, zeros: Int) {
        unsafe base[used] = 0x30
        unsafe base[used + 1] = UInt8(ascii: ".")
        for index in 0..<zeros { unsafe base[used + 2 + index] = 0x30 }
        used &+= 2 &+ zeros &+ size
        unsafe writeDigits(digits, endingAt: base + used)
    }

    /// `ddd.ddd` or `ddd000.0`
    private func appendPlain(_ digits: UInt64, _ size: Int, _ point: Int) {
        if point >= size {
            unsafe writeDigits(digits, endingAt: base + used + size)
            for index in size..<point { unsafe base[used + index] = 0x30 }
            unsafe base[used + point] = UInt8(ascii: ".")
            unsafe base[used + point + 1] = 0x30
            used &+= point &+ 2
        } else {
            unsafe writeDigits(digits, endingAt: base + used + size + 1)
            for index in 0..<point { unsafe base[used + index] = base[used + index + 1] }
            unsafe base[used + point] = UInt8(ascii: ".")
            used &+= size &+ 1
        }
    }

    /// `d.ddde-12`
    private func appendScientific(_ digits: UInt64, _ size: Int, exponent: Int) {
        unsafe writeDigits(digits, endingAt: base + used + size + 1)
        unsafe base[used] = base[used + 1]
        if size > 1 {
            unsafe base[used + 1] = UInt8(ascii: ".")
            used &+= size &+ 1
        } else {
            used &+= 1
        }
        append(UInt8(ascii: "e"))
        append(decimal: Int64(exponent))
    }

    /// Writes the digits of `value` in front of `end`; the caller has made room.
    @inline(__always) private func writeDigits(_ value: UInt64, endingAt end: UnsafeMutablePointer<UInt8>) {
        var rest = value
        var place = UnsafeMutableRawPointer(end)
        while rest >= 100 {
            let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
            unsafe place -= 2
            unsafe place.storeBytes(of: digitPairs[Int(pair)], as: UInt16.self)
            rest = quotient
        }
        if rest >= 10 {
            unsafe (place - 2).storeBytes(of: digitPairs[Int(rest)], as: UInt16.self)
        } else {
            unsafe (place - 1).storeBytes(of: UInt8(0x30 + rest), as: UInt8.self)
        }
    }

    @inline(__always) private static func decimalLength(_ value: UInt64) -> Int {
        let bits = 64 &- (value | 1).leadingZeroBitCount
        let estimate = (bits &* 1233) >> 12  // of log10, at most one too small
        return estimate &+ ((value | 1) >= powersOfTen[estimate] ? 1 : 0)
    }
}
