internal import RoostBasics
internal import RoostChannel
internal import RoostFiles
internal import RoostFunctions
internal import RoostJSON
internal import RoostLoop
internal import RoostPool
internal import RoostProcess
internal import RoostScaling
internal import RoostTensors
internal import RoostTraffic

/// What runs, as JSON for `roost status` and for programs.
struct StatusReport {
    private let host: Host
    private let now: Instant

    init(_ host: Host) {
        self.host = host
        now = host.loop.now
    }

    /// The whole host.
    var all: JSONValue {
        let functions = host.deploying.machine.functions.values.filter { !$0.versions.isEmpty }
        return [
            "host": about, "functions": .array(functions.sorted { $0.name < $1.name }.map { function($0) }),
        ]
    }

    private var about: JSONValue {
        [
            "version": .string(RoostVersion.current), "home": .string(host.home.root.path),
            "listen": .string("\(host.options.listen.host):\(host.port)"),
            "uptime_seconds": .real((now - host.started).seconds), "cores": .integer(host.options.cores),
            "warnings": .array(
                (host.warnings + host.processes.warnings + host.deploying.problems
                    + (host.recorder.problem.map { [$0] } ?? [])
                    + (host.triggers.deliveries.problem.map { [$0.message] } ?? [])
                    + (host.deploying.journal.problem.map { [$0.message] } ?? [])).map { .string($0) }),
            "unclear_files": .array(unclearFiles),
            "connections": .integer(host.server.counters.connectionsOpen),
            "limits": [
                "connections": .integer(host.server.limits.connectionsMax),
                "open_files": .integer(host.options.openFilesMax),
            ],
            "warm_memory": [
                "used": .integer(host.serving.cache.used.bytes), "budget": .integer(host.serving.cache.budget.bytes),
            ],
            "instances": [
                "used": .integer(host.serving.places.limit - host.serving.places.free),
                "limit": .integer(host.serving.places.limit),
            ],
        ]
    }

    /// Files that were not taken up, each with what to do about it.
    private var unclearFiles: [JSONValue] {
        var found: [(String, String)] = host.deploying.manifests.strangers.sorted { $0.key < $1.key }
        for (name, file) in host.deploying.machine.files.sorted(by: { $0.key < $1.key }) {
            if case .refused(let reason) = file.phase { found.append((name, reason)) }
        }
        return found.map { ["file": .string($0.0), "reason": .string($0.1)] }
    }

    /// - Throws: `notFound`.
    func function(named text: String) throws(RoostError) -> JSONValue {
        guard let name = FunctionName(text) else { throw RoostError(.notFound, "\"\(text)\" is no function's name") }
        return function(try host.deploying.machine.known(name))
    }

