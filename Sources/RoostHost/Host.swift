internal import RoostBasics
internal import RoostClient
internal import RoostFiles
internal import RoostFunctions
internal import RoostHTTP
internal import RoostLoop
internal import RoostProcess
internal import RoostTraffic

/// One host: everything that `roost serve` keeps, wired together. Belongs to the loop's thread.
final class Host {
    let options: ServeOptions
    let home: Home
    let loop: Loop
    let started: Instant
    private(set) var server: HTTPServer
    let processes: Processes
    let serving: Serving
    let recorder: Recorder
    let deploying: Deploying
    let jobs: Jobs
    let access: Access
    private let dispatcherBox: DispatcherBox
    private var completed: Triggers?
    private var managing: Management?
    private(set) var port: UInt16 = 0
    private(set) var warnings: [String] = []
    private var isClosing = false

    /// Makes the home if need be and takes it, reads what was served before, starts the nursery.
    init(_ options: ServeOptions) throws {
        self.options = options
        home = try Home(options.home)
        loop = try Loop()
        started = loop.now
        let binaries = Folder(options.binaries)
        let catalog = RuntimeCatalog(
            folders: options.runtimeFolders.map { Folder($0) } + [
                home.runtimes, binaries.folder("../lib/roost/runtimes"), binaries,
            ])
        let ledger = try Ledger(path: home.state.path("roost.db"))
        let (records, complaints) = try ledger.records()
        let manifests = Manifests(remembered: try ledger.manifests())
        warnings = catalog.warnings + complaints
        var options = options
        options.build = try Self.build(binaries, catalog)
        let store = try ArtifactStore(home.state.folder("store"))
        let disk = Disk(
            plugins: home.plugins, functions: home.functions, data: home.data,
            reader: ArtifactReader(store: store, catalog: catalog, functions: home.functions), ledger: ledger)
        let box = DispatcherBox()
        dispatcherBox = box
        var limits = GatewayLimits()
        limits.bodyBytesMax = options.bodyBytesMax
        if let held = options.heldBodyBytesMax { limits.heldBodyBytesMax = held }
        limits.connectionsMax = GatewayLimits.connections(
            openFilesMax: options.openFilesMax, instancesMax: options.instancesMax)
        server = try HTTPServer(on: loop, limits: limits, handler: box)
        var settings = NurserySettings(binary: binaries.path("roost-instance"))
        (settings.user, settings.group, settings.allowsForks) = (options.user, options.user, options.allowsForks)
        if let memory = options.loadMemory { settings.loadMemoryBytes = UInt64(memory.bytes) }
        // Probation, which knows what to say of it, comes first.
        settings.loadPatience = options.loadTimeout + .seconds(5)
        processes = try Processes(on: loop, settings: settings) { Console.warn("roost: warning: \($0)") }
        recorder = try Recorder(on: loop, state: home.state)
        serving = try Serving(
            on: loop, processes: processes, server: server, recorder: recorder,
            warmMemory: options.warmMemory ?? ByteCount(bytes: ThisProcess.memoryBytes / 4),
            instancesMax: options.instancesMax)
        processes.instanceOwner = serving
        var random = SystemRandomNumberGenerator()
        deploying = try Deploying(
            on: loop, serving: serving, processes: processes, disk: disk, options: options, records: records,
            manifests: manifests, seed: random.next()
        ) { Console.print($0) }
        jobs = try Jobs(
            on: loop, processes: processes, store: try JobStore(path: home.state.path("jobs.db"), on: loop),
            places: try JobPlaces([home.data] + options.dataFolders.map { Folder($0) }), instancesMax: options.cores)
        access = Access(
            listen: options.listen.host, named: options.hosts,
            token: try options.tokenFile.map { path throws(RoostError) in BearerToken(try TokenFile.read(path)) })
        box.dispatcher = Dispatcher(self)
        try introduce()
        for warning in warnings { Console.warn("roost: warning: \(warning)") }
    }

    /// Tells the parts what they have to know of each other.
    private func introduce() throws {
        jobs.borrow = { [unowned self] in serving.lendPlace() }
        serving.onPlaceWanted = { [unowned self] in jobs.giveUpOne() }
        serving.onPlacesFree = { [unowned self] in jobs.takePlaces() }
        jobs.onLine = { Console.print($0) }
        jobs.model = { [unowned self] record throws(RoostError) in try jobModel(of: record) }
        deploying.otherArtifacts = { [unowned self] in jobs.artifactsInUse }
        let triggers = try Triggers(self)
        completed = triggers
        deploying.onManifests = { [unowned triggers] in triggers.apply($0) }
        deploying.addressRule = { [unowned self] in rule(for: $0) }
        managing = try Management(self)
    }

