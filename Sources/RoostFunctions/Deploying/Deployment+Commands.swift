public import RoostBasics
internal import RoostTraffic

/// What people ask for. Each says at once why it cannot be.
extension Deployment {
    /// `roost traffic credit 2=90 3=10`.
    /// - Throws: `.notFound` for an unknown function or version, `.conflict` for a version that cannot serve.
    public mutating func setTraffic(
        _ name: FunctionName, _ shares: TrafficShares, by who: String, at now: Instant
    ) throws(RoostError) -> [DeployAction] {
        let function = try known(name)
        try demandPresence(function)
        try demandNoRollout(function)
        for number in shares.versions {
            let version = try known(VersionID(name, number))
            guard version.isAvailable else {
                let why = version.state.reason.map { ": \($0)" } ?? ""
                throw RoostError(.conflict, "\(version.id) cannot take traffic, it is \(version.state.word)\(why)")
            }
        }
        functions[name]?.origin = .set(shares)
        if function.origin != .set(shares) { functions[name]?.watch = nil }
        note(name, by: who, "traffic_set", from: function.route?.description ?? "none", to: shares.description)
        reroute(name, at: now)
        return takeActions()
    }

    /// `roost traffic credit latest`.
    public mutating func followLatest(
        _ name: FunctionName, by who: String, at now: Instant
    ) throws(RoostError) -> [DeployAction] {
        let function = try known(name)
        try demandPresence(function)
        try demandNoRollout(function)
        note(name, by: who, "traffic_latest", from: function.route?.description ?? "none")
        functions[name]?.origin = .latest
        reroute(name, at: now)
        return takeActions()
    }

    /// `roost rollback credit`: leaves the newest version that has traffic, and marks it rejected.
    /// - Throws: `.conflict` when nothing serves or no other version could.
    public mutating func rollBack(
        _ name: FunctionName, by who: String, at now: Instant
    ) throws(RoostError) -> [DeployAction] {
        let function = try known(name)
        try demandPresence(function)
        if function.liveRollout != nil {
            return try steerRollout(name, at: now) { rollout throws(RoostError) in
                try rollout.abort(by: who, reason: "rolled back", at: now)
            }
        }
        guard let left = function.route?.versions.last else {
            throw RoostError(.conflict, "\(name) has no version that serves: nothing to roll back")
        }
        guard function.versions.values.contains(where: { $0.isAvailable && $0.id.number != left }) else {
            throw RoostError(.conflict, "\(name) has no other version that could serve: drop one, then roll back")
        }
        reject(VersionID(name, left), "rolled back")
        note(name, left, by: who, "rolled_back", from: function.route?.description ?? "none")
        reroute(name, at: now)
        return takeActions()
    }

    /// `roost deploy credit@3 --restart`: a rejected version may be chosen again, a failed one is tried again.
    public mutating func restart(_ id: VersionID, by who: String, at now: Instant) throws(RoostError) -> [DeployAction]
    {
        let version = try known(id)
        guard !version.isFileGone else { throw RoostError(.conflict, "the file of \(id) is gone: drop it again") }
        let state = version.state.word
        switch version.state {
        case .rejected:
            if version.verification?.hostBuild == settings.hostBuild {
                self[id]?.state = .ready
                becameReady(id, at: now)
            } else {
                self[id]?.allowsIncompatible = true
                verify(id)
            }
        case .failed: verify(id)
        case .stored, .verifying, .ready, .serving, .draining, .retired, .held:
            throw RoostError(
                .conflict, "\(id) is \(version.state.word): only a rejected or failed version is restarted")
        }
        note(id.function, id.number, by: who, "restarted", from: state)
        return takeActions()
    }

    /// `--allow-incompatible`: releases a held version, now or when it comes to be held.
    public mutating func allowIncompatible(_ id: VersionID, by who: String, at now: Instant) -> [DeployAction] {
        guard let version = self[id], version.state != .retired else {
            expectedIncompatible.insert(id)
            return takeActions()
        }
        self[id]?.allowsIncompatible = true
        if case .held = version.state {
            self[id]?.state = .ready
            note(
                id.function, id.number, by: who, "released", reason: "although callers of the serving version may fail")
            actions.append(.log("\(id) released, although callers of the serving version may fail"))
            becameReady(id, at: now)
        }
        return takeActions()
    }

    mutating func manifestChanged(_ name: FunctionName, _ manifest: Manifest, at now: Instant) {
        var function = functions[name] ?? FunctionDeployment(name: name)
        function.manifestProblem = nil
        function.rollbackWindow = manifest.rollbackWindow
        function.manifestTags = manifest.tags
        function.stickyKey = manifest.sticky
        if manifest.sticky == nil { function.slots = nil }
        function.moveSlots()
        function.plan = manifest.rollout
        // Whoever serves has proven itself as far as anybody has asked.
        if function.plan == nil, function.liveRollout == nil { function.stable = nil }
        if function.plan != nil, function.stable == nil { function.stable = function.leading }
        function.rollout?.manifestChanged(manifest.rollout)
        function.deferredManifest = nil
        if function.liveRollout != nil, function.manifestShares != manifest.traffic {
            function.deferredManifest = manifest
        } else if function.manifestShares != manifest.traffic {
            function.manifestShares = manifest.traffic
            function.origin = manifest.traffic == nil ? .latest : .manifest
        }
        functions[name] = function
        if hasListed { resumeVerifying() }
        reroute(name, at: now)
    }

    mutating func note(
        _ name: FunctionName, _ version: VersionNumber? = nil, by who: String, _ act: String, from: String = "",
        to: String = "", reason: String = ""
    ) {
        actions.append(.audit(AuditEntry(name, version, by: who, act, from: from, to: to, reason: reason)))
    }

    /// - Throws: `.notFound`, naming the functions that exist.
    public func known(_ name: FunctionName) throws(RoostError) -> FunctionDeployment {
        if let function = functions[name], !function.versions.isEmpty { return function }
        let names = functions.values.filter { !$0.versions.isEmpty }.map(\.name.text).sorted()
        throw RoostError(
            .notFound,
            "no function \"\(name)\" (there \(names.isEmpty ? "are none" : "is \(names.joined(separator: ", "))"))")
    }

    /// A version by its number or a tag.
    /// - Throws: `.notFound`, naming the functions, versions or tags that exist.
    public func known(_ name: FunctionName, _ version: String) throws(RoostError) -> VersionDeployment {
        try known(VersionID(name, try known(name).number(named: version)))
    }

    /// - Throws: `.notFound`, naming the versions that exist.
    public func known(_ id: VersionID) throws(RoostError) -> VersionDeployment {
        let function = try known(id.function)
        if let version = function.versions[id.number] { return version }
        let numbers = function.versions.keys.sorted().map(\.description).joined(separator: ", ")
        throw RoostError(.notFound, "no version \(id) (there is \(numbers))")
    }
}
