internal import RoostBasics
internal import RoostFunctions
internal import RoostLoop
internal import RoostPool
internal import RoostScaling
internal import RoostTraffic

/// The machine's actions on what runs, and what it has to hear of that.
extension Deploying {
    /// The running side of a version that may take requests; made when it is first wanted.
    func service(_ id: VersionID) -> VersionService? {
        if let service = serving.services[id] {
            // The machine lets requests in again: somebody has restarted it.
            if service.pool.isQuarantined, takesRequests(id) { service.pool.liftQuarantine() }
            return service
        }
        guard let artifact = artifact(id) else { return nil }
        let manifest = manifests[id.function]
        let service = VersionService(
            id, artifact, pool: PoolSettings(manifest, cores: options.cores), load: LoadSettings(manifest), on: serving)
        service.patience = manifest.batch.maxDelay
        setRecording(service, manifest)
        service.threshold = manifest.threshold ?? .nan
        service.watch(by: watches[id.function])
        serving.add(service)
        serving.places.weigh(.version(id), manifest.weight)
        return service
    }

    /// The version that a request names, if it may take requests.
    func addressed(_ id: VersionID) -> VersionService? {
        takesRequests(id) ? service(id) : nil
    }

    private func takesRequests(_ id: VersionID) -> Bool {
        guard let function = machine.functions[id.function], function.absence == nil else { return false }
        return function.versions[id.number]?.state.takesRequests == true
    }

    func apply(_ manifest: Manifest, to service: VersionService) {
        service.pool.settings = PoolSettings(manifest, cores: options.cores)
        // Whoever is compared does not pay for starts more often for having fewer requests.
        if service.isCanary, service.pool.settings.instancesMin == 0 { service.pool.settings.instancesMin = 1 }
        service.loadSettings = LoadSettings(manifest)
        service.patience = manifest.batch.maxDelay
        setRecording(service, manifest)
        service.threshold = manifest.threshold ?? .nan
        serving.places.weigh(.version(service.id), manifest.weight)
        pin(service)
        serving.perform(service)
    }

    private func setRecording(_ service: VersionService, _ manifest: Manifest) {
        service.recording = serving.recorder.recording(of: service.id.function, manifest)
        service.isRecordable = recordingRefusal(of: service.id) == nil
    }

    /// Why requests of a version cannot be recorded for replay as the manifest wants it; nil when they can, or when
    /// nobody wants it.
    func recordingRefusal(of id: VersionID) -> String? {
        let manifest = manifests[id.function]
        guard manifest.replay != nil || !manifest.privateFields.isEmpty,
            let signature = machine.functions[id.function]?.versions[id.number]?.verification?.signature
        else { return nil }
        return signature.objection(toHiding: manifest.privateFields)
    }

    /// A version with traffic stays warm when people want it so, or want instances of it at all times.
    private func pin(_ service: VersionService) {
        let manifest = manifests[service.id.function]
        serving.pin(service, service.pool.demand == .kept && (manifest.warm || manifest.scale.min > 0))
    }

    func prepare(_ id: VersionID) {
        guard let service = service(id) else {
            return tell(.prepareFailed(id, reason: "its stored file cannot be read"))
        }
        adoptProof(for: service)
        if case .warm = service.template { return tell(.prepared(id)) }
        serving.prepare(service)
    }

    func route(_ name: FunctionName, _ shares: TrafficShares?) {
        let route = route(name)
        let services = shares?.versions.compactMap { service(VersionID(name, $0)) } ?? []
        for service in serving.services.values where service.id.function == name && service.pool.demand == .kept {
            if !services.contains(where: { $0 === service }) {
                service.pool.demand = .onDemand
                pin(service)
            }
        }
        let roles = machine.functions[name]?.roles
        let trials = services.indices.filter { roles?.canaries.contains(services[$0].id.number) == true }
        route.set(
            shares, services, stable: roles.flatMap { service(VersionID(name, $0.stable)) }, trials: Set(trials),
            seed: seed)
        route.bind(manifests[name].sticky, machine.functions[name]?.slots)
        for service in services {
            service.pool.demand = .kept
            pin(service)
            serving.warmSoon(service)
            serving.perform(service)
        }
    }

