import RoostBasics

/// From a listing to a copy in the store.
extension Deployment {
    mutating func folderListed(_ entries: [FileEntry], at now: Instant) {
        let isFirst = !hasListed
        hasListed = true
        isListingWanted = false
        notes = []
        var present: [FileEntry] = []
        var conflicts: [VersionID: [String]] = [:]
        for entry in entries.sorted(by: { $0.name < $1.name }) {
            switch DropName(entry.name) {
            case .ignored: continue
            case .note(let file): notes.insert(file)
            case .unparsable(let reason):
                files[entry.name] = DroppedFile(stamp: entry.stamp, phase: .refused(reason: reason), since: now)
                present.append(entry)
            case .version(let id, _):
                functions[id.function, default: FunctionDeployment(name: id.function)].noteUse(of: id.number)
                conflicts[id, default: []].append(entry.name)
                present.append(entry)
            case .unversioned: present.append(entry)
            }
        }
        let names = Set(present.map(\.name))
        for name in files.keys.sorted() where !names.contains(name) { files[name] = nil }
        for name in notes.sorted() where !names.contains(name) && DropName(name).function != nil { removeNote(name) }
        markGoneVersions(present: names, at: now)
        for entry in present where DropName(entry.name).function != nil { see(entry, conflicts, at: now) }
        resumeVerifying()
        for name in functions.names.sorted() {
            if isFirst { resumeRollout(name, at: now) }
            reroute(name, at: now)
        }
    }

    private mutating func see(_ entry: FileEntry, _ conflicts: [VersionID: [String]], at now: Instant) {
        if case .version(let id, _) = DropName(entry.name), let rivals = conflicts[id], rivals.count > 1 {
            let reason = "\(rivals.joined(separator: " and ")) are both \(id): remove all but one"
            if files[entry.name]?.phase != .refused(reason: reason) {
                files[entry.name] = DroppedFile(
                    stamp: entry.stamp, phase: .settling(shape: nil), since: now, isConflict: true)
                refuse(entry.name, reason)
            }
            return
        }
        if let file = files[entry.name], file.stamp == entry.stamp, !file.isConflict {
            standsStill(entry.name, file, at: now)
        } else if let version = version(from: entry) {
            files[entry.name] = DroppedFile(stamp: entry.stamp, phase: .accepted, since: now)
            self[version]?.isFileGone = false
            answer(for: version)
        } else {
            files[entry.name] = DroppedFile(stamp: entry.stamp, phase: .settling(shape: nil), since: now)
            actions.append(.examine(file: entry.name, stamp: entry.stamp))
        }
    }

    /// The version that was made from exactly this file; of those made by overwriting one, only the latest.
    private func version(from entry: FileEntry) -> VersionID? {
        guard let name = DropName(entry.name).function, let function = functions[name] else { return nil }
        let latest = function.versions.values
            .filter { $0.fileName == entry.name && $0.state != .retired }
            .max { $0.id < $1.id }
        return latest?.stamp == entry.stamp ? latest?.id : nil
    }

    /// A listing has shown the same stamp again.
    private mutating func standsStill(_ name: String, _ file: DroppedFile, at now: Instant) {
        guard let dueAt = settleTime(of: file), dueAt <= now, case .settling(let shape?) = file.phase else { return }
        switch shape {
        case .sealed, .whole:
            switch file.copyAhead {
            case .none: startCopy(name, file)
            case .running: files[name]?.phase = .copying
            case .done(let stored): accept(name, file, stored, at: now)
            }
        case .growing(let reason), .broken(let reason):
            if file.isConfirmed {
                refuse(name, reason)
            } else {
                files[name]?.isConfirmed = true
                files[name]?.phase = .settling(shape: nil)
                actions.append(.examine(file: name, stamp: file.stamp))
            }
        }
    }

    /// When a file that has been examined may be decided upon.
    func settleTime(of file: DroppedFile) -> Instant? {
        guard case .settling(let shape?) = file.phase else { return nil }
        switch shape {
        case .sealed: return file.since
        case .whole, .broken: return file.since + settings.settle
        case .growing: return file.since + (file.isConfirmed ? settings.growingPatience : settings.settle)
        }
    }

    /// When a file that is whole may be copied although it has not settled.
    func copyAheadTime(of file: DroppedFile) -> Instant? {
        guard file.phase == .settling(shape: .whole), file.copyAhead == .none,
            file.stamp.size <= settings.copyAheadBytesMax
        else { return nil }
        return file.since + settings.copyAhead
    }

    mutating func examined(_ name: String, _ stamp: FileStamp, _ shape: FileShape, at now: Instant) {
        guard let file = files[name], file.stamp == stamp, file.phase == .settling(shape: nil) else { return }
        files[name]?.phase = .settling(shape: shape)
        if shape == .sealed { startCopy(name, file) }
    }

    mutating func startCopy(_ name: String, _ file: DroppedFile) {
        files[name]?.phase = .copying
        actions.append(.copy(file: name, stamp: file.stamp))
    }

    mutating func changedDuringCopy(_ name: String, _ stamp: FileStamp, at now: Instant) {
        guard let file = files[name], file.stamp == stamp, isCopying(file) else { return }
        files[name]?.phase = .settling(shape: nil)
        files[name]?.copyAhead = .none
        files[name]?.since = now
        actions.append(.examine(file: name, stamp: stamp))
        wantListing()
    }

    mutating func copyFailed(_ name: String, _ stamp: FileStamp, _ reason: String, at now: Instant) {
        guard let file = files[name], file.stamp == stamp, isCopying(file) else { return }
        files[name]?.copyAhead = .none
        refuse(name, reason)
        files[name]?.retryAt = now + settings.copyRetry
    }

    func isCopying(_ file: DroppedFile) -> Bool { file.phase == .copying || file.copyAhead == .running }

    /// The folder answers: `credit@3.so.failed` says why.
    mutating func refuse(_ name: String, _ reason: String) {
        files[name]?.phase = .refused(reason: reason)
        writeNote(name, reason)
        actions.append(.log("\(name) failed: \(reason)"))
    }

    mutating func writeNote(_ name: String, _ reason: String) {
        notes.insert(name)
        actions.append(.writeNote(file: name, reason: reason))
    }

    mutating func removeNote(_ name: String) {
        guard notes.remove(name) != nil else { return }
        actions.append(.removeNote(file: name))
    }

    /// Makes the note beside a version's file agree with its state.
    mutating func answer(for id: VersionID) {
        guard let version = self[id] else { return }
        if case .failed(let reason) = version.state {
            if !notes.contains(version.fileName) { writeNote(version.fileName, reason) }
        } else {
            removeNote(version.fileName)
        }
    }
}
