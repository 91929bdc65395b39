internal import RoostBasics
internal import RoostClient
internal import RoostELF
internal import RoostFiles
internal import RoostFunctions
internal import RoostLoop
internal import RoostPool
internal import RoostProcess
internal import RoostTraffic

/// The body around the deploy machine: watches the folders, carries out what the machine decides, reports back.
///
/// Belongs to the loop. Whatever waits for a disk runs on two threads: one copies and examines files, the journal's keeps
/// the ledger, so that a large copy delays no record.
final class Deploying {
    let loop: Loop
    let serving: Serving
    let processes: Processes
    let disk: Disk
    let options: ServeOptions
    private(set) var machine: Deployment
    private(set) var manifests: Manifests
    private(set) var routes = RouteTable()
    /// Files that cannot be understood, with the remedy.
    var problems: [String] = []
    private var files: Worker<DiskNews>?
    /// What was decided, until it is durable.
    let journal: Journal
    private var watchers: [FolderWatcher] = []
    private let clock: Timer
    private let rescan: Timer
    private let relook: Timer
    /// Versions whose load failed for reasons that may be over soon, and how often.
    var hindered: [VersionID: Int] = [:]
    let reload: Timer
    /// What was said last of folders that cannot be read.
    private var complaint: String?
    private let collection: Timer
    private var artifacts: [VersionID: Artifact] = [:]
    private var probations: [VersionID: Probation] = [:]
    /// Versions that have passed probation and are held against their gate, with what waits for the rows.
    var trials: [VersionID: (trial: GateTrial, template: TemplateID)] = [:]
    /// The process of a version that has just been proven, until the machine has said what becomes of it.
    private var proof: Proof?
    struct Proof {
        let id: VersionID
        let template: TemplateID
        let report: LoadReport
        let settings: LoadSettings
    }
    /// What probation printed, for versions that never came to serve.
    private(set) var probationLogs: [VersionID: OutputLog] = [:]
    /// What rollouts have compared, whatever the manifests say.
    var rolloutShadows: [FunctionName: ShadowPlan] = [:] {
        didSet { findShadowed() }
    }
    /// Functions of which copies go to a version, or would if it took requests.
    private var shadowed: Set<FunctionName> = []
    /// Who waits for an uploaded file to be in the folder.
    private var uploads: [Int: (RoostError?) -> Void] = [:]
    private var nextTicket = 0
    /// Files of the store that others than versions need.
    var otherArtifacts: () -> Set<String> = { [] }
    /// What is counted for rollouts.
    var watches: [FunctionName: RolloutWatch] = [:]
    /// Recorded requests that are being answered anew.
    var replays: [FunctionName: ReplayRun] = [:]
    /// Who waits for the gate of a rollout to answer, by the number of the call.
    var gateThreads: [Int: Worker<RolloutGateAnswer>] = [:]
    var gateCalls = 0
    /// Hears of the manifests in force, when they are read first and when one of them is another.
    var onManifests: ([FunctionName: Manifest]) -> Void = { _ in }
    /// Versions that have left since the store was looked over.
    private var departures = 0
    /// What a gate's URL must not reach.
    var addressRule: (WebhookURL) -> AddressRule? = { _ in nil }
    /// Hears of every version that was loaded, or why it could not be.
    var onLoaded: (VersionID, RoostError?) -> Void = { _, _ in }
    private var isListing = false
    private var isFolderDirty = false
    private var hasReadManifests = false
    let seed: UInt64
    let onLine: (String) -> Void

    init(
        on loop: Loop, serving: Serving, processes: Processes, disk: Disk, options: ServeOptions,
        records: [FunctionRecord], manifests: Manifests, seed: UInt64, onLine: @escaping (String) -> Void
    ) throws {
        self.loop = loop
        self.serving = serving
        self.processes = processes
        self.disk = disk
        self.options = options
        self.manifests = manifests
        self.seed = seed
        self.onLine = onLine
        var settings = DeploySettings(hostBuild: options.build)
        settings.keep = options.keep
        machine = Deployment(settings, records: records, at: loop.now, unixSeconds: Loop.unixSeconds)
        clock = try Timer(on: loop)
        rescan = try Timer(on: loop)
        relook = try Timer(on: loop)
        reload = try Timer(on: loop)
        collection = try Timer(on: loop)
        journal = try Journal(on: loop, disk.ledger, onLine: onLine)
        files = try Worker(on: loop) { [unowned self] in heard($0) }
        processes.onChanged = { [unowned self] digest in submit { [disk] in disk.check(digest) } }
        serving.onLoaded = { [unowned self] in loaded($0, $1) }
        serving.onNews = { [unowned self] in news($0, $1) }
        serving.onIdle = { [unowned self] in idle($0) }
        serving.recorder.onAudit = { [unowned self] in note(AuditEntry($0)) }
        for record in records { recover(record) }
    }

