public import RoostBasics
internal import RoostTraffic

/// All functions of a home: what becomes of dropped files, and which versions serve.
///
/// A value without I/O: `handle` takes what happened and gives what is to be done. The body around it lists the
/// folder, copies, verifies, loads, routes, and reports back; it may report late, twice, or about what is no
/// longer true, so every report names its subject (stamp, digest) and is ignored when that has changed.
///
/// Invariants, tested over random histories: traffic goes only to versions that may take requests; rejected
/// versions never serve; a failed drop changes no route; a verified version's bytes never change; after a
/// restart from the persisted records and the same folder the same routes come out.
public struct Deployment: Sendable {
    public internal(set) var functions = FunctionTable()
    /// Files of the drop folder by name, as last listed.
    public internal(set) var files: [String: DroppedFile] = [:]
    public let settings: DeploySettings
    /// Whether the folder has been listed since the start.
    public internal(set) var hasListed = false

    /// For what is stored and read by another run.
    let clock: WallClock
    var actions: [DeployAction] = []
    /// Files that have a note beside them.
    var notes: Set<String> = []
    var isListingWanted = false
    /// Released before they were held.
    var expectedIncompatible: Set<VersionID> = []
    private var persisted: [FunctionName: FunctionRecord] = [:]

    /// One file that is, or wants to be, a deployment.
    public struct DroppedFile: Hashable, Sendable {
        public let stamp: FileStamp
        public internal(set) var phase: FilePhase
        /// Since when it has looked like this.
        public internal(set) var since: Instant
        /// Whether a shape that is not whole was confirmed after it stood still: a last write within the same
        /// tick of the file system's clock leaves the stamp as it was.
        var isConfirmed = false
        var isConflict = false
        var retryAt: Instant?
        var copyAhead = CopyAhead.none
    }

    /// A copy made while a file settles, which counts if the file still looks the same when it has settled.
    enum CopyAhead: Hashable, Sendable {
        case none, running
        case done(StoredFile)
    }

    /// From the records of the last run. Nothing is decided before the folder has been listed: a file that was
    /// deleted meanwhile counts as deleted. Manifests are to be reported too, also their absence.
    /// - Parameter unixSeconds: what the wall clock says `now`; rollback windows go on by it.
    public init(
        _ settings: DeploySettings, records: [FunctionRecord] = [], at now: Instant, unixSeconds: Int = 0
    ) {
        self.settings = settings
        clock = WallClock(unixSeconds: unixSeconds, at: now)
        for record in records {
            functions[record.name] = FunctionDeployment(record, hostBuild: settings.hostBuild, clock: clock, at: now)
            persisted[record.name] = record
        }
    }

    public mutating func handle(_ event: DeployEvent, at now: Instant) -> [DeployAction] {
        switch event {
        case .folderListed(let entries): folderListed(entries, at: now)
        case .examined(let file, let stamp, let shape): examined(file, stamp, shape, at: now)
        case .copied(let file, let stamp, let stored): copied(file, stamp, stored, at: now)
        case .changedDuringCopy(let file, let stamp): changedDuringCopy(file, stamp, at: now)
        case .copyFailed(let file, let stamp, let reason): copyFailed(file, stamp, reason, at: now)
        case .verified(let id, let digest, let verification): verified(id, digest, verification, at: now)
        case .verifyFailed(let id, let digest, let reason): verifyFailed(id, digest, reason, at: now)
        case .prepared(let id): prepared(id, at: now)
        case .prepareFailed(let id, let reason): prepareFailed(id, reason, at: now)
        case .unloaded(let id): unloaded(id)
        case .poolDrained(let id): poolDrained(id, at: now)
        case .died(let id, let reason): died(id, reason, at: now)
        case .quarantined(let id, let reason): quarantined(id, reason, at: now)
        case .answered(let id, let requests, let errors): answered(id, requests, errors, at: now)
        case .observed(let name, let evidence): observed(name, evidence, at: now)
        case .replayed(let name, let call, let result):
            tellRollout(name, at: now) { $0.replayed(call: call, result, at: now) }
        case .gateAnswered(let name, let call, let answer):
            tellRollout(name, at: now) { $0.gateAnswered(call: call, answer, at: now) }
        case .manifestChanged(let name, let manifest): manifestChanged(name, manifest, at: now)
        case .manifestUnreadable(let name, let reason):
            functions[name, default: FunctionDeployment(name: name)].manifestProblem = reason
        case .clock: clock(at: now)
        }
        return takeActions()
    }

