public import RoostBasics
internal import RoostJSON
public import RoostTraffic

/// Rollouts: what happens to their versions goes into the machine of `RoostTraffic`, and what that decides into routes,
/// states and records. One record of a function holds all of it, so that no crash can tear it apart.
extension Deployment {
    // MARK: beginning

    /// Whether the version, which has just become ready, comes to traffic by a rollout; begins or queues that.
    mutating func beginsRollout(_ id: VersionID, at now: Instant) -> Bool {
        guard let function = functions[id.function], let stable = function.route?.leading, id.number > stable,
            // It is back, and was proven before.
            id.number != function.stable
        else { return false }
        let isExpected = function.expectsCanary
        functions[id.function]?.expectsCanary = false
        if function.liveRollout != nil {
            tellRollout(id.function, at: now) { $0.newerVersion(id.number, at: now) }
            return true
        }
        guard case .latest = function.origin else {
            guard isExpected, function.origin.holdsOneVersion else { return false }
            begin(id, against: stable, by: "deploy", at: now)
            return true
        }
        guard function.plan != nil || isExpected else { return false }
        begin(id, against: stable, by: isExpected ? "deploy" : "plan", at: now)
        return true
    }

    private mutating func begin(_ id: VersionID, against stable: VersionNumber, by who: String, at now: Instant) {
        guard let function = functions[id.function] else { return }
        let plan = function.plan ?? function.rollout?.plan ?? .standard()
        functions[id.function]?.rollout = Rollout(canary: id.number, stable: stable, plan: plan, at: now)
        functions[id.function]?.evidence = nil
        functions[id.function]?.isBeingObserved = false
        functions[id.function]?.isResumed = true
        tellRollout(id.function, at: now) { $0.started(by: who, at: now) }
        loadCanary(id, at: now)
    }

    /// The canary answers nobody before its template is there.
    private mutating func loadCanary(_ id: VersionID, at now: Instant) {
        switch self[id]?.template ?? .absent {
        case .loaded: tellRollout(id.function, at: now) { $0.canaryReady(at: now) }
        case .loading: break
        case .absent:
            self[id]?.template = .loading
            actions.append(.prepare(id))
        }
    }

    /// After a restart: what was asked and not answered is asked again, counting goes on. Another build of the host
    /// proves both versions again before that.
    mutating func resumeRollout(_ name: FunctionName, at now: Instant) {
        guard let function = functions[name], !function.isResumed, let rollout = function.liveRollout,
            !function.isBeingProven(rollout.canary), !function.isBeingProven(rollout.stable)
        else { return }
        functions[name]?.isResumed = true
        reviewRollout(name, at: now)
        guard functions[name]?.liveRollout != nil else { return }
        if rollout.stratum > 0 { collect(name, from: function.evidence ?? Evidence()) }
        tellRollout(name, at: now) { $0.restored(at: now) }
        loadCanary(VersionID(name, rollout.canary), at: now)
    }

    // MARK: news

    /// Tells the rollout something, and does what follows.
    mutating func tellRollout(
        _ name: FunctionName, at now: Instant, _ news: (inout Rollout) -> [RolloutAction]
    ) {
        guard var rollout = functions[name]?.rollout else { return }
        let decided = news(&rollout)
        functions[name]?.rollout = rollout
        perform(decided, name, at: now)
    }

    mutating func observed(_ name: FunctionName, _ evidence: Evidence, at now: Instant) {
        functions[name]?.isBeingObserved = false
        guard let rollout = functions[name]?.liveRollout else { return }
        functions[name]?.evidence = evidence
        let verdict = Analysis.judge(evidence, rollout.plan.analysis, nextShare: rollout.nextShare)
        tellRollout(name, at: now) { $0.tick(verdict, samples: evidence.canary.requests, at: now) }
    }