    /// Begins: manifests first, then the folder. `prepare` events follow by themselves.
    func start() throws {
        watchers = [
            try FolderWatcher(disk.plugins.path, on: loop) { [unowned self] in folderIsDirty() },
            try FolderWatcher(disk.functions.path, on: loop) { [unowned self] in readManifests() },
        ]
        readManifests()
        try collection.start(after: .zero, every: Self.collectionPeriod) { [unowned self] in collect() }
        if let every = options.rescan {
            try rescan.start(after: every, every: every) { [unowned self] in
                folderIsDirty()
                readManifests()
            }
        }
    }

    /// Lets the loop end; what was decided is written first.
    func close() {
        for watcher in watchers { watcher.close() }
        clock.close()
        rescan.close()
        relook.close()
        reload.close()
        collection.close()
        for probation in probations.values { probation.cancel() }
        probations = [:]
        for id in Array(trials.keys) { cancelTrial(of: id) }
        for run in replays.values { run.cancel() }
        for thread in gateThreads.values { thread.abandon() }
        files?.close()
        journal.close()
    }

    /// What a version that the ledger knows is loaded from, read before the loop runs.
    private func recover(_ record: FunctionRecord) {
        for version in record.versions {
            guard let verification = version.verification, version.state != .retired else { continue }
            let id = VersionID(record.name, version.number)
            do throws(RoostError) {
                artifacts[id] = try disk.reader.artifacts(
                    version.stored, of: id, runtime: verification.runtime
                ).first
            } catch { problems.append("\(id): \(error)") }
        }
    }

    // MARK: events in, actions out

    /// Tells the machine what happened and does what follows.
    func tell(_ event: DeployEvent) { perform(machine.handle(event, at: loop.now)) }

    func route(_ name: FunctionName) -> FunctionRoute { routes.route(name) }
    func artifact(_ id: VersionID) -> Artifact? { artifacts[id] }
    func forgetArtifact(_ id: VersionID) {
        if let digest = artifacts.removeValue(forKey: id)?.digest { processes.unseal(digest.description) }
        probationLogs[id] = nil
        probations.removeValue(forKey: id)?.cancel()
        cancelTrial(of: id)
    }

    /// A command of people's; what it throws is for them.
    func command(_ body: (inout Deployment) throws(RoostError) -> [DeployAction]) throws(RoostError) {
        perform(try body(&machine))
    }

    private func perform(_ actions: [DeployAction]) {
        for action in actions { perform(action) }
        // A record and the decisions that led to it go into one transaction.
        journal.write()
        setClock()
        for name in shadowed { copyAnswers(of: name) }
    }

    private func perform(_ action: DeployAction) {
        switch action {
        case .listFolder: folderIsDirty()
        case .examine(let file, let stamp): submit { [disk] in disk.examine(file, stamp) }
        case .copy(let file, let stamp): submit { [disk] in disk.copy(file, stamp) }
        case .verify(let id, let stored): submit { [disk] in disk.read(id, stored) }
        case .prepare(let id): prepare(id)
        case .route(let name, let shares): route(name, shares)
        case .drain(let id): drain(id)
        case .release(let id): release(id)
        case .retire(let id):
            retire(id)
            noteDeparture()
        case .writeNote(let file, let reason): submit { [disk] in disk.writeNote(file, reason) }
        case .removeNote(let file): submit { [disk] in disk.removeNote(file) }
        case .collect(let name, let wanted): collect(name, wanted)
        case .stopCollecting(let name): stopCollecting(name)
        case .observe(let name): observe(name)
        case .replay(let name, let canary, let stable, let call):
            replay(name, canary: canary, stable: stable, call: call)
        case .callGate(let name, let call): ask(name, call)
        case .persist(let record): journal.put(record)
        case .audit(let entry): journal.put(AuditLine(entry, at: Loop.unixSeconds))
        case .log(let line): journal.whenDurable { [onLine] _ in onLine(line) }
        }
    }

