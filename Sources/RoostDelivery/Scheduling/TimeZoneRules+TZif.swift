public import RoostBasics

extension TimeZoneRules {
    /// Reads a compiled file of the time zone database (TZif versions 1 to 4, RFC 8536 and RFC 9636).
    ///
    /// - Parameter name: what errors call it.
    /// - Throws: `invalidArgument` when it is no such file, is cut short, contradicts itself, or counts leap seconds
    ///   (the `right/` zones: their times are not those of the system's clock).
    public init(tzif bytes: [UInt8], name: String) throws(RoostError) {
        guard let rules = TZifFile(bytes).flatMap({ $0.rules }) else {
            throw RoostError(.invalidArgument, "the data of time zone \(name) cannot be read: not whole TZif data")
        }
        self = rules
    }
}

/// The layout: a header and a block with 32-bit times; from version 2 on again with 64-bit times, and a rule for later.
private struct TZifFile {
    let rules: TimeZoneRules?

    init?(_ bytes: [UInt8]) {
        guard let old = Header(bytes, at: 0) else { return nil }
        guard old.version >= 2 else {
            rules = old.block(bytes, timeSize: 4, footer: nil)
            return
        }
        guard let new = Header(bytes, at: old.end(timeSize: 4)),
            let footer = Self.footer(bytes, from: new.end(timeSize: 8))
        else { return nil }
        guard !footer.isEmpty else {
            rules = new.block(bytes, timeSize: 8, footer: nil)
            return
        }
        guard let rule = PosixTimeZone(footer) else { return nil }
        rules = new.block(bytes, timeSize: 8, footer: rule)
    }

    /// What stands between the two newlines at the end.
    private static func footer(_ bytes: [UInt8], from start: Int) -> String? {
        guard start < bytes.count, bytes[start] == UInt8(ascii: "\n") else { return nil }
        let text = bytes[(start + 1)...].prefix { $0 != UInt8(ascii: "\n") }
        guard text.endIndex < bytes.count else { return nil }
        return String(decoding: text, as: UTF8.self)
    }

    struct Header {
        let version: Int
        let isUTCount: Int
        let isStandardCount: Int
        let leapCount: Int
        let timeCount: Int
        let typeCount: Int
        let nameSize: Int
        /// Where the block begins.
        let start: Int

        static let size = 44

        init?(_ bytes: [UInt8], at place: Int) {
            guard bytes.count >= place + Self.size, bytes[place..<place + 4].elementsEqual("TZif".utf8) else {
                return nil
            }
            let digit = bytes[place + 4]
            version = digit == 0 ? 1 : Int(digit) - 0x30
            let counts = (0..<6).map { TZifFile.integer(bytes, at: place + 20 + $0 * 4, size: 4) }
            // Real files have a few hundred of each at most; no sum of these overflows.
            guard version >= 1, counts.allSatisfy({ (0...1_000_000).contains($0) }) else { return nil }
            (isUTCount, isStandardCount, leapCount) = (Int(counts[0]), Int(counts[1]), Int(counts[2]))
            (timeCount, typeCount, nameSize) = (Int(counts[3]), Int(counts[4]), Int(counts[5]))
            start = place + Self.size
            guard typeCount > 0, leapCount == 0 else { return nil }
        }

        func end(timeSize: Int) -> Int {
            start + timeCount * (timeSize + 1) + typeCount * 6 + nameSize + leapCount * (timeSize + 4)
                + isStandardCount + isUTCount
        }

        func block(_ bytes: [UInt8], timeSize: Int, footer: PosixTimeZone?) -> TimeZoneRules? {
            guard bytes.count >= end(timeSize: timeSize) else { return nil }
            let types = start + timeCount * (timeSize + 1)
            let offsets = (0..<typeCount).map { Int(TZifFile.integer(bytes, at: types + $0 * 6, size: 4)) }
            guard offsets.allSatisfy({ (-89_999...93_599).contains($0) }) else { return nil }
            var transitions: [TimeZoneRules.Transition] = []
            for index in 0..<timeCount {
                let at = TZifFile.integer(bytes, at: start + index * timeSize, size: timeSize)
                let type = Int(bytes[start + timeCount * timeSize + index])
                guard type < typeCount, transitions.last.map({ $0.at < at }) ?? true else { return nil }
                // Some writers mark the big bang; nothing is due that long ago, and sums must not overflow.
                guard CronSchedule.reach.contains(at) || at < 0 else { return nil }
                transitions.append(.init(at: max(at, CronSchedule.reach.lowerBound - 1), offset: offsets[type]))
            }
            return TimeZoneRules(initialOffset: offsets[0], transitions: transitions, footer: footer)
        }
    }

    /// Big-endian, two's complement. The caller has checked that it is there.
    static func integer(_ bytes: [UInt8], at place: Int, size: Int) -> Int64 {
        var bits = size == 4 && bytes[place] >= 0x80 ? UInt64.max : 0
        for byte in bytes[place..<place + size] { bits = bits << 8 | UInt64(byte) }
        return Int64(bitPattern: bits)
    }
}
