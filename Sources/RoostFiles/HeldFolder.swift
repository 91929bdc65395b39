internal import CRoost
internal import Glibc
public import RoostBasics

/// A folder below another one, held open: acts on it reach the very folder that was found, whatever becomes of its path.
///
/// For folders that others may write to. Between a check of a path and its use somebody may put a link in the place of
/// a folder; what was opened stays what it is.
public final class HeldFolder: Sendable {
    private let descriptor: FileDescriptor
    /// As people know it.
    private let shown: String

    /// Opens the folder `path` below `root`; links are followed as long as they stay below it.
    /// - Parameters:
    ///   - path: relative, without `.` and `..`; empty for `root` itself.
    ///   - makesMissing: makes it, and what is missing on the way.
    /// - Throws: `notFound`; `invalidArgument` when it leads out of `root`, or is no folder.
    public init(_ path: String, below root: Folder, makingMissing makesMissing: Bool = false) throws(RoostError) {
        shown = path.isEmpty ? root.path : root.path(path)
        let base = unsafe Glibc.open(root.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard base >= 0 else { throw .failed("open folder \(root.path)") }
        let root = FileDescriptor(adopting: base)
        var found = Self.open(path, below: root)
        if found < 0, errno == ENOENT, makesMissing {
            Self.makeMissing(path, below: root)
            found = Self.open(path, below: root)
        }
        guard found >= 0 else {
            if errno == EXDEV || errno == ELOOP {
                throw RoostError(.invalidArgument, "\(shown) leads out of its root by a link, which is not followed")
            }
            throw .failed("open folder \(shown)")
        }
        descriptor = FileDescriptor(adopting: found)
    }

    private static func open(_ path: String, below root: FileDescriptor) -> Int32 {
        unsafe roost_open_folder_beneath(root.number, path.isEmpty ? "." : path)
    }

    /// Each part in the folder that was just found, never by a path that may have changed. What cannot be made is
    /// missing afterwards.
    private static func makeMissing(_ path: String, below root: FileDescriptor) {
        var parent = root
        var known = ""
        for part in path.split(separator: "/") {
            known += known.isEmpty ? "\(part)" : "/\(part)"
            var next = open(known, below: root)
            if next < 0, errno == ENOENT {
                guard unsafe mkdirat(parent.number, String(part), 0o755) == 0 || errno == EEXIST else { return }
                next = open(known, below: root)
            }
            guard next >= 0 else { return }
            parent = FileDescriptor(adopting: next)
        }
        withExtendedLifetime(parent) {}
    }

    /// Lets `body` act on the folder by a path that is good as long as this call; its errors name the folder as people
    /// know it.
    public func act<Value>(_ body: (Folder) throws(RoostError) -> Value) throws(RoostError) -> Value {
        defer { withExtendedLifetime(self) {} }
        let path = "/proc/self/fd/\(descriptor.number)"
        do throws(RoostError) { return try body(Folder(path)) } catch {
            throw RoostError(error.code, error.message.replacing(path, with: shown))
        }
    }

    /// Moves a file from here to another folder, unless something there has the new name, and makes that last.
    /// - Throws: `conflict` when the name is taken.
    public func moveWithoutReplacing(_ name: String, to other: HeldFolder, as new: String) throws(RoostError) {
        let from = "/proc/self/fd/\(descriptor.number)/\(name)"
        let to = "/proc/self/fd/\(other.descriptor.number)/\(new)"
        defer { withExtendedLifetime((self, other)) {} }
        guard unsafe roost_rename_new(from, to) == 0 else {
            if errno == EEXIST { throw RoostError(.conflict, "\(other.shown)/\(new) is there already") }
            throw .failed("move \(shown)/\(name) to \(other.shown)/\(new)")
        }
        try other.act { folder throws(RoostError) in try folder.sync() }
        try act { folder throws(RoostError) in try folder.sync() }
    }
}
