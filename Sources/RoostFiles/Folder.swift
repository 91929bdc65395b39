internal import CRoost
internal import Glibc
public import RoostBasics

/// A folder and the acts on its files.
public struct Folder: Hashable, Sendable {
    public let path: String

    public init(_ path: String) { self.path = path }

    /// The path of something inside.
    public func path(_ name: String) -> String { "\(path)/\(name)" }
    public func folder(_ name: String) -> Folder { Folder(path(name)) }

    /// Makes it, and what lies above it, unless it is there.
    public func create(mode: UInt32 = 0o755) throws(RoostError) {
        var made = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            made += "/\(part)"
            if unsafe mkdir(made, mode) != 0 && errno != EEXIST { throw .failed("create folder \(made)") }
        }
        guard try status(of: ".").map({ !$0.isRegular }) == true else {
            throw RoostError(.invalidArgument, "\(path) is not a folder")
        }
    }

    /// Nil when nothing of that name is there.
    public func status(of name: String) throws(RoostError) -> FileStatus? {
        var raw = stat()
        if unsafe stat(path(name), &raw) == 0 { return FileStatus(raw) }
        if errno == ENOENT { return nil }
        throw .failed("stat \(path(name))")
    }

    /// Every entry with its status, in no order; what vanishes meanwhile is left out.
    public func list() throws(RoostError) -> [(name: String, status: FileStatus)] {
        guard let stream = unsafe opendir(path) else { throw .failed("list \(path)") }
        defer { unsafe closedir(stream) }
        var found: [(name: String, status: FileStatus)] = []
        while let entry = unsafe readdir(stream) {
            let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name == "." || name == ".." { continue }
            if let status = try? status(of: name) { found.append((name, status)) }
        }
        return found
    }

    /// The whole file, refused above `limit` bytes.
    public func read(_ name: String, limit: Int) throws(RoostError) -> [UInt8] {
        let file = try FileDescriptor(reading: path(name))
        let size = try file.status().size
        guard size <= limit else {
            throw RoostError(.tooLarge, "\(path(name)) has \(size) bytes, the limit is \(limit)")
        }
        return try file.read(size, at: 0)
    }

    /// Replaces or makes the file so that no reader ever sees half of it, also after a crash.
    public func write(_ bytes: [UInt8], to name: String) throws(RoostError) {
        let hidden = ".\(name).partial"
        try? remove(hidden)
        let file = try FileDescriptor(creating: path(hidden))
        try file.write(bytes.bytes)
        try file.sync()
        try rename(hidden, to: name)
    }

    /// Gives a file another name, replacing what had it, and makes that last.
    public func rename(_ name: String, to new: String) throws(RoostError) {
        guard unsafe Glibc.rename(path(name), path(new)) == 0 else { throw .failed("rename \(path(name)) to \(new)") }
        try sync()
    }

    /// Gives a file another name, unless something has it, and makes that last.
    /// - Throws: `conflict` when the name is taken.
    public func renameWithoutReplacing(_ name: String, to new: String) throws(RoostError) {
        guard unsafe roost_rename_new(path(name), path(new)) == 0 else {
            if errno == EEXIST { throw RoostError(.conflict, "\(path(new)) is there already") }
            throw .failed("rename \(path(name)) to \(new)")
        }
        try sync()
    }

    /// Removes a file; fine when it is not there.
    public func remove(_ name: String) throws(RoostError) {
        if unsafe unlink(path(name)) != 0 && errno != ENOENT { throw .failed("remove \(path(name))") }
    }

    /// Removes an empty folder inside; fine when it is not there.
    public func removeFolder(_ name: String) throws(RoostError) {
        if unsafe rmdir(path(name)) != 0 && errno != ENOENT { throw .failed("remove folder \(path(name))") }
    }

    /// Returns when names have reached the disk.
    public func sync() throws(RoostError) {
        let number = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard number >= 0 else { throw .failed("open \(path)") }
        defer { close(number) }
        guard fsync(number) == 0 else { throw .failed("fsync \(path)") }
    }

    /// The absolute path, links resolved.
    public func absolute() throws(RoostError) -> Folder {
        guard let resolved = unsafe realpath(path, nil) else { throw .failed("find \(path)") }
        defer { unsafe free(resolved) }
        return Folder(unsafe String(cString: resolved))
    }
}
