/// The request headers that the host reads: found while the head is parsed, each an array look-up later.
public enum KnownHeader: UInt8, Sendable, CaseIterable {
    case host, connection, contentLength, transferEncoding, contentType, contentEncoding, expect
    case accept, acceptEncoding, authorization, origin, secFetchSite, userAgent, requestID
    case roostTimeout, roostVersion, roostKey, inferenceHeaderLength

    static let count = 18

    /// The header of this name, whatever its case.
    ///
    /// - Safety: `start` has `count` readable bytes.
    @unsafe static func named(_ start: UnsafeRawPointer, _ count: Int) -> KnownHeader? {
        switch count {
        case 4: unsafe matches(start, count, "host") ? .host : nil
        case 6:
            unsafe matches(start, count, "accept")
                ? .accept
                : matches(start, count, "origin") ? .origin : matches(start, count, "expect") ? .expect : nil
        case 9: unsafe matches(start, count, "roost-key") ? .roostKey : nil
        case 10:
            unsafe matches(start, count, "connection")
                ? .connection : matches(start, count, "user-agent") ? .userAgent : nil
        case 12:
            unsafe matches(start, count, "content-type")
                ? .contentType : matches(start, count, "x-request-id") ? .requestID : nil
        case 13:
            unsafe matches(start, count, "roost-timeout")
                ? .roostTimeout
                : matches(start, count, "roost-version")
                    ? .roostVersion : matches(start, count, "authorization") ? .authorization : nil
        case 14:
            unsafe matches(start, count, "content-length")
                ? .contentLength : matches(start, count, "sec-fetch-site") ? .secFetchSite : nil
        case 15: unsafe matches(start, count, "accept-encoding") ? .acceptEncoding : nil
        case 16: unsafe matches(start, count, "content-encoding") ? .contentEncoding : nil
        case 17: unsafe matches(start, count, "transfer-encoding") ? .transferEncoding : nil
        case 31: unsafe matches(start, count, "inference-header-content-length") ? .inferenceHeaderLength : nil
        default: nil
        }
    }
}

/// Compares a header name with a lower-case one of the same length, by words; the last word may overlap the one before.
///
/// Setting bit 5 makes letters lower-case and leaves digits and `-` as they are; that it also maps a few control
/// characters does not matter, because a header name holds none.
///
/// - Safety: `start` has `count` readable bytes, `name` has just as many, and there are at least four.
@unsafe @inline(__always)
func matches(_ start: UnsafeRawPointer, _ count: Int, _ name: StaticString) -> Bool {
    let other = unsafe UnsafeRawPointer(name.utf8Start)
    if count < 8 {
        let lower: UInt32 = 0x2020_2020
        let end = count - 4
        return unsafe start.loadUnaligned(as: UInt32.self) | lower == other.loadUnaligned(as: UInt32.self)
            && start.loadUnaligned(fromByteOffset: end, as: UInt32.self) | lower
                == other.loadUnaligned(fromByteOffset: end, as: UInt32.self)
    }
    let lower: UInt64 = 0x2020_2020_2020_2020
    var offset = 0
    while true {
        let same =
            unsafe start.loadUnaligned(fromByteOffset: offset, as: UInt64.self) | lower
            == other.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
        if !same { return false }
        if offset == count - 8 { return true }
        offset = min(offset + 8, count - 8)
    }
}
