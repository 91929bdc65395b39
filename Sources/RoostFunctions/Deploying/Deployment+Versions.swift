internal import RoostBasics
internal import RoostJSON

/// From a copy in the store to a version that may serve, and to its end.
extension Deployment {
    mutating func copied(_ name: String, _ stamp: FileStamp, _ stored: StoredFile, at now: Instant) {
        guard let file = files[name], file.stamp == stamp, isCopying(file) else { return }
        guard file.phase == .copying else {
            files[name]?.copyAhead = .done(stored)
            return
        }
        accept(name, file, stored, at: now)
    }

    mutating func accept(_ name: String, _ file: DroppedFile, _ stored: StoredFile, at now: Instant) {
        switch DropName(name) {
        case .version(let id, _): accept(name, file, stored, as: id, at: now)
        case .unversioned(let function, _): accept(name, file, stored, nextOf: function, at: now)
        case .ignored, .note, .unparsable: preconditionFailure("\(name) is never copied")
        }
    }

    private mutating func accept(
        _ name: String, _ file: DroppedFile, _ stored: StoredFile, as id: VersionID, at now: Instant
    ) {
        if let present = self[id], present.state != .retired {
            if present.stored.digest == stored.digest {
                acceptAgain(name, file, id, at: now)
                return
            }
            // A rejected version whose file went is remembered only for its bytes.
            if present.state.isImmutable, !(present.isFileGone && !present.state.takesRequests) {
                let next = functions[id.function]?.nextNumber ?? id.number
                refuse(
                    name,
                    "\(id) exists with other bytes and versions are immutable: drop it as "
                        + "\(VersionID(id.function, next))")
                return
            }
        }
        add(id, name, file, stored, isNumberedByHost: false)
    }

    private mutating func accept(
        _ name: String, _ file: DroppedFile, _ stored: StoredFile, nextOf function: FunctionName, at now: Instant
    ) {
        let known = functions[function, default: FunctionDeployment(name: function)]
        let latest = known.versions.values
            .filter { $0.isNumberedByHost && $0.fileName == name && $0.state != .retired && !$0.isFileGone }
            .max { $0.id < $1.id }
        if let latest, latest.stored.digest == stored.digest {
            acceptAgain(name, file, latest.id, at: now)
        } else {
            add(VersionID(function, known.nextNumber), name, file, stored, isNumberedByHost: true)
        }
    }

    /// The same bytes once more: nothing new, but what failed is tried again.
    private mutating func acceptAgain(_ name: String, _ file: DroppedFile, _ id: VersionID, at now: Instant) {
        files[name]?.phase = .accepted
        guard var version = self[id] else { return }
        if version.fileName == name || version.isFileGone {
            version.fileName = name
            version.stamp = file.stamp
            version.isFileGone = false
        }
        if case .failed = version.state {
            version.state = .stored
            version.foundAt = file.since
        }
        self[id] = version
        if version.state == .stored { verify(id) } else { removeNote(name) }
        reroute(id.function, at: now)
    }

    private mutating func add(
        _ id: VersionID, _ name: String, _ file: DroppedFile, _ stored: StoredFile, isNumberedByHost: Bool
    ) {
        files[name]?.phase = .accepted
        var version = VersionDeployment(
            id: id, stored: stored, fileName: name, stamp: file.stamp, isNumberedByHost: isNumberedByHost,
            foundAt: file.since)
        version.allowsIncompatible = expectedIncompatible.remove(id) != nil
        self[id] = version
        functions[id.function]?.noteUse(of: id.number)
        verify(id)
        if let problem = functions[id.function]?.problem(of: version) { actions.append(.log("\(id): \(problem)")) }
    }

    mutating func verify(_ id: VersionID) {
        guard var version = self[id] else { return }
        version.state = .stored
        guard functions[id.function]?.problem(of: version) == nil else {
            self[id]?.state = .stored
            return
        }
        self[id]?.state = .verifying
        actions.append(.verify(id, version.stored))
    }

    /// After a restart: what was not verified, or by another build; and what has waited for its manifest.
    mutating func resumeVerifying() {
        for function in functions.values.sorted(by: { $0.name < $1.name }) {
            for version in function.versions.values.sorted(by: { $0.id < $1.id }) where version.state == .stored {
                verify(version.id)
            }
        }
    }

    mutating func verified(_ id: VersionID, _ digest: String, _ verification: Verification, at now: Instant) {
        guard let version = self[id], version.state == .verifying, version.stored.digest == digest else { return }
        if functions[id.function]?.manifestProblem != nil, version.verification == nil {
            self[id]?.state = .stored
            return
        }
        self[id]?.verification = verification
        removeNote(version.fileName)
        if !version.allowsIncompatible, let reason = incompatibility(of: id, verification) {
            self[id]?.state = .held(reason: reason)
            actions.append(.log("\(id) held: \(reason)"))
            actions.append(.audit(AuditEntry(id.function, id.number, by: "host", "held", reason: reason)))
            return
        }
        self[id]?.state = .ready
        let checked = verification.exampleCount == 0 ? " (0 examples: answers not checked)" : ""
        let took = UInt64((now - version.foundAt).milliseconds)
        actions.append(.log("\(id) ready in \(took) ms\(checked)"))
        actions.append(
            .audit(
                AuditEntry(
                    id.function, id.number, by: "host", "ready", reason: "digest \(digest)",
                    numbers: ["examples": .integer(verification.exampleCount)])))
        becameReady(id, at: now)
    }

