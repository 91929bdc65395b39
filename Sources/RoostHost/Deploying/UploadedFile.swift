internal import RoostBasics
internal import RoostFiles
internal import RoostFunctions

/// A version that came over HTTP, on its way into the drop folder.
struct UploadedFile: Sendable {
    let name: String
    fileprivate let bytes: [UInt8]

    /// - Parameter version: a number, or `next` for a file without a version in its name.
    /// - Throws: `invalidArgument` when no such file can be dropped.
    init(_ function: FunctionName, version: String, extension given: String?, _ body: RawSpan) throws(RoostError) {
        let isELF = body.starts(with: "\u{7F}ELF")
        let ending = given ?? (isELF ? "so" : body.starts(with: "{\"") ? "json" : "ubj")
        // The name becomes a path; function and version are checked below.
        guard !ending.contains("/") else {
            throw RoostError(
                .invalidArgument, "Roost-File-Extension: \"\(ending)\" is no file's ending: send one like ubj")
        }
        name = version == "next" ? "\(function).\(ending)" : "\(function)@\(version).\(ending)"
        switch DropName(name) {
        case .version, .unversioned: break
        case .ignored, .note: throw RoostError(.invalidArgument, "\"\(name)\" is no name for a file to deploy")
        case .unparsable(let reason): throw RoostError(.invalidArgument, reason)
        }
        guard !body.isEmpty else { throw RoostError(.invalidArgument, "the body is empty: send the file") }
        var copy: [UInt8] = []
        copy.append(body)
        bytes = copy
    }

    /// Puts it there under its name, whole or not at all.
    func write(into folder: Folder) throws(RoostError) { try folder.write(bytes, to: name) }
}
