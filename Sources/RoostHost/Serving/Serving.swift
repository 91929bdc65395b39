internal import RoostBasics
internal import RoostChannel
internal import RoostHTTP
internal import RoostLoop
internal import RoostPool
internal import RoostScaling

/// Runs the versions: carries out what their pools decide, moves requests into channels and replies out of them.
///
/// Belongs to the loop. Decisions are made in `Pool`; here is the one place that acts on them.
final class Serving {
    let loop: Loop
    let processes: Processes
    let server: HTTPServer
    let recorder: Recorder
    private let doorbells: Doorbells
    private var doorbellPoll: Poll?
    private var turnHook: TurnHook?
    private let clock: Timer
    /// Keeps the loop from blocking when a reply came just before it would have.
    private let again: Timer
    private var missed: [VersionService] = []
    private var onMissed: () -> Void = {}
    /// When the clock rings next.
    private var clockDue = Serving.never
    private static let never = Instant(nanoseconds: .max)

    private(set) var services: [VersionID: VersionService] = [:]
    /// Which templates stay in memory; and the thread that measures them.
    var cache: ColdStartCache<VersionID>
    private(set) var meter: Worker<Measurement>?
    /// Versions to load without being asked.
    var warmQueue: [VersionID] = []
    var warmingNow: VersionID?
    let warming: Timer
    /// Who has how many of the host's instances.
    var places: InstanceBudget<Tenant>
    var isServingPlaces = false
    /// A version waits for a place that jobs have; there are places that nobody wants.
    var onPlaceWanted: () -> Void = {}
    var onPlacesFree: () -> Void = {}
    /// For the next fork.
    var spareChannel: HostChannel?
    /// Whose channels were written to in this turn of the loop.
    private var touched: [VersionService] = []
    /// Those that the clock has to look at.
    private var active: [VersionService] = []
    /// Also of spares.
    var serviceOf: [InstanceID: VersionService] = [:]
    /// Versions that have a spare instance, the one that was called last at the end.
    var spares: [VersionService] = []
    /// Whom an exchange of the gateway waits for, by its slot.
    var callers: [Caller?] = []
    var fields = ReplyFields()
    /// Bytes of copies that wait for their comparison, or are being compared.
    var shadowBytes = 0
    /// What the deployment's guard has to know.
    var onNews: (VersionService, ServiceNews) -> Void = { _, _ in }
    /// Called when a draining version has nothing queued or running any more.
    var onIdle: (VersionService) -> Void = { _ in }
    /// Functions whose answers the guard counts.
    var watched: Set<FunctionName> = []
    /// Called when a version's template is there, or could not be loaded.
    var onLoaded: (VersionService, RoostError?) -> Void = { _, _ in }

    struct Caller {
        let id: RequestID
        let service: VersionService
        let ticket: Ticket
        /// Whose traffic chose the version; nil when the caller named it, or another one answers in its stead.
        let route: FunctionRoute?
        /// Of its sticky key.
        let slot: UInt16?
    }

    /// How early a 504 may come, and how often the clock looks while anything runs.
    static let resolution = Instant.Span.milliseconds(10)

    init(
        on loop: Loop, processes: Processes, server: HTTPServer, recorder: Recorder, warmMemory: ByteCount,
        instancesMax: Int
    ) throws {
        self.loop = loop
        self.processes = processes
        self.server = server
        self.recorder = recorder
        doorbells = try Doorbells()
        clock = try Timer(on: loop)
        again = try Timer(on: loop)
        warming = try Timer(on: loop)
        cache = ColdStartCache(budget: warmMemory)
        places = InstanceBudget(limit: instancesMax)
        doorbellPoll = try Poll(doorbells.descriptor, for: .readable, on: loop) { [unowned self] _ in answerDoorbells()
        }
        turnHook = TurnHook(.ring, on: loop) { [unowned self] in endTurn() }
        meter = try Worker(on: loop) { [unowned self] in measured($0) }
        processes.onNurseryLost = { [unowned self] in warmAgain() }
        onMissed = { [unowned self] in receiveMissed() }
    }

    /// Lets the loop end. Instances must have been stopped before.
    func close() {
        doorbellPoll?.close()
        turnHook?.close()
        clock.close()
        again.close()
        warming.close()
        meter?.close()
    }

    // MARK: versions

    func add(_ service: VersionService) { services[service.id] = service }

    /// A version leaves: what it has accepted is answered, then its processes end. Its name is free at once.
    func retire(_ service: VersionService) {
        services[service.id] = nil
        service.isRetiring = true
        cache.forget(service.id)
        places.forget(.version(service.id))
        perform(service)
    }

    private func remove(_ service: VersionService) {
        cool(service)
        service.isRetiring = false
    }