    private func setClock() {
        serving.watched = Set(machine.functions.values.lazy.filter(\.isWatched).map(\.name))
        guard let wakeAt = machine.wakeAt else { return clock.stop() }
        // A timer that cannot start is a closed one: the host is ending.
        try? clock.start(after: wakeAt - loop.now) { [unowned self] in tell(.clock) }
    }

    /// What is kept of what a version printed.
    func log(of id: VersionID) -> OutputLog { serving.services[id]?.log ?? probationLogs[id] ?? OutputLog() }

    // MARK: disk

    /// Puts an uploaded file into the drop folder; the rest happens as if a person had dropped it.
    func drop(_ file: UploadedFile, _ onDone: @escaping (RoostError?) -> Void) {
        let ticket = nextTicket
        nextTicket += 1
        uploads[ticket] = onDone
        submit { [disk] in .uploaded(ticket, disk.write(file)) }
    }

    func submit(_ work: @escaping @Sendable () -> DiskNews) { files?.submit(work) }

    /// Events of a folder never name work: they only say that it has to be listed, and one listing serves many.
    private func folderIsDirty() {
        guard hasReadManifests else { return }
        guard !isListing else {
            isFolderDirty = true
            return
        }
        (isListing, isFolderDirty) = (true, false)
        submit { [disk] in disk.listPlugins() }
    }

    /// No event tells when folders can be read again.
    private func lookAgain(because line: String?) {
        if let line, line != complaint { onLine(line) }
        complaint = line
        // A timer that cannot start is a closed one: the host is ending.
        try? relook.start(after: .seconds(1)) { [unowned self] in
            folderIsDirty()
            readManifests()
        }
    }

    private func readManifests() { submit { [disk] in disk.readManifests() } }

    private func heard(_ news: DiskNews) {
        switch news {
        case .event(let event):
            if case .folderListed = event { isListing = false }
            if case .copied(_, _, let stored) = event { processes.unseal(stored.digest) }
            tell(event)
        case .listingFailed(let error):
            isListing = false
            lookAgain(because: "the drop folder cannot be read: \(error)")
        case .read(let id, let stored, let artifacts): verify(id, stored, artifacts)
        case .gateRead(let id, let rows):
            if let (trial, template) = trials[id] { trial.begin(rows, template) }
        case .manifests(.success(let files)):
            manifestsRead(files)
            // That a file cannot be opened now may have nothing to do with it, and be over soon.
            for case .failure(let error) in files.values where error.code == .system { lookAgain(because: nil) }
        case .manifests(.failure(let error)): lookAgain(because: "the manifests cannot be read: \(error)")
        case .checked(let digest, let status, let isRight): processes.checked(digest, status, isRight: isRight)
        case .uploaded(let ticket, let error): uploads.removeValue(forKey: ticket)?(error)
        case .done(let error): if let error { onLine(error.message) }
        }
        if isFolderDirty { folderIsDirty() }
    }

    private func manifestsRead(_ files: [String: Result<[UInt8], RoostError>]) {
        let before = manifests
        let changed = manifests.update(files)
        remember(since: before)
        for name in changed {
            for entry in manifests[name].audit(name, from: before[name]) { note(entry) }
            for service in serving.services.values where service.id.function == name {
                apply(manifests[name], to: service)
            }
            tell(.manifestChanged(name, manifests[name]))
            routes[name]?.bind(manifests[name].sticky, machine.functions[name]?.slots)
        }
        findShadowed()
        if !changed.isEmpty || !hasReadManifests {
            serving.recorder.apply(manifests.inForce)
            onManifests(manifests.inForce)
        }
        for (name, problem) in manifests.problems where before.problems[name] != problem { onLine(problem) }
        let unreadable = manifests.unreadable
        for (name, problem) in unreadable where before.unreadable[name] != problem {
            tell(.manifestUnreadable(name, reason: problem))
        }
        for name in before.unreadable.keys where unreadable[name] == nil && manifests.inForce[name] == nil {
            tell(.manifestChanged(name, Manifest()))
        }
        guard !hasReadManifests else { return }
        hasReadManifests = true
        // Also that there is no manifest is news, for functions whose last traffic came from one.
        for name in machine.functions.names.sorted() where unreadable[name] == nil {
            tell(.manifestChanged(name, manifests[name]))
        }
        folderIsDirty()
    }