    var management: Management {
        guard let managing else { preconditionFailure("asked before the host was complete") }
        return managing
    }

    var triggers: Triggers {
        guard let completed else { preconditionFailure("asked before the host was complete") }
        return completed
    }

    /// Identifies what proved the versions: another instance binary or runtime proves them again.
    private static func build(_ binaries: Folder, _ catalog: RuntimeCatalog) throws(RoostError) -> String {
        var parts = [RoostVersion.current]
        for path in [binaries.path("roost-instance")] + catalog.runtimes.map(\.path) {
            let status = try FileDescriptor(reading: path).status()
            parts.append("\(status.size)-\(status.modified)")
        }
        return parts.joined(separator: "/")
    }

    /// Opens the doors and begins to watch the folders.
    func start() throws {
        port = try server.listen(at: .tcp(host: options.listen.host, port: options.listen.port))
        _ = try server.listen(at: .unix(folder: home.state.path, name: "roost.sock"))
        try deploying.start()
        jobs.start()
        triggers.start()
    }

    /// What a URL of a manifest must not reach: this host's own management above all, which trusts its own machine.
    /// Endpoints that are for everybody may be called, so that one function's outcome can be another one's input.
    func rule(for url: WebhookURL) -> AddressRule {
        // As it is written: what has to be decoded first is none of those.
        let isForAll = Endpoint(path: String(url.path.prefix { $0 != "?" }))?.isPublic == true
        return AddressRule(forbidsOwn: url.port == port && !isForAll)
    }

    private func known(_ function: String) throws(RoostError) -> FunctionDeployment {
        guard let name = FunctionName(function) else {
            throw RoostError(.notFound, "\"\(function)\" is no function's name")
        }
        return try deploying.machine.known(name)
    }

    /// What to tell somebody whose request traffic cannot give to any version.
    /// - Throws: `notFound` naming the functions that exist.
    func whyNothingServes(_ function: String) throws(RoostError) -> RoostError {
        let known = try known(function)
        if let reason = known.absenceReason { return RoostError(.unavailable, reason) }
        let reasons = known.versions.values.sorted { $0.id > $1.id }.map { one in
            "\(one.id) is \(one.state.word)\(one.state.reason.map { ": \($0)" } ?? "")"
        }
        return RoostError(
            .unavailable, "\(known.name) has no version that serves: \(reasons.joined(separator: "; "))")
    }

    /// The version that a request names, by its number or a tag.
    /// - Throws: `notFound` naming what exists; `unavailable` when it cannot answer now, saying why.
    func find(_ function: String, version: String) throws(RoostError) -> VersionService {
        let found = try deploying.machine.known(try known(function).name, version)
        let id = found.id
        if let service = deploying.addressed(id) { return service }
        if let reason = deploying.machine.functions[id.function]?.absenceReason {
            throw RoostError(.unavailable, reason)
        }
        throw RoostError(
            .unavailable,
            "\(id) takes no requests, it is \(found.state.word)\(found.state.reason.map { ": \($0)" } ?? "")")
    }

    /// Whether everything that was found at the start, or known from before, is ready or failed.
    var isReady: Bool { deploying.machine.isSettled }

    /// The version that a path names, else the one that speaks for the function; it takes requests.
    func version(_ target: Endpoint.Target) throws(RoostError) -> VersionDeployment {
        if let version = target.version {
            return try deploying.machine.known(try find(target.function, version: version).id)
        }
        guard let name = FunctionName(target.function), let leading = deploying.routes[name]?.leading else {
            throw try whyNothingServes(target.function)
        }
        return try deploying.machine.known(leading.id)
    }

    /// Stops accepting, lets requests finish, then closes. `onEnd` comes when no process is left.
    func drain(then onEnd: @escaping () -> Void) {
        server.drain { [self] in close(then: onEnd) }
    }

    /// Ends at once what is still there; may be repeated.
    func close(then onEnd: @escaping () -> Void) {
        guard !isClosing else { return }
        isClosing = true
        server.close()
        deploying.close()
        management.loads.close()
        triggers.close()
        jobs.close()
        processes.shutDown { [self] in
            serving.close()
            recorder.close()
            onEnd()
        }
    }
}

/// Stands in for the dispatcher until the host that it needs is complete.
private final class DispatcherBox: RequestHandler {
    var dispatcher: Dispatcher?

    func handle(_ head: borrowing RequestHead, body: RawSpan, id: RequestID, on server: HTTPServer) {
        dispatcher?.handle(head, body: body, id: id, on: server)
    }
    func clientGone(_ id: RequestID) { dispatcher?.clientGone(id) }
}
