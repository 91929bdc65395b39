internal import RoostBasics
internal import RoostFunctions

extension Call {
    /// Reads a TARGET: `credit`, `credit@3`, `credit@canary`, or a path to a file.
    func target(_ text: String) throws -> Target {
        do {
            return try Target(text)
        } catch {
            throw UsageError("\(error)")
        }
    }

    /// For commands that ask a running host: a function, perhaps one version of it, by its number or a tag.
    func hostedTarget(_ text: String) throws -> (function: FunctionName, version: String?) {
        switch try target(text) {
        case .function(let name): return (name, nil)
        case .version(let version): return (version.function, version.number.description)
        case .tag(let function, let tag): return (function, tag.text)
        case .file: throw UsageError("\"\(text)\" is neither a function (credit) nor a version (credit@3)")
        }
    }
}

/// A file as it is called in the drop folder: `credit@3.ubj`, or `credit.ubj` for whatever version is next.
struct DropFile: Hashable, Sendable, CustomStringConvertible {
    let function: FunctionName
    let version: VersionNumber?
    let fileExtension: String

    /// Throws with the remedy when the host would not understand the name.
    init(_ name: String) throws(UsageError) {
        switch DropName(name) {
        case .version(let id, let fileExtension):
            (function, version, self.fileExtension) = (id.function, id.number, fileExtension)
        case .unversioned(let function, let fileExtension):
            (self.function, version, self.fileExtension) = (function, nil, fileExtension)
        case .ignored, .note: throw UsageError("\"\(name)\" is a name that hosts ignore: say --as credit@3")
        case .unparsable(let reason): throw UsageError("\"\(name)\": \(reason), or say --as credit@3")
        }
    }

    var description: String { "\(function)\(version.map { "@\($0)" } ?? "").\(fileExtension)" }
}
