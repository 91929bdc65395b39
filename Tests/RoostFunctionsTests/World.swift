import RoostBasics
import RoostFunctions
import RoostJSON
import RoostTensors
import RoostTraffic
import Testing

/// What a dropped file would do; its `name` stands for its bytes, and so for its digest.
struct Content: Hashable {
    var name: String
    var shape = FileShape.whole
    /// Width of the model's input; other widths are incompatible.
    var columns = 30
    var verifyFailure: String?
    var loads = true
    /// One in so many requests fails; 0: none.
    var failsOneIn = 0

    var signature: Signature {
        Signature(
            inputs: [TensorSpec(name: "features", dtype: .float32, shape: [-1, columns])],
            outputs: [TensorSpec(name: "predictions", dtype: .float32, shape: [-1])])
    }
}

/// Obeys the machine's actions on a pretended folder, store and clock, and checks the invariants after each step.
struct World {
    enum Job: Hashable {
        case list
        case examine(String, FileStamp)
        case copy(String, FileStamp)
        case verify(VersionID, StoredFile)
        case prepare(VersionID)
        case drain(VersionID)
        case unload(VersionID)
        case observe(FunctionName)
        case replay(FunctionName, Int)
        case gate(FunctionName, Int)
    }

    var machine: Deployment
    var now = Instant(nanoseconds: 0)
    var folder: [String: (content: Content, stamp: FileStamp)] = [:]
    var notes: [String: String] = [:]
    var jobs: [Job] = []
    var routes: [FunctionName: TrafficShares] = [:]
    var records: [FunctionName: FunctionRecord] = [:]
    var store: [String: Content] = [:]
    var log: [String] = []
    var manifests: [FunctionName: Manifest] = [:]
    var unreadable: [FunctionName: String] = [:]
    var copyFailure: String?
    var audit: [AuditEntry] = []
    /// What the host has counted, by function; and how many requests come between two looks.
    var evidence: [FunctionName: Evidence] = [:]
    var requestsPerLook = 20_000
    var gateAnswer = RolloutGateAnswer.passed
    private var ticks = 0
    private var hostBuild: String
    private var states: [VersionID: VersionState] = [:]
    /// What the wall clock says, whatever the machine's clock began with.
    var unixSeconds: Int { 1_700_000_000 + Int(now.nanoseconds / 1_000_000_000) + clockError }
    var clockError = 0
    private var digests: [VersionID: String] = [:]

    init(hostBuild: String = "build 1") {
        self.hostBuild = hostBuild
        machine = Deployment(DeploySettings(hostBuild: hostBuild), at: now, unixSeconds: 1_700_000_000)
        jobs = [.list]
    }

    // MARK: - What happens

    mutating func put(_ name: String, _ content: Content) {
        ticks += 1
        let inode = folder[name]?.stamp.inode ?? UInt64(ticks)
        folder[name] = (content, FileStamp(size: content.name.count, modifiedNS: ticks, inode: inode))
        addJob(.list)
    }

    mutating func delete(_ name: String) {
        folder[name] = nil
        addJob(.list)
    }

    mutating func manifest(_ name: FunctionName, _ manifest: Manifest) {
        manifests[name] = manifest
        unreadable[name] = nil
        tell(.manifestChanged(name, manifest))
    }

    /// There is a manifest, but nobody has ever been able to read it.
    mutating func breakManifest(_ name: FunctionName, _ reason: String) {
        manifests[name] = nil
        unreadable[name] = reason
        tell(.manifestUnreadable(name, reason: reason))
    }

    /// The host ends and starts again: nothing but the records, the folder and the manifests is left.
    mutating func restart(hostBuild: String? = nil) throws {
        self.hostBuild = hostBuild ?? self.hostBuild
        let texts = records.values.sorted { $0.name < $1.name }.map(\.json.compact)
        let again = try texts.map { try FunctionRecord(JSONDocument(parsing: $0, source: "record")) }
        #expect(Set(again) == Set(records.values))
        machine = Deployment(
            DeploySettings(hostBuild: self.hostBuild), records: again, at: now, unixSeconds: unixSeconds)
        jobs = [.list]
        routes = [:]
        states = [:]
        evidence = [:]
        for (name, manifest) in manifests { tell(.manifestChanged(name, manifest)) }
        for (name, reason) in unreadable { tell(.manifestUnreadable(name, reason: reason)) }
    }