    private func function(_ function: FunctionDeployment) -> JSONValue {
        let manifest = host.deploying.manifests[function.name]
        var object = JSONObject([("name", .string(function.name.text))])
        if !manifest.description.isEmpty { object["description"] = .string(manifest.description) }
        if !manifest.owner.isEmpty { object["owner"] = .string(manifest.owner) }
        if !manifest.labels.isEmpty {
            object["labels"] = .object(
                JSONObject(manifest.labels.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
        }
        object["traffic"] = traffic(function)
        if let rollout = function.rollout { object["rollout"] = rollout.status(at: now) }
        object["tags"] = .object(
            JSONObject(function.tags.map { ($0.tag.text, .string($0.version.description)) }))
        object["quality"] = host.recorder.knownQuality(of: function.name, at: now)?.json
        let triggers = host.triggers.status(of: function.name)
        if !triggers.isEmpty { object["triggers"] = .array(triggers) }
        object["notes"] = .array(notes(function).map { .string($0) })
        object["versions"] = .array(
            function.versions.values.sorted { $0.id > $1.id }.map { version($0, of: function) })
        return .object(object)
    }

    private func notes(_ function: FunctionDeployment) -> [String] {
        var notes = host.deploying.manifests.problems[function.name].map { [$0] } ?? []
        if let reason = function.absenceReason { notes.append(reason) }
        if case .set = function.origin, function.absence == nil, let highest = function.highestAvailable,
            function.route?[highest] ?? 0 == 0
        {
            notes.append(
                "traffic is set: \(VersionID(function.name, highest)) takes none until `roost traffic \(function.name) latest`"
            )
        }
        if let plan = host.deploying.shadowPlan(of: function.name),
            host.deploying.routes[function.name]?.shadow == nil
        {
            notes.append(
                "nothing is copied to \"\(plan.version)\", as shadow wants: no such version takes requests now")
        }
        let wanted = host.deploying.manifests[function.name].replay == nil ? "" : " and nothing of it is recorded"
        for id in function.versions.values.map(\.id).sorted() {
            guard let refusal = host.deploying.recordingRefusal(of: id) else { continue }
            notes.append("private: \(id): \(refusal)\(wanted)")
        }
        if host.deploying.manifests[function.name].threshold != nil {
            let deaf = function.versions.values.filter { version in
                version.state.takesRequests && version.verification?.signature.hasThreshold == false
            }
            for version in deaf.sorted(by: { $0.id < $1.id }) {
                notes.append("threshold does nothing for \(version.id): it gives no score beside a label of 0 or 1")
            }
        }
        return notes + function.tagProblems
    }

    func traffic(_ function: FunctionDeployment) -> JSONValue { traffic(function, by: function.route) }

    /// As it will be: the new route may still wait for a load.
    func wantedTraffic(_ function: FunctionDeployment) -> JSONValue { traffic(function, by: function.wantedRoute) }

    private func traffic(_ function: FunctionDeployment, by route: TrafficShares?) -> JSONValue {
        var traffic = JSONObject([
            ("origin", .string(function.originWord)), ("shares", shares(route?.entries ?? [])),
            ("pending", shares(function.pendingShares)),
        ])
        if let route = host.deploying.routes[function.name], let key = route.stickyKey {
            traffic["sticky"] = ["key": .string(key.description), "without_key": .integer(Int(route.withoutKey))]
        }
        if let plan = host.deploying.shadowPlan(of: function.name) {
            let target = host.deploying.routes[function.name]?.shadow?.service.id.number
            traffic["shadow"] = [
                "wanted": .string(plan.version), "percent": .integer(plan.percent),
                "version": target.map { .string($0.description) } ?? .null,
            ]
        }
        return .object(traffic)
    }

    private func shares(_ entries: [TrafficShares.Entry]) -> JSONValue {
        .object(JSONObject(entries.map { ($0.version.description, .integer($0.percent)) }))
    }

    /// - Throws: `notFound`.
    func version(_ id: VersionID) throws(RoostError) -> JSONValue {
        let function = try host.deploying.machine.known(id.function)
        return version(try host.deploying.machine.known(id), of: function)
    }

    private func version(_ version: VersionDeployment, of function: FunctionDeployment) -> JSONValue {
        var object = JSONObject([
            ("version", .string(version.id.number.description)), ("state", .string(version.state.word)),
            ("file", .string(version.fileName)), ("digest", .string(version.stored.digest)),
            ("size", .integer(version.stored.size)),
            ("share", .integer(function.route?[version.id.number] ?? 0)),
        ])
        if let reason = version.state.reason ?? function.problem(of: version) { object["reason"] = .string(reason) }
        if let verification = version.verification {
            object["runtime"] = .string(verification.runtime ?? "plugin")
            object["examples"] = .integer(verification.exampleCount)
        }
        if let service = host.serving.services[version.id] { add(service, to: &object) }
        return .object(object)
    }

    private func add(_ service: VersionService, to object: inout JSONObject) {
        if let report = service.report {
            object["load_ms"] = .real(Double(report.loadNanoseconds) / 1e6)
            if !report.isForkable { object["single"] = true }
        }
        object["warmth"] = .string(service.warmth.rawValue)
        if let wake = service.wakeTime { object["wake_ms"] = .real(wake.milliseconds) }
        if case .warm(let process) = service.template, let report = service.report {
            var memory = JSONObject([
                ("private", .integer(Int(report.privateBytes))), ("shared", .integer(Int(report.modelMemoryBytes))),
            ])
            if let size = service.templateSize { memory["proportional"] = .integer(size.bytes) }
            var template = JSONObject([("memory", .object(memory)), ("pinned", .bool(service.isPinned))])
            if let pid = host.processes.process(of: process) { template["pid"] = .integer(Int(pid)) }
            object["template"] = .object(template)
        }
        object["instances"] = .array(service.instances.map { instance($0, service) })
        if let spare = service.spare { object["spare"] = instance(spare, service) }
        object["queue"] = .integer(service.pool.queueDepth)
        let statistics = service.statistics
        object["requests"] = .object(
            JSONObject(Outcome.allCases.map { ($0.word, .integer(Int(statistics.count($0)))) }))
        object["rate"] = .real(statistics.rate(at: now))
        if statistics.total.count > 0 {
            object["latency_ms"] = .object(
                JSONObject(
                    [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)].compactMap { name, fraction in
                        statistics.total.quantile(fraction).map { (name, .real($0.milliseconds)) }
                    }))
        }
        if statistics.rows > 0 {
            let figures = VersionFigures(service, host)
            object["cpu_seconds"] = .real(figures.cpu.seconds)
            if let cost = figures.cpuPerThousand { object["cpu_ms_per_1000"] = .real(cost.milliseconds) }
            if let mean = statistics.batches.mean { object["batch_mean"] = .real(mean) }
        }
        if !service.shadow.isEmpty { object["shadow"] = shadow(service) }
        if let failure = service.lastFailure { object["last_failure"] = .string(failure) }
    }

    /// How its answers differ from those that were served to the same requests.
    private func shadow(_ service: VersionService) -> JSONValue {
        let (tally, names) = (service.shadow, outputNames(of: service.id))
        var object = JSONObject([
            ("pairs", .integer(Int(tally.pairs))), ("rows", .integer(Int(tally.rows))),
            ("decisions", .integer(Int(tally.decisions))), ("flips", .integer(Int(tally.flips))),
            ("dropped", .integer(Int(tally.dropped))), ("failed", .integer(Int(tally.failed))),
        ])
        let outputs = zip(names, tally.outputs).filter { $0.1.elements > 0 }.map { name, numbers in
            (
                name,
                [
                    "mean": .real(numbers.mean), "max": .real(numbers.largest),
                    "mean_relative": .real(numbers.relativeMean),
                ] as JSONValue
            )
        }
        object["difference"] = .object(JSONObject(outputs))
        return .object(object)
    }

    private func outputNames(of id: VersionID) -> [String] {
        let verification = host.deploying.machine.functions[id.function]?.versions[id.number]?.verification
        return verification?.signature.outputs.map(\.name) ?? []
    }

    private func instance(_ live: VersionService.Live, _ service: VersionService) -> JSONValue {
        var object = JSONObject([
            ("id", .integer(Int(live.id.rawValue))), ("outstanding", .integer(service.pool.outstanding(of: live.id))),
        ])
        // 0: there was no descriptor left by which to learn it.
        if let pid = live.pid, pid > 0 {
            object["pid"] = .integer(Int(pid))
            if let memory = ProcessMemory(of: pid) {
                object["memory"] = ["private": .integer(memory.privateBytes), "shared": .integer(memory.sharedBytes)]
            }
        }
        return .object(object)
    }
}

extension Outcome {
    /// As counters and status name it.
    var word: String {
        switch self {
        case .ok: "ok"
        case .clientError: "client_error"
        case .modelError: "model_error"
        case .death: "death"
        case .timeout: "timeout"
        case .overload: "overload"
        }
    }
}
