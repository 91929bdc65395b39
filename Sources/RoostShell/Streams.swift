internal import Glibc
public import RoostBasics

/// The streams that a command is started with.
public enum StandardStream: Int32, Sendable {
    case input = 0
    case output = 1
    case error = 2

    /// Somebody sits at it, or looks at it.
    public var isTerminal: Bool { isatty(rawValue) == 1 }

    /// Writes all of `bytes`. Throws when nobody reads them any more or the disk is full.
    public func write(_ bytes: [UInt8]) throws(RoostError) {
        var done = 0
        while done < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(rawValue, buffer.baseAddress?.advanced(by: done), buffer.count - done)
            }
            guard written >= 0 || errno == EINTR else {
                throw RoostError(.system, "write to standard \(self): error \(errno)")
            }
            done += max(0, written)
        }
    }

    /// All bytes up to the end of the stream.
    public func readAll() throws(RoostError) -> [UInt8] {
        var all: [UInt8] = []
        while true {
            var count = 0
            let slice = unsafe [UInt8](unsafeUninitializedCapacity: 1 << 18) { buffer, initialized in
                count = unsafe read(rawValue, buffer.baseAddress, buffer.count)
                initialized = max(0, count)
            }
            if count == 0 { return all }
            guard count > 0 || errno == EINTR else {
                throw RoostError(.system, "read standard \(self): error \(errno)")
            }
            all += slice
        }
    }
}

/// The variable `name` of the environment; nil when it is not set or empty.
public func environmentVariable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    let text = unsafe String(cString: value)
    return text.isEmpty ? nil : text
}

/// The monotonic clock.
public func now() -> Instant {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Instant(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
}

/// Waits; may return early when a signal comes.
public func pause(for span: Instant.Span) {
    let seconds = span.nanoseconds / 1_000_000_000
    var time = timespec(tv_sec: Int(clamping: seconds), tv_nsec: Int(span.nanoseconds % 1_000_000_000))
    _ = unsafe nanosleep(&time, nil)
}