    mutating func tell(_ event: DeployEvent) {
        let routesBefore = routes
        let actions = machine.handle(event, at: now)
        perform(actions)
        switch event {
        case .verifyFailed, .copyFailed, .examined, .changedDuringCopy:
            #expect(routes == routesBefore, "a failed drop changed a route: \(event)")
        case .folderListed, .copied, .verified, .prepared, .prepareFailed, .unloaded, .poolDrained, .died, .answered,
            .quarantined, .manifestChanged, .manifestUnreadable, .clock, .observed, .replayed, .gateAnswered:
            break
        }
    }

    mutating func command(_ body: (inout Deployment, Instant) throws -> [DeployAction]) throws {
        let actions = try body(&machine, now)
        perform(actions)
    }

    mutating func advance(_ span: Instant.Span) {
        now = now + span
        tell(.clock)
    }

    /// Carries out one job.
    mutating func run(_ index: Int) {
        switch jobs.remove(at: index) {
        case .list:
            let entries = folder.map { FileEntry(name: $0.key, stamp: $0.value.stamp) }
            let answers = notes.keys.map {
                FileEntry(name: $0 + ".failed", stamp: FileStamp(size: 1, modifiedNS: 1, inode: 1))
            }
            tell(.folderListed(entries + answers))
        case .examine(let file, let stamp):
            guard let entry = folder[file] else { return }
            tell(.examined(file: file, stamp: stamp, entry.content.shape))
        case .copy(let file, let stamp):
            guard let entry = folder[file], entry.stamp == stamp else {
                tell(.changedDuringCopy(file: file, stamp: stamp))
                return
            }
            if let copyFailure {
                tell(.copyFailed(file: file, stamp: stamp, reason: copyFailure))
                return
            }
            store[entry.content.name] = entry.content
            let stored = StoredFile(digest: entry.content.name, size: stamp.size, kind: .model)
            tell(.copied(file: file, stamp: stamp, stored))
        case .verify(let id, let stored):
            guard let content = store[stored.digest] else { return }
            if let reason = content.verifyFailure {
                tell(.verifyFailed(id, digest: stored.digest, reason: reason))
            } else {
                let found = Verification(
                    hostBuild: hostBuild, signature: content.signature, exampleCount: 3, runtime: "trees")
                tell(.verified(id, digest: stored.digest, found))
            }
        case .prepare(let id):
            guard let version = machine.functions[id.function]?.versions[id.number] else { return }
            let loads = store[version.stored.digest]?.loads == true
            tell(loads ? .prepared(id) : .prepareFailed(id, reason: "does not load"))
        case .drain(let id): tell(.poolDrained(id))
        case .unload(let id): tell(.unloaded(id))
        case .observe(let name): observe(name)
        case .replay(let name, let call): tell(.replayed(name, call: call, .unavailable(reason: "no record")))
        case .gate(let name, let call): tell(.gateAnswered(name, call: call, gateAnswer))
        }
    }

    /// Runs everything that does not wait for a rollback window.
    mutating func settle() {
        for _ in 0..<10_000 {
            if !jobs.isEmpty {
                run(0)
            } else if let wakeAt = machine.wakeAt, wakeAt <= now + .seconds(10) {
                advance(wakeAt - now)
            } else {
                return
            }
        }
        Issue.record("the machine does not come to rest")
    }

    /// Traffic since the last look, divided by the shares in force.
    private mutating func observe(_ name: FunctionName) {
        var evidence = evidence[name] ?? Evidence()
        if let rollout = machine.functions[name]?.liveRollout, let route = routes[name] {
            for (number, share) in route.entries.map({ ($0.version, $0.percent) }) {
                let digest = machine.functions[name]?.versions[number]?.stored.digest ?? ""
                let failsOneIn = store[digest]?.failsOneIn ?? 0
                for request in 0..<requestsPerLook * share / 100 {
                    let isError = failsOneIn > 0 && request % failsOneIn == 0
                    let latency = Instant.Span.microseconds(UInt64(400 + request % 97))
                    if number == rollout.canary {
                        evidence.canary.add(
                            isError: isError, latency: latency, rows: 1, cluster: nil, paysForStart: false)
                    } else {
                        evidence.stable.add(
                            isError: isError, latency: latency, rows: 1, cluster: nil, paysForStart: false)
                    }
                }
            }
        }
        self.evidence[name] = evidence
        tell(.observed(name, evidence))
    }