    /// What was decided since the last call; records first, so that they are durable first.
    mutating func takeActions() -> [DeployAction] {
        var records: [DeployAction] = []
        for name in functions.takeTouched() {
            guard let record = functions[name]?.record, persisted[name] != record else { continue }
            persisted[name] = record
            records.append(.persist(record))
        }
        defer { actions = [] }
        return records + actions
    }

    /// When `.clock` is due; nil when nothing waits for time.
    public var wakeAt: Instant? {
        var times = functions.values.compactMap(\.watch?.until)
        if hasListed {
            times += functions.values.compactMap { $0.isResumed && !$0.isBeingObserved ? $0.liveRollout?.wakeAt : nil }
        }
        for function in functions.values {
            times += function.versions.values.compactMap {
                $0.state == .ready && !function.keepsWarm($0) ? $0.warmUntil : nil
            }
        }
        for file in files.values {
            if let retryAt = file.retryAt { times.append(retryAt) }
            if !isListingWanted, let dueAt = settleTime(of: file) { times.append(dueAt) }
            if let startAt = copyAheadTime(of: file) { times.append(startAt) }
        }
        return times.min()
    }

    /// Whether the first scan is done and everything that was found or known then has been decided.
    public var isSettled: Bool {
        let isDeciding = files.values.contains {
            switch $0.phase {
            case .settling, .copying: true
            case .accepted, .refused: false
            }
        }
        return hasListed && !isDeciding
            && functions.values.allSatisfy { function in
                function.route == function.wantedRoute
                    && function.versions.values.allSatisfy {
                        $0.state != .verifying && ($0.state != .stored || function.problem(of: $0) != nil)
                    }
            }
    }

    private mutating func clock(at now: Instant) {
        let due = files.values.contains { file in settleTime(of: file).map { $0 <= now } == true }
        if due { wantListing() }
        for (name, file) in files {
            if let retryAt = file.retryAt, retryAt <= now {
                files[name]?.retryAt = nil
                startCopy(name, file)
            }
            if let startAt = copyAheadTime(of: file), startAt <= now {
                files[name]?.copyAhead = .running
                actions.append(.copy(file: name, stamp: file.stamp))
            }
        }
        if hasListed { lookAtRollouts(at: now) }
        for (name, function) in functions {
            if let watch = function.watch, watch.until <= now { functions[name]?.watch = nil }
            for version in function.versions.values where version.state == .ready {
                if let warmUntil = version.warmUntil, warmUntil <= now { release(version.id) }
            }
        }
    }

    mutating func wantListing() {
        guard !isListingWanted else { return }
        isListingWanted = true
        actions.append(.listFolder)
    }

    subscript(id: VersionID) -> VersionDeployment? {
        get { functions[id.function]?.versions[id.number] }
        set { functions[id.function, default: FunctionDeployment(name: id.function)].versions[id.number] = newValue }
    }

    mutating func release(_ id: VersionID) {
        if let version = self[id], functions[id.function]?.keepsWarm(version) == true { return }
        self[id]?.warmUntil = nil
        actions.append(.release(id))
    }
}

/// Tells what the wall clock will say, as far as one look at it tells.
struct WallClock: Hashable, Sendable {
    /// What it says at instant 0.
    private let origin: Int

    init(unixSeconds: Int, at now: Instant) { origin = unixSeconds - Self.seconds(now) }

    func unixSeconds(at instant: Instant) -> Int { origin + Self.seconds(instant) }

    private static func seconds(_ instant: Instant) -> Int { Int(instant.nanoseconds / 1_000_000_000) }
}
