internal import RoostBasics

/// What a command is about: `credit`, `credit@3`, or a path to a file.
enum Target: Hashable, Sendable {
    case function(FunctionName)
    case version(VersionID)
    case file(String)

    /// A text with a slash, or one that is no name and no version, is a path.
    init(_ text: String) throws {
        if let name = FunctionName(text) {
            self = .function(name)
        } else if let version = VersionID(text) {
            self = .version(version)
        } else if let at = text.firstIndex(of: "@"), FunctionName(text[..<at]) != nil,
            text[at...].dropFirst() == "canary"
        {
            throw UsageError.later("\(text): a rollout")
        } else if text.isEmpty {
            throw UsageError("an empty TARGET: give a function (credit), a version (credit@3) or a file")
        } else {
            self = .file(text)
        }
    }

    /// For commands that ask a running host.
    static func hosted(_ text: String) throws -> (function: FunctionName, version: VersionNumber?) {
        switch try Target(text) {
        case .function(let name): return (name, nil)
        case .version(let version): return (version.function, version.number)
        case .file: throw UsageError("\"\(text)\" is neither a function (credit) nor a version (credit@3)")
        }
    }
}

/// The name of a file in the drop folder: `credit@3.ubj`, or `credit.ubj` for whatever version is next.
struct DropName: Hashable, Sendable, CustomStringConvertible {
    let function: FunctionName
    let version: VersionNumber?
    let fileExtension: String

    init(_ function: FunctionName, _ version: VersionNumber?, fileExtension: String) {
        self.function = function
        self.version = version
        self.fileExtension = fileExtension
    }

    /// Nil when the host would not understand the name.
    init?(_ file: some StringProtocol) {
        guard let dot = file.lastIndex(of: "."), case let ending = file[dot...].dropFirst(),
            let first = ending.utf8.first, first.isAlphanumeric, !first.isDigit,
            ending.utf8.allSatisfy(\.isAlphanumeric), !["partial", "failed"].contains(ending)
        else { return nil }
        let stem = file[..<dot]
        if let version = VersionID(stem) {
            self.init(version.function, version.number, fileExtension: String(ending))
        } else if let function = FunctionName(stem) {
            self.init(function, nil, fileExtension: String(ending))
        } else {
            return nil
        }
    }

    var description: String { "\(function)\(version.map { "@\($0)" } ?? "").\(fileExtension)" }
}
