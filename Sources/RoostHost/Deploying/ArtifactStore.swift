internal import RoostBasics
internal import RoostELF
internal import RoostFiles

/// The folder of everything that was ever deployed and is still wanted, each file under the SHA-256 of its bytes.
///
/// Only these copies are mapped: whoever overwrites or deletes a dropped file cannot hurt a running version. Files are
/// read-only and never change. All calls belong on a thread that may wait for the disk.
struct ArtifactStore: Sendable {
    private let folder: Folder

    init(_ folder: Folder) throws(RoostError) {
        self.folder = folder
        try folder.create()
    }

    func path(_ digest: SHA256Digest) -> String { folder.path(digest.description) }
    func has(_ digest: SHA256Digest) -> Bool { ((try? folder.status(of: digest.description)) ?? nil) != nil }

    private static let sliceBytes = 8 << 20

    /// Copies a file in; afterwards it is on the disk for good.
    /// - Throws: `conflict` when the file changed while it was copied.
    func take(_ path: String) throws(RoostError) -> (digest: SHA256Digest, size: Int) {
        let source = try FileDescriptor(reading: path)
        let before = try source.status()
        let partial = ".\(before.inode)-\(before.modified).partial"
        try folder.remove(partial)
        do throws(RoostError) {
            let digest = try copy(source, before.size, to: partial)
            guard try source.status() == before else {
                throw RoostError(.conflict, "\(path) changed while it was copied")
            }
            try folder.rename(partial, to: digest.description)
            return (digest, before.size)
        } catch {
            try? folder.remove(partial)
            throw error
        }
    }

    private func copy(_ source: FileDescriptor, _ size: Int, to name: String) throws(RoostError) -> SHA256Digest {
        let target = try FileDescriptor(creating: folder.path(name))
        var digest = try SHA256()
        var offset = 0
        while offset < size {
            let slice = try source.read(min(Self.sliceBytes, size - offset), at: offset)
            guard !slice.isEmpty else { throw RoostError(.conflict, "the file shrank while it was copied") }
            try digest.update(slice)
            try target.write(slice.bytes)
            offset += slice.count
        }
        try target.makeReadOnly()
        try target.sync()
        return try digest.finish()
    }

    /// Removes a file that nothing refers to. Processes that have it mapped keep it.
    func remove(_ digest: SHA256Digest) throws(RoostError) { try folder.remove(digest.description) }

    /// Everything in the store, with the time of its copy in nanoseconds since 1970.
    func contents() throws(RoostError) -> [(digest: SHA256Digest, modified: Int64)] {
        try folder.list().compactMap { entry in
            SHA256Digest(hex: entry.name).map { ($0, entry.status.modified) }
        }
    }
}
