internal import RoostBasics
internal import RoostDelivery
internal import RoostELF
internal import RoostFiles
internal import RoostFunctions

/// The files of a file trigger, for its thread: all that waits for a disk.
struct FileWatchFolder: Sendable {
    /// The data folder.
    let root: Folder
    let trigger: FileTrigger

    private func place(_ path: DataPath) -> JobPlaces.Place { JobPlaces.Place(root: root, path: path.text) }
    private func folder(_ path: DataPath) -> Folder { path.text.isEmpty ? root : root.folder(path.text) }

    /// The folder, held open: no link leads the acts on it out of the data folder.
    private func hold(_ path: DataPath, makingMissing: Bool = false) throws(RoostError) -> HeldFolder {
        try HeldFolder(path.text, below: root, makingMissing: makingMissing)
    }

    /// The watched folder.
    var watched: Folder { folder(trigger.watch.folder) }

    /// Makes the watched folder, unless it is there.
    func prepare() -> RoostError? {
        do throws(RoostError) {
            _ = try hold(trigger.watch.folder, makingMissing: true)
            return nil
        } catch { return error }
    }

    func list() -> Result<[FileEntry], RoostError> {
        do throws(RoostError) {
            return .success(
                try watched.list().filter(\.status.isRegular).map {
                    FileEntry(name: $0.name, stamp: FileStamp($0.status))
                })
        } catch { return .failure(error) }
    }

    /// What a look at a file that stands still has shown.
    struct Look: Sendable {
        /// Afterwards; nil: it is gone.
        var stamp: FileStamp?
        var isBeingWritten: Bool?
        /// Where the file is to be left.
        var digest: String?
        /// Why it cannot be read.
        var error: RoostError?
    }

    func look(at entry: FileEntry) -> Look {
        var look = Look()
        do throws(RoostError) {
            let file = try FileDescriptor(reading: trigger.watch.folder.appending(entry.name).text, below: root)
            look.isBeingWritten = file.isBeingWritten
            if trigger.after == .leave, look.isBeingWritten != true {
                do throws(ELFError) { look.digest = try ByteSource(descriptor: file.number).digest().description } catch
                { throw error.asRoostError }
            }
            look.stamp = FileStamp(try file.status())
        } catch {
            guard error.code != .notFound else { return look }
            // A link, or a file that is not ours to read: its job will say so.
            look = Look(stamp: entry.stamp, isBeingWritten: false, error: error)
        }
        return look
    }

    /// A free name in the output folder for what becomes of this file.
    /// - Parameter inUse: outputs that are being written.
    /// - Throws: `conflict` when the file is not what it was, or gone.
    func output(for item: FileWatchItem, avoiding inUse: Set<JobPlaces.Place>) -> Result<String, RoostError> {
        do throws(RoostError) {
            guard isAsItWas(item) else {
                throw RoostError(.conflict, "\(item.path) is gone, or was changed before it was scored")
            }
            let wanted = place(trigger.output.appending(JobSpec(item, trigger, output: nil).outputName))
            let held = try wanted.holdFolder(makingMissing: true)
            return .success(
                try held.act { folder throws(RoostError) in
                    try NumberedName(wanted.name).first { (name) throws(RoostError) in
                        if inUse.contains(wanted.sibling(name)) { return true }
                        return try folder.status(of: name) != nil
                    }
                })
        } catch { return .failure(error) }
    }

    private func isAsItWas(_ item: FileWatchItem) -> Bool {
        guard let source = try? hold(item.folder) else { return false }
        return isAsItWas(item, in: source)
    }

    private func isAsItWas(_ item: FileWatchItem, in source: HeldFolder) -> Bool {
        let status = try? source.act { folder throws(RoostError) in try folder.status(of: item.name) }
        return status.map { FileStamp($0) } == item.stamp
    }

    /// What becomes of a file when its item has ended. Done again it changes nothing: what is not there any more, or is
    /// another file by now, stays as it is.
    /// - Parameter reason: why it could not be scored; nil: it was.
    func finish(_ item: FileWatchItem, _ reason: String?) -> RoostError? {
        guard case .move(let done, let failed) = trigger.after else { return nil }
        do throws(RoostError) {
            guard let source = try? hold(item.folder), isAsItWas(item, in: source) else { return nil }
            try move(item, from: source, to: try hold(reason == nil ? done : failed, makingMissing: true), reason)
            return nil
        } catch { return error }
    }

    private func move(
        _ item: FileWatchItem, from source: HeldFolder, to target: HeldFolder, _ reason: String?
    ) throws(RoostError) {
        let names = NumberedName(item.name)
        while true {
            let free = try target.act { folder throws(RoostError) in
                let free = try names.first { (name) throws(RoostError) in try folder.status(of: name) != nil }
                // The reason first: who finds the file finds the reason, also after a crash.
                if let reason { try folder.write(Array("\(reason)\n".utf8), to: "\(free).reason.txt") }
                return free
            }
            do throws(RoostError) {
                return try source.moveWithoutReplacing(item.name, to: target, as: free)
            } catch { guard error.code == .conflict else { throw error } }
        }
    }
}

extension JobSpec {
    /// The name of the output without its folder.
    fileprivate var outputName: String { String(outputPath.split(separator: "/").last ?? "") }
}
