internal import RoostBasics
internal import RoostChannel

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
            // Read once: the instance may rewrite its memory between a look and a copy.
            let byte = contentType[index]
            text.append((0x20...0x7E).contains(byte) ? byte : UInt8(ascii: "?"))
        }
        text.append("\r\n")
    }

    /// What the reply is besides its media type: binary tensors behind JSON, compressed or to be compressed for others.
    mutating func add(_ header: ReplyHeader, bodyBytes: Int) {
        if let jsonBytes = header.jsonBytes {
            text.append("Inference-Header-Content-Length: ")
            append(decimal: UInt64(jsonBytes))
            text.append("\r\n")
        }
        switch header.contentCoding {
        case .identity: break
        case .gzip: text.append("Content-Encoding: gzip\r\n")
        case .deflate: text.append("Content-Encoding: deflate\r\n")
        }
        // Another caller may get the same in another form.
        if bodyBytes >= ContentCoding.worthwhileBytes || header.contentCoding != .identity {
            text.append("Vary: Accept-Encoding\r\n")
        }
    }

    /// Whole lines, each with its end.
    mutating func add(lines: String) { text.append(lines) }

    /// `1.234`: microseconds are as fine as anybody reads.
    private mutating func append(milliseconds span: Instant.Span) {
        let microseconds = span.nanoseconds / 1000
        let rest = microseconds % 1000
        var whole = microseconds / 1000
        // Built from its end, as one word: most times are below ten seconds.
        var word = UInt64(UInt8(ascii: ".")) | Self.digit(rest / 100) << 8 | Self.digit(rest / 10 % 10) << 16
        word |= Self.digit(rest % 10) << 24
        var count = 4
        while count < 8, whole > 0 || count == 4 {
            word = word << 8 | Self.digit(whole % 10)
            whole /= 10
            count += 1
        }
        if whole > 0 { append(decimal: whole) }
        text.append(ascii: word, count: count)
    }

    private mutating func append(decimal number: UInt64) {
        if number >= 10 { append(decimal: number / 10) }
        text.append(UInt8(truncatingIfNeeded: Self.digit(number % 10)))
    }

    private static func digit(_ value: UInt64) -> UInt64 { UInt64(UInt8(ascii: "0")) &+ value }
}
