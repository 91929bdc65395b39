/// Why a message cannot be accepted. The connection cannot be trusted to be in step after it: answer and close.
public struct HTTPFault: Error, Sendable, CustomStringConvertible {
    /// The HTTP status to answer with.
    public let status: Int
    /// A sentence for the client.
    public let reason: StaticString
    /// Header lines that the answer carries, each with its end.
    public let fields: StaticString

    public init(_ status: Int, _ reason: StaticString, fields: StaticString = "") {
        self.status = status
        self.reason = reason
        self.fields = fields
    }

    public var description: String { "\(status) \(reason)" }
}

/// The methods that somebody here answers; everything else is `other`, which fits no endpoint.
public enum HTTPMethod: UInt8, Sendable {
    case get, head, post, put, delete, patch, options, other
}
