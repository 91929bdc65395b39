internal import Glibc
public import RoostBasics

/// Why the last system call failed, in words.
private func reason() -> String {
    let code = errno
    var text = [CChar](repeating: 0, count: 128)
    guard unsafe strerror_r(code, &text, text.count) == 0 else { return "error \(code)" }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Not owned: whoever opened it closes it.
struct FileDescriptor {
    private static let slice = 1 << 18
    let raw: Int32

    init(_ raw: Int32) { self.raw = raw }

    /// Opens the file `path`; `act` is for the error: "read", "copy to".
    init(opening path: String, _ flags: Int32, mode: mode_t = 0, act: String) throws(RoostError) {
        raw = unsafe open(path, flags | O_CLOEXEC, mode)
        guard raw >= 0 else {
            throw RoostError(errno == ENOENT ? .notFound : .system, "\(act) \(path): \(reason())")
        }
    }

    func close() { _ = Glibc.close(raw) }

    func write(_ bytes: [UInt8], to name: String) throws(RoostError) {
        var done = 0
        while done < bytes.count {
            let written = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.write(raw, buffer.baseAddress?.advanced(by: done), buffer.count - done)
            }
            guard written >= 0 || errno == EINTR else { throw RoostError(.system, "write to \(name): \(reason())") }
            done += max(0, written)
        }
    }

    /// The next bytes, at most a slice; empty at the end.
    func readSlice(from name: String) throws(RoostError) -> [UInt8] {
        while true {
            var count = 0
            let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Self.slice) { buffer, initialized in
                count = unsafe read(raw, buffer.baseAddress, buffer.count)
                initialized = max(0, count)
            }
            if count >= 0 { return bytes }
            guard errno == EINTR else { throw RoostError(.system, "read \(name): \(reason())") }
        }
    }

    func readAll(from name: String) throws(RoostError) -> [UInt8] {
        var all: [UInt8] = []
        while true {
            let slice = try readSlice(from: name)
            if slice.isEmpty { return all }
            all += slice
        }
    }
}

/// What stands at a path.
public enum PathKind: Hashable, Sendable {
    case nothing
    case file
    case folder
    case socket
    case other

    public init(of path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else {
            self = .nothing
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: self = .file
        case S_IFDIR: self = .folder
        case S_IFSOCK: self = .socket
        default: self = .other
        }
    }
}

/// The whole file `path`.
public func readFile(_ path: String) throws(RoostError) -> [UInt8] {
    guard PathKind(of: path) != .folder else { throw RoostError(.invalidArgument, "read \(path): it is a folder") }
    let file = try FileDescriptor(opening: path, O_RDONLY, act: "read")
    defer { file.close() }
    return try file.readAll(from: path)
}

/// Copies the file `source` to `folder`/`name` so that nobody ever sees a part of it under that name: into a
/// temporary file of the same folder, synced, then renamed over what may be there. `seeing` gets every slice.
public func placeFile(
    _ source: String, in folder: String, as name: String, seeing: ([UInt8]) throws(RoostError) -> Void
) throws(RoostError) {
    guard PathKind(of: source) != .folder else {
        throw RoostError(.invalidArgument, "read \(source): it is a folder")
    }
    let input = try FileDescriptor(opening: source, O_RDONLY, act: "read")
    defer { input.close() }
    let temporary = "\(folder)/.\(name).\(getpid()).partial"
    let output = try FileDescriptor(opening: temporary, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644, act: "write")
    defer { output.close() }
    do throws(RoostError) {
        while case let slice = try input.readSlice(from: source), !slice.isEmpty {
            try output.write(slice, to: temporary)
            try seeing(slice)
        }
        guard fsync(output.raw) == 0 else { throw RoostError(.system, "sync \(temporary): \(reason())") }
        guard unsafe rename(temporary, "\(folder)/\(name)") == 0 else {
            throw RoostError(.system, "rename \(temporary) to \(name): \(reason())")
        }
    } catch {
        _ = unsafe unlink(temporary)
        throw error
    }
    let directory = try FileDescriptor(opening: folder, O_RDONLY | O_DIRECTORY, act: "sync")
    defer { directory.close() }
    _ = fsync(directory.raw)  // some file systems refuse it for folders; the rename itself has happened
}
