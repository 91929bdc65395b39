internal import RoostBasics
internal import RoostFiles

/// The folder in which everything of one host lies.
struct Home {
    let root: Folder
    /// Where files are dropped.
    var plugins: Folder { root.folder("plugins") }
    /// Manifests, one per function, written by people.
    var functions: Folder { root.folder("functions") }
    /// What the host remembers; nothing in it is for people.
    var state: Folder { root.folder("state") }
    /// Input and output of jobs.
    var data: Folder { root.folder("data") }
    /// Runtimes that belong to this home.
    var runtimes: Folder { root.folder("runtimes") }
    private let lock: FileDescriptor

    /// Makes what is missing and takes the home for this process.
    /// - Throws: `conflict` when another host has it.
    init(_ path: String) throws(RoostError) {
        let folder = Folder(path)
        try folder.create()
        root = try folder.absolute()
        let state = root.folder("state")
        try state.create(mode: 0o700)
        lock = try FileDescriptor(lockFile: state.path("lock"))
        guard lock.lock() else {
            throw RoostError(.conflict, "another host serves \(root.path): stop it, or give this one another --home")
        }
        for folder in [plugins, functions, data] { try folder.create() }
    }
}
