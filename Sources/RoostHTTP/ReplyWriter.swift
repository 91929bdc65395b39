/// What a reply's body is; the common kinds cost no formatting.
public enum ContentType: UInt8, Sendable {
    case json, text, csv, html, prometheus, octetStream
    /// No body, or the type stands in the preformatted fields.
    case unstated

    var line: StaticString {
        switch self {
        case .json: "Content-Type: application/json\r\n"
        case .text: "Content-Type: text/plain; charset=utf-8\r\n"
        case .csv: "Content-Type: text/csv; charset=utf-8\r\n"
        case .html: "Content-Type: text/html; charset=utf-8\r\n"
        case .prometheus: "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
        case .octetStream: "Content-Type: application/octet-stream\r\n"
        case .unstated: ""
        }
    }
}

/// What a reply says of the connection.
public enum ConnectionField: UInt8, Sendable {
    /// Nothing: HTTP/1.1 keeps it.
    case unstated
    case close
    /// For an HTTP/1.0 client that asked.
    case keepAlive

    var line: StaticString {
        switch self {
        case .unstated: ""
        case .close: "Connection: close\r\n"
        case .keepAlive: "Connection: keep-alive\r\n"
        }
    }
}

/// Writes reply heads, and small bodies behind them, into memory that is used again for each reply.
///
/// Safe: `start` has `capacity` bytes; every write is preceded by `reserve` for what the whole reply may need.
@safe public struct ReplyWriter: ~Copyable {
    private var start: UnsafeMutableRawPointer
    private var capacity = 4096
    /// Bytes written since the last `begin`.
    public private(set) var count = 0
    /// `HTTP/1.1 200 OK` and the date: the same for a second's worth of replies.
    private var okay: UnsafeMutableRawPointer
    private static let okayLine: StaticString = "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
    private static let dateOffset = 17

    public init() {
        unsafe start = .allocate(byteCount: capacity, alignment: 16)
        let okayCount = Self.okayLine.utf8CodeUnitCount
        unsafe okay = .allocate(byteCount: okayCount, alignment: 16)
        unsafe okay.copyMemory(from: Self.okayLine.utf8Start, byteCount: okayCount)
    }

    deinit {
        unsafe start.deallocate()
        unsafe okay.deallocate()
    }

    /// What has been written since the last `begin`.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(start), byteCount: count)
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    /// Writes a head. `fields` are complete lines, each ending in CR LF; `bodyBytes` is nil when the status allows no
    /// body and no length (204, 304).
    public mutating func begin(
        status: Int, type: ContentType, bodyBytes: Int?, fields: RawSpan, requestID: RawSpan,
        connection: ConnectionField
    ) {
        count = 0
        reserve(fields.byteCount + requestID.byteCount + 512)
        let okayCount = Self.okayLine.utf8CodeUnitCount
        if status == 200 {
            unsafe put(okay, okayCount)
        } else {
            put("HTTP/1.1 ")
            put(statusLine(status))
            unsafe put(okay + Self.dateOffset, okayCount - Self.dateOffset)
        }
        put(type.line)
        if let bodyBytes {
            put("Content-Length: ")
            put(decimal: bodyBytes)
            put("\r\n")
        }
        put("X-Request-Id: ")
        put(requestID)
        put("\r\n")
        put(connection.line)
        put(fields)
        put("\r\n")
    }

    /// Puts `body` behind the head, so that both leave in one piece.
    public mutating func append(_ body: RawSpan) {
        reserve(body.byteCount)
        put(body)
    }

    /// Sets the date of the replies to come, in seconds since 1970.
    public mutating func setDate(_ unixSeconds: Int) {
        let days = unixSeconds / 86_400
        let second = unixSeconds % 86_400
        let (year, month, day) = civil(days)
        let weekdays: StaticString = "ThuFriSatSunMonTueWed"
        let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"
        // `Date: Thu, 01 Jan 1970 00:00:00 GMT`
        let at = Self.dateOffset + 6
        unsafe okay.advanced(by: at).copyMemory(from: weekdays.utf8Start + 3 * (days % 7), byteCount: 3)
        put(twoDigits: day, at: at + 5)
        unsafe okay.advanced(by: at + 8).copyMemory(from: months.utf8Start + 3 * (month - 1), byteCount: 3)
        put(twoDigits: year / 100, at: at + 12)
        put(twoDigits: year % 100, at: at + 14)
        put(twoDigits: second / 3600, at: at + 17)
        put(twoDigits: second / 60 % 60, at: at + 20)
        put(twoDigits: second % 60, at: at + 23)
    }

    private mutating func put(twoDigits value: Int, at offset: Int) {
        unsafe okay.storeBytes(of: UInt8(truncatingIfNeeded: 0x30 + value / 10), toByteOffset: offset, as: UInt8.self)
        unsafe okay.storeBytes(
            of: UInt8(truncatingIfNeeded: 0x30 + value % 10), toByteOffset: offset + 1, as: UInt8.self)
    }

    // MARK: Writing; each needs its bytes reserved.

    private mutating func reserve(_ extra: Int) {
        guard count + extra > capacity else { return }
        capacity = max(capacity * 2, count + extra)
        let grown = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        unsafe grown.copyMemory(from: start, byteCount: count)
        unsafe start.deallocate()
        unsafe start = grown
    }

    @unsafe @inline(__always)
    private mutating func put(_ from: UnsafeRawPointer, _ size: Int) {
        unsafe start.advanced(by: count).copyMemory(from: from, byteCount: size)
        count += size
    }

    @inline(__always)
    private mutating func put(_ text: StaticString) {
        unsafe put(UnsafeRawPointer(text.utf8Start), text.utf8CodeUnitCount)
    }

    private mutating func put(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { source in
            if let from = source.baseAddress { unsafe put(from, source.count) }
        }
    }

    private mutating func put(decimal value: Int) {
        precondition(value >= 0)
        var digits = 1
        var bound = 10
        while digits < 19, value >= bound {
            digits += 1
            bound &*= 10  // past the last digit it is not looked at
        }
        var rest = value
        var place = count + digits
        repeat {
            place -= 1
            unsafe start.storeBytes(
                of: UInt8(truncatingIfNeeded: 0x30 + rest % 10), toByteOffset: place, as: UInt8.self)
            rest /= 10
        } while place > count
        count += digits
    }
}

/// Year, month and day of the days since 1970-01-01, from zero up: Howard Hinnant's `civil_from_days`.
private func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
}
