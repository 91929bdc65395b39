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

    /// The watched folder.
    var watched: Folder { folder(trigger.watch.folder) }

    /// Makes the watched folder, unless it is there.
    func prepare() -> RoostError? {
        do throws(RoostError) {
            try JobPlaces.prepareFolder(of: place(trigger.watch.folder.appending("x")))
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
            guard try isAsItWas(item) else {
                throw RoostError(.conflict, "\(item.path) is gone, or was changed before it was scored")
            }
            let wanted = place(trigger.output.appending(JobSpec(item, trigger, output: nil).outputName))
            let folder = wanted.folder
            try JobPlaces.prepareFolder(of: wanted)
            return .success(
                try NumberedName(wanted.name).first { (name) throws(RoostError) in
                    if inUse.contains(wanted.sibling(name)) { return true }
                    return try folder.status(of: name) != nil
                })
        } catch { return .failure(error) }
    }

    private func isAsItWas(_ item: FileWatchItem) throws(RoostError) -> Bool {
        try folder(item.folder).status(of: item.name).map { FileStamp($0) } == item.stamp
    }

    /// What becomes of a file when its item has ended. Done again it changes nothing: what is not there any more, or is
    /// another file by now, stays as it is.
    /// - Parameter reason: why it could not be scored; nil: it was.
    func finish(_ item: FileWatchItem, _ reason: String?) -> RoostError? {
        guard case .move(let done, let failed) = trigger.after else { return nil }
        do throws(RoostError) {
            guard try isAsItWas(item) else { return nil }
            let target = place((reason == nil ? done : failed).appending(item.name))
            try JobPlaces.prepareFolder(of: target)
            try move(item, to: target, reason)
            return nil
        } catch { return error }
    }

    private func move(_ item: FileWatchItem, to target: JobPlaces.Place, _ reason: String?) throws(RoostError) {
        let names = NumberedName(item.name)
        while true {
            let free = try names.first { (name) throws(RoostError) in try target.folder.status(of: name) != nil }
            // The reason first: who finds the file finds the reason, also after a crash.
            if let reason { try target.folder.write(Array("\(reason)\n".utf8), to: "\(free).reason.txt") }
            do throws(RoostError) {
                try root.renameWithoutReplacing(item.path.text, to: target.sibling(free).path)
                try target.folder.sync()
                return try folder(item.folder).sync()
            } catch { guard error.code == .conflict else { throw error } }
        }
    }
}

extension JobSpec {
    /// The name of the output without its folder.
    fileprivate var outputName: String { String(outputPath.split(separator: "/").last ?? "") }
}