    // MARK: - Obeying

    private mutating func addJob(_ job: Job) {
        if !jobs.contains(job) { jobs.append(job) }
    }

    private mutating func perform(_ actions: [DeployAction]) {
        for action in actions {
            switch action {
            case .listFolder: addJob(.list)
            case .examine(let file, let stamp): addJob(.examine(file, stamp))
            case .copy(let file, let stamp): addJob(.copy(file, stamp))
            case .verify(let id, let stored): addJob(.verify(id, stored))
            case .prepare(let id): addJob(.prepare(id))
            case .route(let name, let shares): routes[name] = shares
            case .drain(let id): addJob(.drain(id))
            case .release(let id): addJob(.unload(id))
            case .retire(let id): jobs.removeAll { $0 == .drain(id) }
            case .writeNote(let file, let reason): notes[file] = reason
            case .removeNote(let file): notes[file] = nil
            case .persist(let record): records[record.name] = record
            case .collect(let name, let collection):
                if let begun = collection.evidence { evidence[name] = begun } else { evidence[name]?.beginStratum() }
            case .stopCollecting(let name): evidence[name] = nil
            case .observe(let name): addJob(.observe(name))
            case .replay(let name, _, _, let call): addJob(.replay(name, call))
            case .callGate(let name, let call): addJob(.gate(name, call.call))
            case .audit(let entry): audit.append(entry)
            case .log(let line): log.append(line)
            }
        }
        check()
    }

    // MARK: - Invariants

    private mutating func check() {
        for (name, function) in machine.functions {
            #expect(function.route == routes[name], "the machine's route is the one that it gave")
            for entry in function.route?.entries ?? [] {
                let state = function.versions[entry.version]?.state
                #expect(
                    state == .serving, "\(name)@\(entry.version) has \(entry.percent) % and is \(state?.word ?? "gone")"
                )
            }
            #expect(function.route.map { $0.entries.reduce(0) { $0 + $1.percent } } ?? 100 == 100)
            for version in function.versions.values { check(version) }
        }
    }

    private mutating func check(_ version: VersionDeployment) {
        let before = states.updateValue(version.state, forKey: version.id)
        if let before, before != version.state {
            #expect(
                Self.legal[before.word]?.contains(version.state.word) == true,
                "\(version.id) went from \(before.word) to \(version.state.word)")
        }
        switch version.state {
        case .ready, .serving, .draining, .held:
            let digest = digests[version.id, default: version.stored.digest]
            #expect(digest == version.stored.digest, "\(version.id) changed its bytes")
            digests[version.id] = version.stored.digest
        case .rejected: break
        case .stored, .verifying, .failed, .retired: digests[version.id] = nil
        }
        if version.state == .serving {
            #expect(machine.functions[version.id.function]?.route?[version.id.number] ?? 0 > 0, "\(version.id) idles")
        }
    }

    /// DESIGN's transitions; a step may pass through several states at once.
    private static let legal: [String: Set<String>] = [
        "stored": ["verifying", "retired"],
        // Back to stored: its manifest could not be read any more.
        "verifying": ["ready", "serving", "held", "failed", "retired", "stored"],
        "ready": ["serving", "draining", "rejected", "failed", "retired"],
        "serving": ["draining", "rejected", "failed", "retired", "ready"],
        "draining": ["ready", "serving", "retired", "rejected", "failed"],
        "retired": ["verifying", "stored"],
        "failed": ["verifying", "retired", "stored"],
        "held": ["ready", "serving", "retired"],
        "rejected": ["ready", "serving", "verifying"],
    ]

    // MARK: - Looking

    func state(_ id: String) -> String? {
        VersionID(id).flatMap { machine.functions[$0.function]?.versions[$0.number]?.state.word }
    }

    func reason(_ id: String) -> String {
        VersionID(id).flatMap { machine.functions[$0.function]?.versions[$0.number]?.state.reason } ?? ""
    }

    /// `2=90 3=10`, or nothing.
    func route(_ name: FunctionName) -> String { routes[name]?.description ?? "" }
}