    /// Whoever is due to be looked at is looked at: before there is any evidence, at once.
    mutating func lookAtRollouts(at now: Instant) {
        for name in functions.names.sorted() {
            guard let function = functions[name], function.isResumed, !function.isBeingObserved,
                let rollout = function.liveRollout,
                rollout.wakeAt.map({ $0 <= now }) == true
            else { continue }
            guard rollout.stratum > 0 else {
                tellRollout(name, at: now) { $0.tick(Verdict([]), samples: 0, at: now) }
                continue
            }
            functions[name]?.isBeingObserved = true
            actions.append(.observe(name))
        }
    }

    /// One of its versions may not be able to answer any more.
    mutating func reviewRollout(_ name: FunctionName, at now: Instant) {
        guard let function = functions[name], function.isResumed, let rollout = function.liveRollout else { return }
        if function.versions[rollout.canary]?.isAvailable != true {
            let why = function.versions[rollout.canary].map(Self.whyNot) ?? "it is gone"
            return tellRollout(name, at: now) { $0.canaryLost(why, at: now) }
        }
        guard function.versions[rollout.stable]?.isAvailable != true else { return }
        let why = function.versions[rollout.stable].map(Self.whyNot) ?? "it is gone"
        let others = function.versions.values.filter { $0.isAvailable && $0.id.number < rollout.canary }
        tellRollout(name, at: now) { $0.stableLost(why, replacement: others.map(\.id.number).max(), at: now) }
    }

    private static func whyNot(_ version: VersionDeployment) -> String {
        version.isFileGone
            ? "its file is gone" : "it is \(version.state.word)\(version.state.reason.map { ": \($0)" } ?? "")"
    }

    mutating func canaryDied(_ id: VersionID, _ reason: String, at now: Instant) -> Bool {
        guard let rollout = functions[id.function]?.liveRollout, rollout.canary == id.number else { return false }
        tellRollout(id.function, at: now) { $0.died(reason, at: now) }
        return true
    }

    // MARK: doing

    private mutating func perform(_ decided: [RolloutAction], _ name: FunctionName, at now: Instant) {
        guard !decided.isEmpty, let rollout = functions[name]?.rollout else { return }
        for action in decided {
            switch action {
            case .setShares: break  // the route follows from the rollout's state, below
            case .collect(_, let anew):
                if anew || functions[name]?.evidence == nil {
                    functions[name]?.comparedSince = clock.unixSeconds(at: now)
                    collect(name, from: Evidence())
                } else {
                    functions[name]?.evidence?.beginStratum()
                    collect(name, from: nil)
                }
            case .startReplay(let call):
                actions.append(.replay(name, canary: rollout.canary, stable: rollout.stable, call: call))
            case .callGate(let call): actions.append(.callGate(name, call))
            case .audit(let decision): note(decision, name, rollout)
            case .reject(let number, let reason):
                // What has failed stays failed, and what is gone is gone.
                let id = VersionID(name, number)
                if self[id]?.state.takesRequests == true { reject(id, reason) }
            case .promoted:
                functions[name]?.stable = rollout.canary
                if case .set = functions[name]?.origin { functions[name]?.origin = .set(.init(all: rollout.canary)) }
            case .startQueued(let number): beginQueued(VersionID(name, number), after: rollout, at: now)
            }
        }
        if rollout.state.isFinal { ended(name, at: now) }
        reroute(name, at: now)
    }

    private mutating func collect(_ name: FunctionName, from evidence: Evidence?) {
        guard let rollout = functions[name]?.rollout else { return }
        if let evidence {
            functions[name]?.evidence = evidence
            // What was asked about the comparison before is not answered any more.
            functions[name]?.isBeingObserved = false
        }
        actions.append(
            .collect(
                name,
                Collection(
                    canary: rollout.canary, stable: rollout.stable, evidence: evidence,
                    since: functions[name]?.comparedSince ?? 0)))
    }

    private mutating func beginQueued(_ id: VersionID, after rollout: Rollout, at now: Instant) {
        let stable = if case .promoted = rollout.state { rollout.canary } else { rollout.stable }
        guard self[id]?.isAvailable == true, id.number > stable else { return }
        actions.append(.stopCollecting(id.function))
        begin(id, against: stable, by: "queue", at: now)
    }

