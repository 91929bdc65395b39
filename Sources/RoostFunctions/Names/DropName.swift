public import RoostBasics

/// What the name of a file in the drop folder asks for.
public enum DropName: Hashable, Sendable {
    /// `credit@3.so`: this version.
    case version(VersionID, fileExtension: String)
    /// `credit.ubj`: the next version of this function.
    case unversioned(FunctionName, fileExtension: String)
    /// Not a deployment: dot files, `*~`, `*.partial`.
    case ignored
    /// `credit@3.so.failed`: the folder's answer for this file.
    case note(file: String)
    /// Meant as a deployment perhaps; `reason` says how to name it.
    case unparsable(reason: String)

    /// `fileName` is one path component; folders are the caller's to leave out.
    public init(_ fileName: String) {
        if fileName.hasPrefix(".") || fileName.hasSuffix("~") || fileName.hasSuffix(".partial") {
            self = .ignored
        } else if fileName.hasSuffix(Self.noteSuffix) {
            self = .note(file: String(fileName.dropLast(Self.noteSuffix.count)))
        } else {
            self = Self.deployment(fileName)
        }
    }

    /// What is appended to a file's name to name its note.
    public static let noteSuffix = ".failed"

    /// Nil for names that deploy nothing.
    public var function: FunctionName? {
        switch self {
        case .version(let id, _): id.function
        case .unversioned(let function, _): function
        case .ignored, .note, .unparsable: nil
        }
    }

    private static func deployment(_ fileName: String) -> DropName {
        guard let dot = fileName.lastIndex(of: ".") else {
            return .unparsable(reason: "the name has no extension: \(remedy)")
        }
        let stem = fileName[..<dot], fileExtension = String(fileName[fileName.index(after: dot)...])
        guard let first = fileExtension.utf8.first, first.isAlphanumeric, !first.isDigit else {
            return .unparsable(reason: "the extension must begin with a letter: \(remedy)")
        }
        guard stem.contains("@") else {
            guard let function = FunctionName(stem) else { return .unparsable(reason: badName(stem)) }
            return .unversioned(function, fileExtension: fileExtension)
        }
        let parts = stem.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard let function = FunctionName(parts[0]) else { return .unparsable(reason: badName(parts[0])) }
        guard let number = VersionNumber(parts[1]) else {
            return .unparsable(
                reason: "\"\(parts[1])\" is no version number (digits and dots, no leading zeros): \(remedy)")
        }
        return .version(VersionID(function, number), fileExtension: fileExtension)
    }

    private static func badName(_ name: some StringProtocol) -> String {
        "\"\(name)\" is no function name (letters, digits, _ and -, at most 63, first a letter or digit): \(remedy)"
    }

    private static let remedy = "name it NAME@VERSION.EXT or NAME.EXT, like credit@3.so or credit.ubj"
}
