import RoostBasics
internal import RoostTraffic

/// Who serves: from the rule of a function's origin to a route in force, by way of loaded templates.
extension Deployment {
    /// Moves a function's traffic to where its rule wants it, as soon as everybody there is loaded. Where nothing
    /// serves yet, also after a restart, nobody is better off waiting: the first request brings the template.
    mutating func reroute(_ name: FunctionName, at now: Instant) {
        guard hasListed else { return }
        reviewRollout(name, at: now)
        guard let function = functions[name] else { return }
        let wanted = function.wantedRoute
        guard wanted != function.route else { return }
        guard function.route != nil else { return apply(wanted, to: name, at: now) }
        var isLoaded = true
        for number in wanted?.versions ?? [] {
            switch function.versions[number]?.template ?? .absent {
            case .loaded: break
            case .loading: isLoaded = false
            case .absent:
                isLoaded = false
                functions[name]?.versions[number]?.template = .loading
                actions.append(.prepare(VersionID(name, number)))
            }
        }
        // Traffic leaves a rejected or failed version at once: requests wait for the load of the other.
        let mustLeave =
            function.route?.versions.contains { function.versions[$0]?.state.takesRequests != true } ?? false
        if isLoaded || mustLeave { apply(wanted, to: name, at: now) }
    }

    private mutating func apply(_ route: TrafficShares?, to name: FunctionName, at now: Instant) {
        guard let function = functions[name] else { return }
        let watch = watch(function, movesTo: route, at: now)
        functions[name]?.route = route
        functions[name]?.watch = watch
        // Who answers while the stable version is verified anew only stands in for it.
        // And who has proven itself has done so, also when nothing serves for a while.
        if function.liveRollout == nil, function.absence == nil, case .latest = function.origin, !function.awaitsStable
        {
            functions[name]?.stable = route?.leading
        }
        functions[name]?.moveSlots()
        actions.append(.route(name, route))
        for number in route?.versions ?? [] where function.versions[number]?.state != .serving {
            functions[name]?.versions[number]?.state = .serving
            functions[name]?.versions[number]?.warmUntil = nil
            functions[name]?.versions[number]?.answered = .init()
        }
        coolOff(function)
        for number in function.route?.versions ?? [] where route?[number] ?? 0 == 0 {
            leave(VersionID(name, number), at: now)
        }
        actions.append(.log("\(name) traffic \(route?.description ?? "none") (\(function.originWord))"))
        actions.append(
            .audit(
                AuditEntry(
                    name, by: function.originWord, "traffic", from: function.route?.description ?? "none",
                    to: route?.description ?? "none")))
    }

    /// Only who is superseded now stays warm, not a whole line of predecessors.
    private mutating func coolOff(_ before: FunctionDeployment) {
        for version in before.versions.values.sorted(by: { $0.id < $1.id }) where version.warmUntil != nil {
            guard let current = self[version.id], current.state != .serving else { continue }
            self[version.id]?.warmUntil = nil
            if current.state == .ready { release(version.id) }
        }
    }

    /// The version has lost its traffic.
    private mutating func leave(_ id: VersionID, at now: Instant) {
        guard let version = self[id] else { return }
        if version.state == .serving {
            self[id]?.state = .draining
            if !version.isFileGone, let function = functions[id.function], function.absence == nil {
                self[id]?.warmUntil = now + function.rollbackWindow
            }
        }
        actions.append(.drain(id))
    }

    /// Only a whole move up from one version to another, by the rule `latest`, is watched.
    private func watch(
        _ function: FunctionDeployment, movesTo route: TrafficShares?, at now: Instant
    ) -> FunctionDeployment.Guard? {
        // After a restart the guard that was there goes on.
        if function.route == nil, let watch = function.watch, function.origin == .latest,
            route?.versions == [watch.successor], function.versions[watch.stable]?.isAvailable == true
        {
            return watch
        }
        guard function.origin == .latest, function.rollbackWindow > .zero,
            let stable = function.route?.versions, stable.count == 1,
            let successor = route?.versions, successor.count == 1, successor[0] > stable[0],
            function.versions[stable[0]]?.isAvailable == true
        else { return nil }
        return .init(
            successor: successor[0], stable: stable[0], window: function.rollbackWindow, clock, at: now)
    }

    mutating func prepared(_ id: VersionID, at now: Instant) {
        guard let version = self[id], version.template == .loading else { return }
        self[id]?.template = .loaded
        if functions[id.function]?.liveRollout?.canary == id.number {
            tellRollout(id.function, at: now) { $0.canaryReady(at: now) }
        }
        reroute(id.function, at: now)
        // The rule may have changed its mind while this one was loading.
        let wanted = functions[id.function]?.wantedRoute?[id.number] ?? 0
        if wanted == 0, self[id]?.state != .serving, functions[id.function]?.liveRollout?.canary != id.number {
            release(id)
        }
    }

    mutating func prepareFailed(_ id: VersionID, _ reason: String, at now: Instant) {
        guard let version = self[id], version.template == .loading else { return }
        self[id]?.template = .absent
        // One that only drains has nothing to load for: it retires when it is done.
        guard version.isAvailable || version.state == .serving else { return }
        fail(id, "it was verified, but does not load any more: \(reason)")
        reroute(id.function, at: now)
    }

    mutating func unloaded(_ id: VersionID) {
        // Who serves without a template is loaded when somebody calls.
        if self[id] != nil { self[id]?.template = .absent }
    }

    // MARK: - The guard

    mutating func died(_ id: VersionID, _ reason: String, at now: Instant) {
        guard !canaryDied(id, reason, at: now), isWatched(id, at: now) else { return }
        giveBack(id, "an instance died within the rollback window: \(reason)", at: now)
    }

    mutating func quarantined(_ id: VersionID, _ reason: String, at now: Instant) {
        guard self[id]?.state.takesRequests == true else { return }
        giveBack(id, "quarantined: \(reason); `roost deploy \(id) --restart` lifts it", at: now)
    }

    mutating func answered(_ id: VersionID, _ requests: Int, _ errors: Int, at now: Instant) {
        guard let version = self[id], version.state == .serving else { return }
        self[id]?.answered.requests += requests
        self[id]?.answered.errors += errors
        guard isWatched(id, at: now), let watch = functions[id.function]?.watch, let successor = self[id]?.answered,
            let stable = functions[id.function]?.versions[watch.stable]?.answered
        else { return }
        if successor.requests >= settings.guardRequestsMin, successor.rate > stable.rate + settings.guardErrorMargin {
            giveBack(
                id,
                "\(successor.errors) errors in \(successor.requests) requests within the rollback window, "
                    + "the version before had \(stable.errors) in \(stable.requests)", at: now)
        }
    }

    private func isWatched(_ id: VersionID, at now: Instant) -> Bool {
        guard let function = functions[id.function], let watch = function.watch else { return false }
        return watch.successor == id.number && now < watch.until && function.origin == .latest
            && function.versions[watch.stable]?.isAvailable == true
    }

    private mutating func giveBack(_ id: VersionID, _ reason: String, at now: Instant) {
        reject(id, reason)
        actions.append(.audit(AuditEntry(id.function, id.number, by: "host", "rejected", reason: reason)))
        reroute(id.function, at: now)
    }

    mutating func reject(_ id: VersionID, _ reason: String) {
        self[id]?.state = .rejected(reason: reason)
        functions[id.function]?.watch = nil
        actions.append(.log("\(id) rejected: \(reason)"))
    }
}