    // MARK: requests

    /// Takes an inference request for a version; the caller gets exactly one answer, unless it goes away first.
    func submit(
        _ id: RequestID, _ request: InferenceRequest, contentTypeText: RawSpan, body: RawSpan, to addressee: Addressee
    ) {
        let now = loop.now
        let (service, route) = (addressee.service, addressee.route)
        let deadline = request.timeout.map { now + $0 }
        let errand: Errand = route != nil && service.isOnTrial ? .trial : .own
        guard let ticket = service.pool.arrived(id, errand, deadline: deadline, at: now) else {
            if errand == .trial, service.pool.isQuarantined, let stable = route?.stable, stable !== service {
                service.count(.death, total: .zero, slot: addressee.slot, at: now)
                let stead = Addressee(service: stable, route: nil, slot: addressee.slot)
                return submit(id, request, contentTypeText: contentTypeText, body: body, to: stead)
            }
            return refuseArrival(id, service, slot: addressee.slot, at: now)
        }
        var header = RequestHeader(
            id: RequestID(rawValue: ticket.rawValue), operation: request.operation, contentType: request.contentType,
            accept: request.accept, arrived: now,
            deadline: min(deadline ?? now + service.pool.settings.timeout, now + service.pool.settings.timeout),
            patience: now + service.patience)
        if let recording = service.recording {
            header.wants = recording.wishes(at: now, isRecordable: service.isRecordable)
        }
        header.threshold = service.threshold
        (header.contentCoding, header.acceptCoding) = (request.contentCoding, request.acceptCoding)
        (header.jsonBytes, header.bodyLimit) = (request.jsonBytes, server.limits.bodyBytesMax)
        service.hold(ticket, header, contentTypeText: contentTypeText, body: body)
        if !header.wants.isEmpty { service.note(key: request.key, of: ticket) }
        let slot = Int(id.slot)
        while callers.count <= slot { callers.append(nil) }
        callers[slot] = Caller(id: id, service: service, ticket: ticket, route: route, slot: addressee.slot)
        perform(service)
    }

    /// Nobody waits for this request any more.
    func clientGone(_ id: RequestID) {
        guard callers.indices.contains(Int(id.slot)), let caller = callers[Int(id.slot)], caller.id == id else {
            return
        }
        callers[Int(id.slot)] = nil
        caller.service.pool.cancelled(caller.ticket)
        caller.service.forget(caller.ticket)
        perform(caller.service)
    }

    /// Carries out everything that follows from the last inputs of a pool.
    func perform(_ service: VersionService) {
        let now = loop.now
        while let action = service.pool.next(at: now) {
            switch action {
            case .dispatch(let ticket, let id, let instance): dispatch(ticket, id, to: instance, of: service)
            case .start: startIfPlaced(service)
            case .stop(let instance):
                if let at = service.position(of: instance) { service.instances[at].isStopped = true }
                processes.kill(instance)
            case .kill(let instance):
                end(service, instance, because: "it did not answer for \(service.pool.settings.timeout)")
            case .fail(let id, let failure): fail(id, failure, service)
            case .handOver(let ticket, let id, let isSuspect): handOver(ticket, id, isSuspect: isSuspect, from: service)
            case .dropShadow(let ticket, let failure): shadowDropped(ticket, failure, service)
            case .quarantine: quarantine(service)
            }
        }
        if !service.pool.hasNoCallers { service.busyAt = now }
        if service.claim != .none { settleClaim(service) }
        if let reason = service.quarantineReason {
            service.quarantineReason = nil
            onNews(service, .quarantined(reason))
        }
        touch(service)
        watch(service)
        if service.isDraining, service.pool.hasNoCallers { onIdle(service) }
        if service.isRetiring, service.pool.isIdle, service.instances.isEmpty { remove(service) }
    }

    private func dispatch(_ ticket: Ticket, _ id: RequestID, to instance: InstanceID, of service: VersionService) {
        guard let at = service.position(of: instance) else { return }
        let index = Int(ticket.index)
        let (header, content) = (service.inFlight[index].header, service.inFlight[index].content)
        let (typeBytes, bytes) = (service.inFlight[index].contentTypeBytes, service.inFlight[index].contentBytes)
        // As the manifest has them now, not when the request came.
        let hidden = header.wants.contains(.record) ? service.recording?.privateBytes ?? [] : []
        do throws(ChannelError) {
            let frameEnd = try service.instances[at].channel.send(
                header, contentTypeText: content.bytes.extracting(first: typeBytes),
                body: content.bytes.extracting(typeBytes..<bytes),
                privateFields: hidden.bytes)
            guard let frameEnd else { return service.pool.noRoom(ticket, on: instance) }
            let timing = service.instances[at].timing.phases(arrived: header.arrived, dispatched: loop.now)
            service.noteDispatch(ticket, frameEnd: frameEnd, timing: timing)
        } catch  where error.isShortage {
            withdraw(ticket, id, from: instance, of: service, because: error)
        } catch {
            service.pool.noRoom(ticket, on: instance)
            end(service, instance, because: error)
        }
    }

