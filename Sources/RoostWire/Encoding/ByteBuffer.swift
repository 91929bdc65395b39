/// Bytes that grow at their end, in memory that is kept from use to use. Hot kernel.
///
/// One owner, one thread: not `Sendable`.
///
/// Invariant that makes it safe: `base` is this object's own memory of `capacity` bytes, the first `count` of
/// them initialised; whoever writes calls `reserve` first.
@safe public final class ByteBuffer {
    /// Memory above this many bytes is given back by `removeAll`.
    public static let keptBytesMax = 4 << 20

    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    public private(set) var count = 0

    public init(capacity: Int = 4096) {
        self.capacity = max(capacity, 64)
        unsafe base = .allocate(capacity: self.capacity)
    }

    deinit { unsafe base.deallocate() }

    public func removeAll() {
        count = 0
        guard capacity > Self.keptBytesMax else { return }
        unsafe base.deallocate()
        capacity = 4096
        unsafe base = .allocate(capacity: capacity)
    }

    /// Forgets the bytes from index `kept` on.
    public func truncate(to kept: Int) {
        precondition(kept >= 0 && kept <= count)
        count = kept
    }

    /// Lends the bytes for the length of the call.
    @inline(__always) public func withBytes<Failure: Error, Result>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(start: base, count: count).bytes)
    }

    @inline(__always) public func append(_ byte: UInt8) {
        reserve(1)
        unsafe base[count] = byte
        count &+= 1
    }

    @inline(__always) public func append(_ text: StaticString) {
        let size = text.utf8CodeUnitCount
        reserve(size)
        unsafe (base + count).update(from: text.utf8Start, count: size)
        count &+= size
    }

    public func append(_ bytes: RawSpan) {
        reserve(bytes.byteCount)
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe UnsafeMutableRawPointer(base + count).copyMemory(from: start, byteCount: source.count)
        }
        count += bytes.byteCount
    }

    public func append(_ bytes: [UInt8]) { append(unsafe bytes.span.bytes) }

    /// Room for `more` bytes behind `count`.
    @inline(__always) private func reserve(_ more: Int) {
        if capacity &- count < more { enlarge(by: more) }
    }

    @inline(never) private func enlarge(by more: Int) {
        capacity = max(capacity * 2, count + more)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        unsafe larger.update(from: base, count: count)
        unsafe base.deallocate()
        unsafe base = larger
    }
}

private let digitPairs: [UInt16] = (0..<100).map { UInt16(0x30 + $0 / 10) | UInt16(0x30 + $0 % 10) << 8 }
private let powersOfTen: [UInt64] = [
    1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000,
    100_000_000_000, 1_000_000_000_000, 10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000,
    10_000_000_000_000_000, 100_000_000_000_000_000, 1_000_000_000_000_000_000, 10_000_000_000_000_000_000,
]

extension ByteBuffer {
    /// Appends the digits of `value`.
    public func append(decimal value: UInt64) {
        reserve(20)
        let size = Self.decimalLength(value)
        unsafe writeDigits(value, endingAt: base + count + size)
        count &+= size
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
        unsafe base[count] = 0x30
        unsafe base[count + 1] = UInt8(ascii: ".")
        for index in 0..<zeros { unsafe base[count + 2 + index] = 0x30 }
        count &+= 2 &+ zeros &+ size
        unsafe writeDigits(digits, endingAt: base + count)
    }

    /// `ddd.ddd` or `ddd000.0`
    private func appendPlain(_ digits: UInt64, _ size: Int, _ point: Int) {
        if point >= size {
            unsafe writeDigits(digits, endingAt: base + count + size)
            for index in size..<point { unsafe base[count + index] = 0x30 }
            unsafe base[count + point] = UInt8(ascii: ".")
            unsafe base[count + point + 1] = 0x30
            count &+= point &+ 2
        } else {
            unsafe writeDigits(digits, endingAt: base + count + size + 1)
            for index in 0..<point { unsafe base[count + index] = base[count + index + 1] }
            unsafe base[count + point] = UInt8(ascii: ".")
            count &+= size &+ 1
        }
    }

    /// `d.ddde-12`
    private func appendScientific(_ digits: UInt64, _ size: Int, exponent: Int) {
        unsafe writeDigits(digits, endingAt: base + count + size + 1)
        unsafe base[count] = base[count + 1]
        if size > 1 {
            unsafe base[count + 1] = UInt8(ascii: ".")
            count &+= size &+ 1
        } else {
            count &+= 1
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
