public import RoostBasics

/// Why a file is not a plugin that this host can use.
public struct ELFError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What the one who watches a folder does about it.
    public enum Kind: Hashable, Sendable {
        /// It ends before what its headers promise: perhaps it is still being copied.
        case incomplete
        /// No further byte can make it whole.
        case broken
        /// Well formed, but not for this host: another architecture, no plugin, another ABI.
        case unsuitable
        /// The operating system refused to read or write it.
        case system
    }

    public let kind: Kind
    public let message: String

    init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public var description: String { message }
    public var asRoostError: RoostError { RoostError(kind == .system ? .system : .invalidArgument, message) }
}
