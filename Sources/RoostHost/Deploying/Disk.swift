internal import RoostBasics
internal import RoostELF
internal import RoostEvaluation
internal import RoostFiles
internal import RoostFunctions

/// What the disk threads report.
enum DiskNews: Sendable {
    case event(DeployEvent)
    case listingFailed(RoostError)
    /// How a stored file can be loaded, for probation.
    case read(VersionID, StoredFile, Result<[Artifact], RoostError>)
    /// The rows that a new version has to prove itself on.
    case gateRead(VersionID, Result<GateRows, RoostError>)
    /// Every manifest file with its content or what kept it from being read; or why nobody knows which there are.
    case manifests(Result<[String: Result<[UInt8], RoostError>], RoostError>)
    /// What a stored file looks like, and whether its bytes are those of its name; nil when it cannot be read.
    case checked(SHA256Digest, FileStatus?, isRight: Bool)
    /// The file is in the drop folder, or why not.
    case uploaded(Int, RoostError?)
    /// Nil: it worked.
    case done(RoostError?)
}

/// All reading and writing of files for deployments: nothing on the loop waits for a disk.
struct Disk: Sendable {
    let plugins: Folder
    let functions: Folder
    let data: Folder
    let reader: ArtifactReader
    let ledger: Ledger

    func listPlugins() -> DiskNews {
        do throws(RoostError) {
            let entries = try plugins.list().filter(\.status.isRegular).map { entry in
                FileEntry(name: entry.name, stamp: FileStamp(entry.status))
            }
            return .event(.folderListed(entries))
        } catch { return .listingFailed(error) }
    }

    func examine(_ file: String, _ stamp: FileStamp) -> DiskNews {
        let shape: FileShape
        do {
            let descriptor = try FileDescriptor(reading: plugins.path(file))
            switch try FileStructure.examine(ByteSource(descriptor: descriptor.number), fileName: file) {
            case .sealed: shape = .sealed
            case .whole: shape = .whole
            case .growing(let reason): shape = .growing(reason: reason)
            case .broken(let reason): shape = .broken(reason: reason)
            }
        } catch {
            // Gone or unreadable for now: the next listing tells.
            shape = .growing(reason: "\(error)")
        }
        return .event(.examined(file: file, stamp: stamp, shape))
    }

    func copy(_ file: String, _ stamp: FileStamp) -> DiskNews {
        do throws(RoostError) {
            let descriptor = try FileDescriptor(reading: plugins.path(file))
            guard FileStamp(try descriptor.status()) == stamp else {
                return .event(.changedDuringCopy(file: file, stamp: stamp))
            }
            let head = try descriptor.read(FileKind.headBytes, at: 0)
            let (digest, size) = try reader.store.take(plugins.path(file))
            let kind: StoredFile.Kind = FileKind(head: head) == .elf ? .plugin : .model
            return .event(
                .copied(file: file, stamp: stamp, StoredFile(digest: digest.description, size: size, kind: kind)))
        } catch {
            if error.code == .conflict || error.code == .notFound {
                return .event(.changedDuringCopy(file: file, stamp: stamp))
            }
            return .event(.copyFailed(file: file, stamp: stamp, reason: "it cannot be copied into the store: \(error)"))
        }
    }

    func check(_ digest: SHA256Digest) -> DiskNews {
        do throws(RoostError) {
            let (status, isRight) = try reader.store.check(digest)
            return .checked(digest, status, isRight: isRight)
        } catch { return .checked(digest, nil, isRight: false) }
    }

    func read(_ id: VersionID, _ stored: StoredFile) -> DiskNews {
        do throws(RoostError) {
            return .read(id, stored, .success(try reader.artifacts(stored, of: id)))
        } catch { return .read(id, stored, .failure(error)) }
    }

    static let gateBytesMax = 32 << 20

    /// Reads the rows of a gate, in the function's own folder or else in `data/`.
    func readGate(_ id: VersionID, _ policy: GatePolicy) -> DiskNews {
        do throws(RoostError) {
            let file = try gateFile(id.function, policy.data)
            let size = try file.status().size
            guard size <= Self.gateBytesMax else {
                throw RoostError(.tooLarge, "\(policy.data) has \(size) bytes, the limit is \(Self.gateBytesMax)")
            }
            let rows = try LabelledRows(
                csv: try file.read(size, at: 0), file: policy.data, label: policy.label, group: policy.group)
            return .gateRead(id, .success(GateRows(rows)))
        } catch { return .gateRead(id, .failure(error)) }
    }

    private func gateFile(_ function: FunctionName, _ path: String) throws(RoostError) -> FileDescriptor {
        for folder in [functions.folder(function.text), data] {
            do throws(RoostError) { return try FileDescriptor(reading: path, below: folder) } catch {
                guard error.code == .notFound else { throw error }
            }
        }
        throw RoostError(.notFound, "there is no file \(path) in functions/\(function)/ or data/")
    }

    func writeNote(_ file: String, _ reason: String) -> DiskNews {
        attempt { () throws(RoostError) in
            try plugins.write(Array("\(reason)\n".utf8), to: file + DropName.noteSuffix)
        }
    }

    func removeNote(_ file: String) -> DiskNews {
        attempt { () throws(RoostError) in try plugins.remove(file + DropName.noteSuffix) }
    }

    func write(_ file: UploadedFile) -> RoostError? {
        do throws(RoostError) {
            try file.write(into: plugins)
            return nil
        } catch { return error }
    }

    static let manifestBytesMax = 1 << 20

    func readManifests() -> DiskNews {
        var found: [String: Result<[UInt8], RoostError>] = [:]
        let entries: [(name: String, status: FileStatus)]
        do throws(RoostError) { entries = try functions.list() } catch {
            // Without the folder there is no manifest.
            return .manifests(error.code == .notFound ? .success([:]) : .failure(error))
        }
        for entry in entries where entry.status.isRegular && entry.name.hasSuffix(".json") {
            guard !entry.name.hasPrefix(".") else { continue }
            do throws(RoostError) {
                found[entry.name] = .success(try functions.read(entry.name, limit: Self.manifestBytesMax))
            } catch { found[entry.name] = .failure(error) }
        }
        return .manifests(.success(found))
    }

    /// Removes what no record refers to, unless it may come back: of that the newest stay, as far as `policy` lets them.
    func collect(keeping digests: Set<String>, _ policy: SparePolicy, nowNS: Int64) -> DiskNews {
        attempt { () throws(RoostError) in
            let spare = try reader.store.contents().filter { !digests.contains($0.digest.description) }
            for file in policy.surplus(of: spare, nowNS: nowNS) { try reader.store.remove(file.digest) }
        }
    }

    private func attempt(_ act: () throws(RoostError) -> Void) -> DiskNews {
        do throws(RoostError) {
            try act()
            return .done(nil)
        } catch { return .done(error) }
    }
}

extension FileStamp {
    init(_ status: FileStatus) {
        self.init(size: status.size, modifiedNS: Int(status.modified), inode: status.inode)
    }
}