    /// Keeps what is in force for the next start: the file may be wrong by then.
    private func remember(since before: Manifests) {
        for name in Set(before.texts.keys).union(manifests.texts.keys) where before.texts[name] != manifests.texts[name]
        {
            journal.put(manifests.texts[name], of: name)
        }
        journal.write()
    }

    private func findShadowed() {
        let before = shadowed
        shadowed = Set(rolloutShadows.keys).union(manifests.inForce.lazy.filter { $0.value.shadow != nil }.map(\.key))
        for name in before.union(shadowed) { copyAnswers(of: name) }
    }

    /// A decision that is not the machine's.
    func note(_ entry: AuditEntry) {
        journal.put(AuditLine(entry, at: Loop.unixSeconds))
        journal.write()
    }

    private static let collectionPeriod = Instant.Span.seconds(3600)
    /// Versions that leave before the store is looked over out of turn.
    private static let departuresMax = 64

    /// A version is gone, and so may be its file.
    private func noteDeparture() {
        departures += 1
        if departures >= Self.departuresMax { collect() }
    }

    private func collect() {
        departures = 0
        let versions = machine.functions.values.lazy.flatMap(\.versions.values).filter { $0.state != .retired }
        let referenced = Set(versions.map(\.stored.digest)).union(otherArtifacts())
        let now = Int64(Loop.unixSeconds) * 1_000_000_000
        submit { [disk] in disk.collect(keeping: referenced, SparePolicy(), nowNS: now) }
    }

    // MARK: probation

    private func verify(_ id: VersionID, _ stored: StoredFile, _ artifacts: Result<[Artifact], RoostError>) {
        probations.removeValue(forKey: id)?.cancel()
        cancelTrial(of: id)
        do {
            let candidates = try artifacts.get()
            let settings = LoadSettings(manifests[id.function])
            var thorough = settings
            thorough.examplesMax = .max
            let probation = try Probation(
                id.description, candidates, settings: thorough, patience: options.loadTimeout,
                hostBuild: options.build, processes: processes, on: loop
            ) { [unowned self] in proven(id, stored, settings, $0, $1) }
            probations[id] = probation
            probation.start()
        } catch {
            tell(.verifyFailed(id, digest: stored.digest, reason: "\(error)"))
        }
    }

    private func takeProof(of id: VersionID) -> Proof? {
        guard let found = proof, found.id == id else { return nil }
        proof = nil
        return found
    }

    /// What proved a version need not be loaded again, unless its manifest has changed since.
    func adoptProof(for service: VersionService) {
        guard let proof = takeProof(of: service.id) else { return }
        guard proof.settings == service.loadSettings else { return processes.kill(proof.template) }
        if let printed = probationLogs[service.id] { service.log.append(printed.suffix(from: 0).bytes) }
        serving.adopt(proof.template, proof.report, for: service)
    }

    private func proven(
        _ id: VersionID, _ stored: StoredFile, _ settings: LoadSettings,
        _ result: Result<Probation.Result, RoostError>, _ printed: OutputLog
    ) {
        probations[id] = nil
        probationLogs[id] = printed
        switch result {
        case .success(let proof):
            do {
                if try !holdAgainstGate(id, stored, settings, proof) {
                    accept(id, stored, settings, proof, keepingTemplate: true)
                }
            } catch {
                processes.kill(proof.template)
                tell(.verifyFailed(id, digest: stored.digest, reason: "gate: \(error)"))
            }
        case .failure(let error):
            tell(.verifyFailed(id, digest: stored.digest, reason: error.message))
        }
    }

    /// - Parameter keepingTemplate: whether the process that has proven the version is there to serve it.
    func accept(
        _ id: VersionID, _ stored: StoredFile, _ settings: LoadSettings, _ proof: Probation.Result,
        keepingTemplate: Bool
    ) {
        artifacts[id] = proof.artifact
        // A service of other bytes under this name has been retired; it may still be answering.
        if let old = serving.services[id], old.artifact.digest != proof.artifact.digest { forget(old) }
        if keepingTemplate {
            self.proof = Proof(id: id, template: proof.template, report: proof.report, settings: settings)
        } else {
            processes.kill(proof.template)
        }
        tell(.verified(id, digest: stored.digest, proof.verification))
        if self.proof != nil, let service = addressed(id) { adoptProof(for: service) }
        if let unclaimed = takeProof(of: id) { processes.kill(unclaimed.template) }
    }
}