    /// What is copied of a function's answers, by its rollout or else by its manifest.
    func shadowPlan(of name: FunctionName) -> ShadowPlan? { rolloutShadows[name] ?? manifests[name].shadow }

    /// Brings the copying of answers to what is wanted now, if the version that it is for takes requests.
    func copyAnswers(of name: FunctionName) {
        let plan = shadowPlan(of: name)
        let number = plan.flatMap { try? machine.functions[name]?.number(named: $0.version) }
        let service = number.flatMap { addressed(VersionID(name, $0)) }
        routes[name]?.copy(to: service, percent: plan?.percent ?? 0, seed: SplitMix.mix(seed))
    }

    func drain(_ id: VersionID) {
        guard let service = serving.services[id] else { return tell(.poolDrained(id)) }
        service.isDraining = true
        serving.perform(service)
    }

    func release(_ id: VersionID) {
        guard let service = serving.services[id] else { return tell(.unloaded(id)) }
        service.pool.demand = .draining
        serving.cool(service)
        serving.perform(service)
        tell(.unloaded(id))
    }

    func retire(_ id: VersionID) {
        forgetArtifact(id)
        guard let service = serving.services[id] else { return }
        forget(service)
    }

    /// Takes a service out: what it has accepted is still answered, then nothing of it is left.
    func forget(_ service: VersionService) {
        service.pool.demand = .draining
        serving.retire(service)
    }

    // MARK: news from serving

    func loaded(_ service: VersionService, _ error: RoostError?) {
        if let error {
            guard !isTriedAgain(service.id, error) else { return }
            tell(.prepareFailed(service.id, reason: error.message))
        } else {
            hindered[service.id] = nil
            tell(.prepared(service.id))
        }
        onLoaded(service.id, error)
    }

    /// Whether a load that failed says nothing of the version (the nursery was lost, no descriptors are left): what waits
    /// for it must not be given up then.
    private func isTriedAgain(_ id: VersionID, _ error: RoostError) -> Bool {
        let tries = hindered.removeValue(forKey: id) ?? 0
        guard error.isOutsideCause, tries < Self.loadTriesMax,
            machine.functions[id.function]?.versions[id.number]?.template == .loading
        else { return false }
        hindered[id] = tries + 1
        // A timer that cannot start is a closed one: the host is ending.
        try? reload.start(after: .milliseconds(500)) { [unowned self] in
            for id in hindered.keys.sorted() { if let service = service(id) { serving.prepare(service) } }
        }
        return true
    }

    private static let loadTriesMax = 20

    func idle(_ service: VersionService) {
        guard service.isDraining else { return }
        service.isDraining = false
        tell(.poolDrained(service.id))
    }

    func news(_ service: VersionService, _ news: ServiceNews) {
        switch news {
        case .died(let reason): tell(.died(service.id, reason: reason))
        case .answered(let requests, let errors): tell(.answered(service.id, requests: requests, errors: errors))
        case .templateLost: tell(.unloaded(service.id))
        case .quarantined(let reason): tell(.quarantined(service.id, reason: reason))
        }
    }
}

extension PoolSettings {
    /// A manifest's policy for the pool of each of its versions.
    init(_ manifest: Manifest, cores: Int) {
        self.init(
            instancesMin: manifest.scale.min, instancesMax: max(1, manifest.scale.max ?? cores, manifest.scale.min),
            concurrency: manifest.scale.concurrency, queueDepthMax: manifest.scale.queue,
            windowRequestsMax: 2 * manifest.batch.maxSize, timeout: manifest.timeout, retry: manifest.retry,
            idle: manifest.scale.idle)
    }
}

extension LoadSettings {
    init(_ manifest: Manifest) {
        memory = manifest.limits.memory
        if let model = manifest.limits.model { modelMemory = model }
        openFiles = manifest.limits.openFiles
        network = manifest.limits.network
        batchRows = manifest.batch.maxSize
    }
}