    /// The host itself lacks what it takes to hand a request over. Any other instance would get it as little.
    private func withdraw(
        _ ticket: Ticket, _ id: RequestID, from instance: InstanceID, of service: VersionService,
        because error: ChannelError
    ) {
        guard let errand = service.pool.withdrawn(ticket, from: instance), errand != .shadow else {
            return shadowDropped(ticket, .timeout, service)
        }
        guard let caller = callers[Int(id.slot)], caller.id == id else { return }
        callers[Int(id.slot)] = nil
        let now = loop.now
        let waited = now - service.inFlight[Int(ticket.index)].header.arrived
        service.count(.overload, total: waited, slot: caller.slot, at: now)
        refuse(
            id, 503, "\(service.id) could not be given this request: \(error)", service,
            service.timing(of: ticket, at: now), extra: "Retry-After: 1\r\n")
        service.forget(ticket)
    }

    // MARK: replies

    private func answerDoorbells() {
        doorbells.takeRung { tag in
            let instance = InstanceID(rawValue: tag)
            guard let service = serviceOf[instance] else { return }
            if !receive(from: instance, of: service) { rangInVain(instance, of: service) }
        }
    }

    /// Whether anything had come.
    @discardableResult
    private func receive(from instance: InstanceID, of service: VersionService) -> Bool {
        guard let at = service.position(of: instance) else { return true }
        let channel = service.instances[at].channel
        var strange: String?
        var (hasCome, hasAnswered) = (true, false)
        do {
            hasCome = try channel.receive { header, contentTypeText, body in
                let ticket = Ticket(rawValue: header.id.rawValue)
                switch service.pool.replied(ticket, by: instance, at: loop.now) {
                case .deliver(let id):
                    hasAnswered = true
                    if !service.instances[at].hasAnswered {
                        service.noteFirst(ticket, at, header.infer, before: loop.now)
                    }
                    if header.hasSummary { record(channel.summary, id, ticket, service) }
                    deliver(id, ticket, header, contentTypeText, body, service)
                case .compared: shadowCompared(ticket, header, body, service)
                case .drop: service.forget(ticket)
                case .unknown: strange = "it answered a request that it was never given"
                }
            }
        } catch { strange = error.description }
        if hasAnswered {
            service.instances[at].hasAnswered = true
            service.instances[at].vainRings = 0
        }
        if let strange { end(service, instance, because: strange) }
        perform(service)
        return hasCome
    }

    private func deliver(
        _ id: RequestID, _ ticket: Ticket, _ header: ReplyHeader, _ contentTypeText: RawSpan, _ body: RawSpan,
        _ service: VersionService
    ) {
        let now = loop.now
        let index = Int(ticket.index)
        let timing = service.inFlight[index].timing
        // Moved out, not copied: that would retain and release what it refers to.
        let caller = callers[Int(id.slot)].take()
        let slot = caller?.slot
        service.count(
            header.outcome, total: now - service.inFlight[index].header.arrived, rows: Int(header.rows), slot: slot,
            paysForStart: timing.fork != nil || timing.load != nil, at: now)
        service.statistics.add(timing, header)
        fields.set(head: service.replyFieldsHead, timing: timing, infer: header.infer)
        if header.contentType == .other { fields.add(contentType: contentTypeText) }
        fields.add(header, bodyBytes: body.byteCount)
        Self.reply(id, Int(header.status), header.contentType.reply, fields, body, on: server)
        if let route = caller?.route, route.shadow != nil { shadow(ticket, header, body, of: service, on: route) }
        service.forget(ticket)
    }

    /// A class cannot lend a span of its own property; a function can.
    static func reply(
        _ id: RequestID, _ status: Int, _ type: ContentType, _ fields: borrowing ReplyFields, _ body: RawSpan,
        on server: HTTPServer
    ) {
        server.reply(
            to: id, status: status, type: type, fields: fields.bytes, body: body)
    }

    /// An instance that hangs or breaks the rules of the channel is ended; its requests run again elsewhere.
    func end(_ service: VersionService, _ instance: InstanceID, because reason: some CustomStringConvertible) {
        // The first reason: what it has written until it is gone may break further rules.
        if let at = service.position(of: instance), service.instances[at].endedBecause == nil {
            service.instances[at].endedBecause = "ended: \(reason)"
        }
        processes.kill(instance)
    }

