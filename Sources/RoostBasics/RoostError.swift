/// What went wrong, in words for the person who can mend it: the act, the thing, the cause, the remedy.
public struct RoostError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of failure that callers tell apart; the gateway maps each to one HTTP status.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        /// The caller's input is wrong (400).
        case invalidArgument
        /// No such function, version, file or endpoint (404).
        case notFound
        /// The request is fine but collides with the present state (409).
        case conflict
        /// The thing is not allowed here (403).
        case forbidden
        /// A body, file or number above its limit (413).
        case tooLarge
        /// A media type or encoding that is not spoken (415).
        case unsupported
        /// Too many wait already (429).
        case overloaded
        /// Nothing can answer now; later perhaps (503).
        case unavailable
        /// The time ran out (504).
        case deadline
        /// The plugin or its model failed (500).
        case pluginFailed
        /// The operating system refused (500).
        case system
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
