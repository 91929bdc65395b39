public import RoostBasics

/// What people name on a command line: one grammar for all commands.
public enum Target: Hashable, Sendable {
    /// `credit`: whatever its traffic chooses.
    case function(FunctionName)
    /// `credit@3`.
    case version(VersionID)
    /// `credit@canary`: the version that the tag stands for at the moment.
    case tag(FunctionName, VersionTag)
    /// A file: anything with a `/`, or a name with an extension.
    case file(path: String)

    /// - Throws: `.invalidArgument`.
    public init(_ text: String) throws(RoostError) {
        if text.contains("/") {
            self = .file(path: text)
        } else if let function = FunctionName(text) {
            self = .function(function)
        } else if let version = VersionID(text) {
            self = .version(version)
        } else if let (function, tag) = Self.tag(in: text) {
            self = .tag(function, tag)
        } else {
            switch DropName(text) {
            case .version, .unversioned: self = .file(path: text)
            case .ignored, .note, .unparsable:
                throw RoostError(
                    .invalidArgument,
                    "\"\(text)\" is no target: give a function (credit), a version (credit@3), or a path to a file")
            }
        }
    }

    private static func tag(in text: String) -> (FunctionName, VersionTag)? {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let function = FunctionName(parts[0]), let tag = VersionTag(parts[1]) else {
            return nil
        }
        return (function, tag)
    }
}
