internal import RoostBasics

/// Builds the header fields that every inference reply carries, in memory that is used again for each.
struct ReplyFields: ~Copyable {
    private var text = ByteBuffer()

    /// Complete lines, borrowed until the next change.
    var bytes: RawSpan {
        @_lifetime(borrow self)
        get { text.bytes }
    }

    /// `Roost-Version` and `Server-Timing` with the phases that occurred; `head` is everything up to the first time,
    /// `infer` is nil when none came to its end.
    mutating func set(head: [UInt8], timing: PhaseTiming, infer: Instant.Span?) {
        text.removeAll()
        text.append(head.bytes)
        append(milliseconds: timing.queue)
        if let fork = timing.fork {
            text.append(", fork;dur=")
            append(milliseconds: fork)
        }
        if let load = timing.load {
            text.append(", load;dur=")
            append(milliseconds: load)
        }
        if let infer {
            text.append(", infer;dur=")
            append(milliseconds: infer)
        }
        text.append("\r\n")
    }

    /// A media type that an instance named. What is not visible ASCII cannot stand in a header and is replaced.
    mutating func add(contentType: RawSpan) {
        text.append("Content-Type: ")
        for index in 0..<contentType.byteCount {
            text.append((0x20...0x7E).contains(contentType[index]) ? contentType[index] : UInt8(ascii: "?"))
        }
        text.append("\r\n")
    }

    /// Whole lines, each with its end.
    mutating func add(lines: String) { text.append(lines) }

    /// `1.234`: microseconds are as fine as anybody reads.
    private mutating func append(milliseconds span: Instant.Span) {
        let microseconds = span.nanoseconds / 1000
        append(decimal: microseconds / 1000)
        let rest = UInt32(truncatingIfNeeded: microseconds % 1000)
        text.append(UInt8(ascii: "."))
        text.append(Self.digit(rest / 100))
        text.append(Self.digit(rest / 10 % 10))
        text.append(Self.digit(rest % 10))
    }

    private mutating func append(decimal number: UInt64) {
        if number >= 10 { append(decimal: number / 10) }
        text.append(Self.digit(UInt32(truncatingIfNeeded: number % 10)))
    }

    private static func digit(_ value: UInt32) -> UInt8 { UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: value) }
}
