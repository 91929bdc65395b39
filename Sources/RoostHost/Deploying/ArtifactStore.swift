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
        // A host that was killed in the middle of a copy begins it anew, under another name if the file has changed.
        for entry in try folder.list() where entry.name.hasSuffix(".partial") { try folder.remove(entry.name) }
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

    /// Reads a file again: what it looks like, and whether its bytes are still those of its name.
    /// - Throws: `conflict` when it changed meanwhile.
    func check(_ digest: SHA256Digest) throws(RoostError) -> (status: FileStatus, isRight: Bool) {
        let file = try FileDescriptor(reading: path(digest))
        let status = try file.status()
        let found: SHA256Digest
        do throws(ELFError) { found = try ByteSource(descriptor: file.number).digest() } catch {
            throw error.asRoostError
        }
        guard try file.status() == status else {
            throw RoostError(.conflict, "\(path(digest)) changed while it was read")
        }
        return (status, found == digest)
    }

    /// Removes a file that nothing refers to. Processes that have it mapped keep it.
    func remove(_ digest: SHA256Digest) throws(RoostError) { try folder.remove(digest.description) }

    /// A file of the store.
    struct Entry: Hashable, Sendable {
        let digest: SHA256Digest
        let bytes: Int
        /// The time of its copy in nanoseconds since 1970.
        let modified: Int64
    }

    func contents() throws(RoostError) -> [Entry] {
        try folder.list().compactMap { entry in
            SHA256Digest(hex: entry.name).map {
                Entry(digest: $0, bytes: entry.status.size, modified: entry.status.modified)
            }
        }
    }
}

/// What the store keeps of files that no version refers to: who drops the same file again, or the version before, finds
/// it there. However many versions come and go, they take so much of the disk and no more.
struct SparePolicy: Sendable {
    var seconds: Int64 = 24 * 3600
    var filesMax = 256
    var bytesMax = 1 << 30
    /// So young a file may be on its way to the version that it is for.
    var youngSeconds: Int64 = 60

    /// Those of unreferenced files that go, oldest first.
    func surplus(of files: [ArtifactStore.Entry], nowNS: Int64) -> [ArtifactStore.Entry] {
        var (count, bytes) = (0, 0)
        var surplus: [ArtifactStore.Entry] = []
        for file in files.sorted(by: { $0.modified > $1.modified }) {
            let age = (nowNS - file.modified) / 1_000_000_000
            guard age > youngSeconds else { continue }
            count += 1
            bytes += file.bytes
            if age > seconds || count > filesMax || bytes > bytesMax { surplus.append(file) }
        }
        return surplus.reversed()
    }
}
