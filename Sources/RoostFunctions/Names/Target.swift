public import RoostBasics

/// What people name on a command line: one grammar for all commands.
public enum Target: Hashable, Sendable {
    /// `credit`: whatever its traffic chooses.
    case function(FunctionName)
    /// `credit@3`.
    case version(VersionID)
    /// A file: anything with a `/`, or a name with an extension.
    case file(path: String)

    /// - Throws: `.unsupported` for tags such as `credit@canary`, `.invalidArgument` for anything else.
    public init(_ text: String) throws(RoostError) {
        if text.contains("/") {
            self = .file(path: text)
        } else if let function = FunctionName(text) {
            self = .function(function)
        } else if let version = VersionID(text) {
            self = .version(version)
        } else if let tag = Self.tag(in: text) {
            throw RoostError(
                .unsupported, "tags such as \"@\(tag)\" are not supported by this build: name a version, like credit@3")
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

    /// The word behind the `@`, when it is one that could be a tag.
    private static func tag(in text: String) -> Substring? {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, FunctionName(parts[0]) != nil, FunctionName(parts[1]) != nil,
            parts[1].utf8.first?.isDigit == false
        else { return nil }
        return parts[1]
    }
}