    mutating func becameReady(_ id: VersionID, at now: Instant) {
        resumeRollout(id.function, at: now)
        // The first decides who gets the traffic, so it comes first.
        let isCanary = beginsRollout(id, at: now)
        reroute(id.function, at: now)
        guard let function = functions[id.function] else { return }
        if !isCanary, case .set(let shares) = function.origin, function.wantedRoute?[id.number] ?? 0 == 0 {
            actions.append(.log("\(id) takes no traffic: it is set to \(shares)"))
        }
        if let reason = function.absenceReason { actions.append(.log("\(id) takes no traffic: \(reason)")) }
        retireSuperseded(by: id, at: now)
    }

    private func incompatibility(of id: VersionID, _ verification: Verification) -> String? {
        guard let function = functions[id.function], let leading = function.leading, leading != id.number,
            let serving = function.versions[leading]?.verification,
            let difference = verification.signature.incompatibility(with: serving.signature)
        else { return nil }
        return "not compatible with \(VersionID(id.function, leading)), which serves: \(difference); "
            + "release it with --allow-incompatible"
    }

    mutating func verifyFailed(_ id: VersionID, _ digest: String, _ reason: String, at now: Instant) {
        guard let version = self[id], version.state == .verifying, version.stored.digest == digest else { return }
        fail(id, reason)
        resumeRollout(id.function, at: now)
        reroute(id.function, at: now)
    }

    mutating func fail(_ id: VersionID, _ reason: String) {
        guard let version = self[id] else { return }
        self[id]?.state = .failed(reason: reason)
        if !version.isFileGone { writeNote(version.fileName, reason) }
        actions.append(.log("\(id) failed: \(reason)"))
        actions.append(.audit(AuditEntry(id.function, id.number, by: "host", "failed", reason: reason)))
        reconsiderRefused(id)
    }

    mutating func markGoneVersions(present names: Set<String>, at now: Instant) {
        for function in functions.values.sorted(by: { $0.name < $1.name }) {
            for version in function.versions.values.sorted(by: { $0.id < $1.id })
            where !version.isFileGone && version.state != .retired && !names.contains(version.fileName) {
                fileGone(version.id, at: now)
            }
        }
    }

    /// Rejected versions stay known, so that the same bytes are not taken up again.
    private mutating func fileGone(_ id: VersionID, at now: Instant) {
        guard let version = self[id] else { return }
        self[id]?.isFileGone = true
        switch version.state {
        case .stored, .verifying, .failed, .held: retire(id)
        case .rejected:
            actions.append(.retire(id))
            reconsiderRefused(id)
        case .ready:
            self[id]?.state = .draining
            actions.append(.drain(id))
        case .serving: reroute(id.function, at: now)
        case .draining, .retired: break
        }
    }

    mutating func poolDrained(_ id: VersionID, at now: Instant) {
        guard let version = self[id] else { return }
        switch version.state {
        case .draining where version.isFileGone, .failed where version.isFileGone: retire(id)
        case .draining:
            self[id]?.state = .ready
            if version.warmUntil.map({ $0 <= now }) ?? true { release(id) }
        case .rejected, .failed: release(id)
        case .stored, .verifying, .ready, .serving, .retired, .held: break
        }
    }

    private mutating func retire(_ id: VersionID) {
        self[id]?.state = .retired
        self[id]?.template = .absent
        actions.append(.retire(id))
        actions.append(.log("\(id) retired"))
        actions.append(.audit(AuditEntry(id.function, id.number, by: "host", "retired", reason: "its file is gone")))
        reconsiderRefused(id)
        let retired = functions[id.function]?.versions.values.filter { $0.state == .retired }.map(\.id.number).sorted()
        for number in (retired ?? []).dropLast(settings.keep) { functions[id.function]?.versions[number] = nil }
    }

    /// A file that was refused because of this version's fixed bytes may be taken up now.
    private mutating func reconsiderRefused(_ id: VersionID) {
        for (name, file) in files {
            guard case .version(id, _) = DropName(name), case .refused = file.phase, !file.isConflict else { continue }
            files[name] = nil
            wantListing()
        }
    }

    /// Overwriting one file again and again must not keep every version that it ever was.
    private mutating func retireSuperseded(by id: VersionID, at now: Instant) {
        guard let function = functions[id.function], let newest = function.versions[id.number] else { return }
        guard newest.isNumberedByHost else { return }
        let superseded = function.versions.values.filter {
            $0.isNumberedByHost && $0.fileName == newest.fileName && $0.state == .ready && $0.warmUntil == nil
                && $0.id.number < id.number && function.route?[$0.id.number] ?? 0 == 0
        }
        for version in superseded.sorted(by: { $0.id < $1.id }).dropLast(settings.keep) {
            fileGone(version.id, at: now)
        }
    }
}
