/// A point on the monotonic clock, in nanoseconds. It never goes back and means nothing to another machine.
///
/// State machines take it as an argument, so that tests turn the clock by hand.
public struct Instant: Hashable, Sendable, Comparable {
    public var nanoseconds: UInt64

    @inlinable public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    @inlinable public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }
    @inlinable public static func + (left: Self, right: Span) -> Self {
        Self(
            nanoseconds: left.nanoseconds > UInt64.max - right.nanoseconds ? .max : left.nanoseconds + right.nanoseconds
        )
    }
    /// Zero when `right` is later.
    @inlinable public static func - (left: Self, right: Self) -> Span {
        Span(nanoseconds: left.nanoseconds > right.nanoseconds ? left.nanoseconds - right.nanoseconds : 0)
    }
}

extension Instant {
    /// A length of time, never negative, in nanoseconds.
    ///
    /// Not `Swift.Duration`: 16 bytes and 128-bit arithmetic where each request does a dozen of these.
    public struct Span: Hashable, Sendable, Comparable {
        public var nanoseconds: UInt64

        @inlinable public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }
        @inlinable public static func < (left: Self, right: Self) -> Bool { left.nanoseconds < right.nanoseconds }

        /// Saturates: no sum of times that anybody measures comes near.
        public static func + (left: Self, right: Self) -> Self {
            let (sum, overflow) = left.nanoseconds.addingReportingOverflow(right.nanoseconds)
            return Self(nanoseconds: overflow ? .max : sum)
        }

        public static let zero = Self(nanoseconds: 0)
        public static func microseconds(_ count: UInt64) -> Self {
            Self(nanoseconds: count.multipliedReportingOverflow(by: 1000).overflow ? .max : count * 1000)
        }
        public static func milliseconds(_ count: UInt64) -> Self { Self(nanoseconds: count * 1_000_000) }
        public static func seconds(_ count: UInt64) -> Self { Self(nanoseconds: count * 1_000_000_000) }
        public var milliseconds: Double { Double(nanoseconds) / 1e6 }
        public var seconds: Double { Double(nanoseconds) / 1e9 }
    }
}

extension Instant.Span: CustomStringConvertible {
    /// Reads `250ms`, `30s`, `10m`, `2h`, `1d`, `50us`; nil for anything else, also for what exceeds ten years.
    public init?(_ text: some StringProtocol) {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let units: [String: Double] = ["us": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9, "d": 86400e9]
        guard let number = Double(digits), let unit = units[String(text.dropFirst(digits.count))],
            number * unit < 10 * 366 * 86400e9
        else { return nil }
        self.init(nanoseconds: UInt64(number * unit + 0.5))
    }

    /// The largest unit that divides it: `30s`, `250ms`.
    public var description: String {
        for (unit, size) in [("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000)]
            as [(String, UInt64)]
        where nanoseconds % size == 0 && nanoseconds >= size {
            return "\(nanoseconds / size)\(unit)"
        }
        return nanoseconds == 0 ? "0ms" : "\(nanoseconds / 1000)us"
    }
}

/// A number of bytes as people write it: `512MiB`, `64KiB`, `1GB`, `4096`.
public struct ByteCount: Hashable, Sendable, Comparable, CustomStringConvertible {
    public var bytes: Int

    public init(bytes: Int) { self.bytes = bytes }
    public static func mebibytes(_ count: Int) -> Self { Self(bytes: count << 20) }
    public static func < (left: Self, right: Self) -> Bool { left.bytes < right.bytes }

    /// Nil for anything but digits and one of `B KiB MiB GiB TiB kB KB MB GB TB`.
    public init?(_ text: some StringProtocol) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let units: [String: Int] = [
            "": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
            "kB": 1000, "KB": 1000, "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000,
        ]
        guard let number = Int(digits), let unit = units[String(text.dropFirst(digits.count))],
            case let (bytes, overflow) = number.multipliedReportingOverflow(by: unit), !overflow
        else { return nil }
        self.bytes = bytes
    }

    public var description: String {
        for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)]
        where bytes >= 1 << shift && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift)\(unit)"
        }
        return "\(bytes)B"
    }
}
