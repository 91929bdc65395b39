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

    /// Makes the folder of a file that is to be written, and makes sure that no link leads out of the root: before
    /// anything is made, so that nothing is made elsewhere.
    static func prepareFolder(of place: Place) throws(RoostError) {
        var known = place.root
        for part in place.path.split(separator: "/").dropLast() {
            guard try known.status(of: String(part)) != nil else { break }
            known = known.folder(String(part))
            try check(known, below: place.root)
        }
        try place.folder.create()
        try check(place.folder, below: place.root)
    }

    private static func check(_ folder: Folder, below root: Folder) throws(RoostError) {
        let real = try folder.absolute().path
        guard real == root.path || real.utf8.starts(with: "\(root.path)/".utf8) else {
            throw RoostError(
                .invalidArgument, "\(folder.path) leads out of \(root.path), to \(real): links are not followed")
        }
    }
}