    private mutating func ended(_ name: FunctionName, at now: Instant) {
        guard functions[name]?.liveRollout == nil else { return }
        functions[name]?.evidence = nil
        functions[name]?.isBeingObserved = false
        actions.append(.stopCollecting(name))
        guard let manifest = functions[name]?.deferredManifest else { return }
        functions[name]?.deferredManifest = nil
        manifestChanged(name, manifest, at: now)
    }

    private mutating func note(_ decision: RolloutDecision, _ name: FunctionName, _ rollout: Rollout) {
        actions.append(
            .audit(
                AuditEntry(
                    name, rollout.canary, by: decision.who, "rollout_\(decision.kind.rawValue)",
                    from: "\(decision.from) %", to: "\(decision.to) %", reason: decision.reason,
                    numbers: decision.numbers)))
        let words = decision.kind.rawValue.split(separator: "_").joined(separator: " ")
        actions.append(
            .log("\(name) rollout of \(rollout.canary) \(words), \(decision.to) %: \(decision.reason)"))
    }
}

// MARK: - Commands

extension Deployment {
    /// `roost rollout start credit@3`.
    /// - Throws: `.notFound`; `.conflict` saying what stands against it.
    public mutating func startRollout(
        _ id: VersionID, by who: String, at now: Instant
    ) throws(RoostError) -> [DeployAction] {
        let version = try known(id), function = try known(id.function)
        if let rollout = function.liveRollout {
            throw RoostError(
                .conflict,
                "a rollout of \(VersionID(id.function, rollout.canary)) is under way: promote or abort that first")
        }
        guard version.isAvailable else {
            let remedy =
                if case .rejected = version.state { "; `roost deploy \(id) --restart` lifts that" } else { "" }
            throw RoostError(.conflict, "\(id) cannot take traffic: \(Self.whyNot(version))\(remedy)")
        }
        if case .manifest = function.origin {
            throw RoostError(
                .conflict, "the manifest of \(id.function) says how traffic is shared: remove its \"traffic\" first")
        }
        guard let route = function.route, let stable = route.versions.first, route.versions.count == 1 else {
            throw RoostError(
                .conflict,
                "traffic of \(id.function) is \(function.route?.description ?? "none"): give one version all of it first"
            )
        }
        guard stable != id.number else { throw RoostError(.conflict, "\(id) has all traffic already") }
        guard stable < id.number else {
            throw RoostError(
                .conflict, "\(id) is older than \(VersionID(id.function, stable)), which serves: use `roost traffic`")
        }
        begin(id, against: stable, by: who, at: now)
        return takeActions()
    }

    /// `roost deploy --canary`: the function's next version that becomes ready beside one that serves comes by a
    /// rollout, also without a plan.
    public mutating func expectCanary(_ name: FunctionName) -> [DeployAction] {
        functions[name, default: FunctionDeployment(name: name)].expectsCanary = true
        return takeActions()
    }

    /// `roost rollout promote | abort | pause | resume`.
    /// - Throws: `.notFound`; `.conflict` when there is no rollout, or it is not of that mind.
    public mutating func steerRollout(
        _ name: FunctionName, at now: Instant, _ steer: (inout Rollout) throws(RoostError) -> [RolloutAction]
    ) throws(RoostError) -> [DeployAction] {
        guard var rollout = try known(name).rollout else {
            throw RoostError(.conflict, "\(name) has no rollout: begin one with `roost rollout start \(name)@VERSION`")
        }
        let decided = try steer(&rollout)
        functions[name]?.rollout = rollout
        perform(decided, name, at: now)
        return takeActions()
    }

    /// What stands against a change of traffic by hand.
    func demandNoRollout(_ function: FunctionDeployment) throws(RoostError) {
        guard let rollout = function.liveRollout else { return }
        throw RoostError(
            .conflict,
            "a rollout of \(VersionID(function.name, rollout.canary)) decides about traffic: promote or abort it first")
    }
}

extension TrafficOrigin {
    /// Set by hand, to one version: a rollout may start from there.
    var holdsOneVersion: Bool { if case .set(let shares) = self { shares.versions.count == 1 } else { false } }
}
