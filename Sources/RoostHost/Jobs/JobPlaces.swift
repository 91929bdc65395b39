internal import RoostBasics
internal import RoostFiles

/// The folders below which jobs read and write, and how paths in them are found: nothing outside is ever touched.
struct JobPlaces: Sendable {
    /// The data folder of the home first, then those that were added; absolute, links resolved.
    let roots: [Folder]

    /// - Throws: when one is missing.
    init(_ folders: [Folder]) throws(RoostError) {
        var roots: [Folder] = []
        for folder in folders { roots.append(try folder.absolute()) }
        self.roots = roots
    }

    /// A file that is named by a path.
    struct Place: Hashable, Sendable {
        let root: Folder
        /// Below it, without `.` and `..`.
        let path: String

        var name: String { String(path[(path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex)...]) }
        /// The folder that it lies in.
        var folder: Folder {
            path.lastIndex(of: "/").map { root.folder(String(path[..<$0])) } ?? root
        }
        var full: String { root.path(path) }

        /// The folder, held open: nobody can lead the acts on it out of the root, by links or by putting one in the
        /// place of a folder meanwhile.
        /// - Throws: `invalidArgument` when it leads out; `notFound` when it is not there and not to be made.
        func holdFolder(makingMissing makesMissing: Bool = false) throws(RoostError) -> HeldFolder {
            let parts = path.split(separator: "/").dropLast()
            return try HeldFolder(parts.joined(separator: "/"), below: root, makingMissing: makesMissing)
        }

        /// Another name in the same folder.
        func sibling(_ name: String) -> Place {
            let folder = path.lastIndex(of: "/").map { path[...$0] } ?? ""
            return Place(root: root, path: folder + name)
        }
    }

    /// Finds a path that is relative to the first root, or absolute and below any.
    ///
    /// The file need not be there. Links are looked at when it is opened.
    /// - Throws: `invalidArgument` for a path that leaves the folders.
    func place(_ path: String) throws(RoostError) -> Place {
        let found: Place
        if path.hasPrefix("/") {
            // Bytes, not characters: an accent can be written in two ways, and those are two files.
            guard let root = roots.first(where: { path.utf8.starts(with: "\($0.path)/".utf8) }) else {
                let known = roots.map(\.path).joined(separator: ", ")
                throw RoostError(
                    .invalidArgument,
                    "\(path) is not below \(known): move it there, or serve with --data and its folder")
            }
            found = Place(root: root, path: String(Substring(path.utf8.dropFirst(root.path.utf8.count + 1))))
        } else {
            found = Place(root: roots[0], path: path)
        }
        let parts = found.path.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains(where: { ["", ".", ".."].contains($0) }), !path.utf8.contains(0) else {
            throw RoostError(.invalidArgument, "\"\(path)\" is no path of a file below \(found.root.path)")
        }
        return found
    }
}
