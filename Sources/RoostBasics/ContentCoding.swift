/// How a body is compressed, as `Content-Encoding` says it (RFC 9110, 8.4.1).
public enum ContentCoding: UInt16, Hashable, Sendable, CaseIterable {
    case identity = 0
    /// RFC 1952.
    case gzip = 1
    /// The zlib format of RFC 1950, by which HTTP means `deflate`.
    case deflate = 2

    /// Bodies below this many bytes fit into one packet with their head, and gain nothing by being smaller.
    public static let worthwhileBytes = 1400
}