    func note(_ service: VersionService, _ line: String) {
        service.lastFailure = line
        service.log.append(line: "roost: \(line)")
    }

    // MARK: turns and time

    private func touch(_ service: VersionService) {
        guard !service.isTouched else { return }
        service.isTouched = true
        touched.append(service)
    }

    /// Once per turn, after all reads: wake the instances that got work, and ask to be woken by them.
    private func endTurn() {
        for service in touched {
            service.isTouched = false
            for instance in service.instances {
                instance.channel.ring()
                if !instance.channel.prepareToSleep() { missed.append(service) }
            }
        }
        touched.removeAll(keepingCapacity: true)
        refillSpareChannel()
        // A timer that cannot start is a closed one: the host is ending.
        if !missed.isEmpty { try? again.start(after: .zero, onMissed) }
    }

    /// Takes the replies that came after the doorbells were last looked at.
    private func receiveMissed() {
        let services = missed
        missed.removeAll(keepingCapacity: true)
        for service in services {
            for instance in service.instances { receive(from: instance.id, of: service) }
        }
    }

    private func watch(_ service: VersionService) {
        // The hot path ends here: the service is listed, and the clock looks soon.
        guard !service.isActive || clockDue > loop.now + Self.resolution else { return }
        guard !service.pool.isIdle || service.pool.wakeUp != nil else { return }
        if !service.isActive {
            service.isActive = true
            active.append(service)
            noteCall(service, at: loop.now)
        }
        startClock(after: service.pool.isIdle ? wait(for: service) : Self.resolution)
    }

    private func wait(for service: VersionService) -> Instant.Span {
        max(Self.resolution, (service.pool.wakeUp ?? loop.now) - loop.now)
    }

    /// Unless it rings earlier: who waits for a minute must not keep others from their timeouts.
    private func startClock(after delay: Instant.Span) {
        guard loop.now + delay < clockDue else { return }
        clockDue = loop.now + delay
        // A timer that cannot start is a closed one: the host is ending.
        try? clock.start(after: delay) { [unowned self] in tick() }
    }

    private func tick() {
        clockDue = Self.never
        let now = loop.now
        for service in active {
            service.pool.tick(at: now, resolution: Self.resolution)
            perform(service)
            if !service.pool.isIdle, now - service.calledAt > .seconds(1) { noteCall(service, at: now) }
            if service.unreported.requests > 0, watched.contains(service.id.function) {
                let (requests, errors) = service.unreported
                service.unreported = (0, 0)
                onNews(service, .answered(requests: requests, errors: errors))
            }
        }
        active.removeAll { service in
            service.isActive = !service.pool.isIdle || service.pool.wakeUp != nil
            return !service.isActive
        }
        guard !active.isEmpty else { return }
        let busy = active.contains { !$0.pool.isIdle }
        let next = active.map { wait(for: $0) }.min() ?? Self.resolution
        startClock(after: busy ? Self.resolution : next)
    }

    // MARK: instances, told by Serving+Instances

    func adopt(_ live: VersionService.Live, of service: VersionService) throws(ChannelError) {
        try doorbells.add(live.channel.doorbell, tag: live.id.rawValue)
        serviceOf[live.id] = service
        service.instances.append(live)
        service.pool.instanceAdded(live.id, at: loop.now)
    }

    /// An instance is gone: what it had published is delivered, what it held runs elsewhere.
    func buried(_ instance: InstanceID, of service: VersionService, _ words: String) {
        receive(from: instance, of: service)
        guard let at = service.position(of: instance) else { return }
        let dead = service.instances.remove(at: at)
        serviceOf[instance] = nil
        doorbells.remove(dead.channel.doorbell)
        let taken = dead.channel.taken()
        let wanted = !dead.isStopped
        // What the kernel says of an end by our own hand explains nothing.
        let words = dead.endedBecause ?? words
        if wanted { note(service, "instance \(instance) \(words)") }
        service.pool.instanceExited(
            instance, taken: { service.inFlight[Int($0.index)].frameEnd <= taken }, at: loop.now)
        letGo(service)
        placeReleased(service)
        perform(service)
        if wanted { onNews(service, .died("instance \(instance) \(words)")) }
        keepSpare(service)
    }

    func service(of instance: InstanceID) -> VersionService? { serviceOf[instance] }
}

/// What happens to a running version that its deployment may have to act on.
enum ServiceNews {
    /// An instance ended that nobody had told to.
    case died(String)
    /// Answers since the last such news; errors leave out the callers' own mistakes.
    case answered(requests: Int, errors: Int)
    /// Its template is gone: it ended by itself, or its memory was needed for others.
    case templateLost
    /// Its instances die without answering: it was given up.
    case quarantined(String)
}
