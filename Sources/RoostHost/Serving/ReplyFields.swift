internal import RoostBasics

/// Builds the header fields that every inference reply carries, in memory that is used again for each.
struct ReplyFields {
    private(set) var bytes: [UInt8] = []

    /// `Roost-Version` and `Server-Timing` with the phases that occurred; `infer` is nil when none came to its end.
    mutating func set(versionField: [UInt8], timing: PhaseTiming, infer: Instant.Span?) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(contentsOf: versionField)
        bytes.append("Server-Timing: queue;dur=")
        append(milliseconds: timing.queue)
        if let fork = timing.fork {
            bytes.append(", fork;dur=")
            append(milliseconds: fork)
        }
        if let load = timing.load {
            bytes.append(", load;dur=")
            append(milliseconds: load)
        }
        if let infer {
            bytes.append(", infer;dur=")
            append(milliseconds: infer)
        }
        bytes.append("\r\n")
    }

    /// A media type that an instance named. What is not visible ASCII cannot stand in a header and is replaced.
    mutating func add(contentType: RawSpan) {
        bytes.append("Content-Type: ")
        for index in 0..<contentType.byteCount {
            bytes.append((0x20...0x7E).contains(contentType[index]) ? contentType[index] : UInt8(ascii: "?"))
        }
        bytes.append("\r\n")
    }

    /// `1.234`: microseconds are as fine as anybody reads.
    private mutating func append(milliseconds span: Instant.Span) {
        let microseconds = span.nanoseconds / 1000
        append(decimal: microseconds / 1000)
        let rest = microseconds % 1000
        bytes.append(UInt8(ascii: "."))
        bytes.append(UInt8(ascii: "0") + UInt8(rest / 100))
        bytes.append(UInt8(ascii: "0") + UInt8(rest / 10 % 10))
        bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
    }

    private mutating func append(decimal number: UInt64) {
        if number >= 10 { append(decimal: number / 10) }
        bytes.append(UInt8(ascii: "0") + UInt8(number % 10))
    }
}
