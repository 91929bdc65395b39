internal import RoostBasics
internal import RoostChannel
internal import RoostPool
internal import RoostProcess

/// A version as it runs: its template, its instances, its queue, and what its callers have been promised.
///
/// Belongs to the loop. `Serving` acts on it; others read.
final class VersionService {
    /// From the file to a process that can be forked.
    enum Template {
        /// Only the file. Goes to loading.
        case cold
        /// A process is reading it. Goes to warm, or cold when that fails.
        case loading(TemplateID, since: Instant)
        /// Waits to be forked, or (when `single`) has become the one instance. Goes to cold when it dies.
        case warm(TemplateID)
    }

    /// One running instance.
    struct Live {
        let id: InstanceID
        let channel: HostChannel
        var timing: StartTiming
        /// Until it has, its requests are still paying for the fork.
        var hasAnswered = false
        /// In the host's PID namespace; nil until the kernel has told.
        var pid: Int32?
        /// The pool has been told that its process runs.
        var isReady = false
        /// How often it has rung since its last answer without having anything to say.
        var vainRings = 0
        /// Forked before anybody asked: how soon it answers says nothing of a fork.
        var wasSpare = false
        /// Told to end because nobody needs it: its end is no news.
        var isStopped = false
        /// Why the host ended it, in words, when it did.
        var endedBecause: String?
    }

    let id: VersionID
    let artifact: Artifact
    var loadSettings: LoadSettings
    /// How long a request may be kept waiting for others to share its predict.
    var patience = Instant.Span.zero
    /// From which score on the label of two classes is the positive one; NaN: as the model decides.
    var threshold = Double.nan
    private unowned let serving: Serving
    /// Hears of the template in the version's stead.
    private(set) lazy var templateNews = TemplateNews(self)
    var pool: Pool
    var template = Template.cold
    /// What loading found, once it succeeded, and when that was.
    var report: LoadReport?
    var loadedAt = Instant(nanoseconds: 0)
    var instances: [Live] = []
    /// Forked ahead while the version has no instance; not one of them, and without requests.
    var spare: Live?
    /// By ticket index.
    private(set) var inFlight: [InFlight] = []
    var statistics = VersionStatistics()
    /// Of copies that it was given to compare its answers with those that were served.
    var shadow = ShadowTally()
    /// Traffic tries it: who comes by traffic is answered by another version when this one cannot.
    var isOnTrial = false
    /// CPU time of its processes that have ended.
    var cpuOfEnded = Instant.Span.zero
    var log = OutputLog()
    /// Between its start and its being forkable, the last time; and its memory as last measured.
    var loadTook = Instant.Span.zero
    var templateSize: ByteCount?
    var isPinned = false
    /// Its claim to a place for one more instance: none is open, it waits, or no instance has taken the place yet.
    enum Claim { case none, waiting, granted }
    var claim = Claim.none
    /// Why the pool has given the version up, until the deployment has been told.
    var quarantineReason: String?
    /// When the cache last heard of a call; when the pool was last seen with work.
    var calledAt = Instant(nanoseconds: 0)
    var busyAt = Instant(nanoseconds: 0)
    /// When instances that wait for the template were asked for.
    var startsAsked: [Instant] = []
    /// Why the last instance or template ended, for people.
    var lastFailure: String?
    /// Listed in `Serving.touched` and `Serving.active` respectively.
    var isTouched = false
    var isActive = false
    /// Somebody waits to hear that nothing is queued or running any more.
    var isDraining = false
    /// It leaves: removed as soon as nothing of it runs.
    var isRetiring = false
    /// Answers that the rollback guard has not been told of.
    var unreported = (requests: 0, errors: 0)
    /// Counts for a rollout, while this version is one of the two; and which one.
    private(set) var watch: RolloutWatch?
    private(set) var isCanary = false
    /// Shadows that are recorded requests, and what becomes of them.
    var replaying: [Ticket: ReplayStep] = [:]
    /// What of its requests is recorded; shared with the function's other versions.
    var recording: FunctionRecording?
    /// Whether it knows every private field, so that requests can be recorded without showing one.
    var isRecordable = false
    /// Predictions recorded, and those that were to be but the disk did not keep up.
    var recorded = (written: 0, dropped: 0)
    /// The version's number as text: `3`.
    let numberText: String
    /// `Roost-Version: 3`, and the beginning of `Server-Timing`.
    let replyFieldsHead: [UInt8]

    init(_ id: VersionID, _ artifact: Artifact, pool settings: PoolSettings, load: LoadSettings, on serving: Serving) {
        self.id = id
        self.artifact = artifact
        loadSettings = load
        self.serving = serving
        pool = Pool(settings: settings)
        numberText = id.number.description
        replyFieldsHead = Array("Roost-Version: \(numberText)\r\nServer-Timing: queue;dur=".utf8)
    }

    /// Counts for a rollout from now on, if this is one of the versions that it compares; nil: for none.
    func watch(by watch: RolloutWatch?) {
        isCanary = watch?.canary == id.number
        self.watch = isCanary || watch?.stable == id.number ? watch : nil
    }

    /// Counts one answered request.
    /// - Parameter slot: of its caller's sticky key; nil without one.
    func count(
        _ outcome: Outcome, total: Instant.Span, rows: Int = 1, slot: UInt16? = nil, paysForStart: Bool = false,
        at now: Instant
    ) {
        if let watch {
            watch.add(outcome, isCanary: isCanary, latency: total, rows: rows, slot: slot, paysForStart: paysForStart)
        }
        statistics.add(outcome, total: total, at: now)
        unreported.requests += 1
        switch outcome {
        case .modelError, .death, .timeout: unreported.errors += 1
        case .ok, .clientError, .overload: break
        }
    }

    /// Keeps a copy of an accepted request.
    func hold(_ ticket: Ticket, _ header: RequestHeader, contentTypeText: RawSpan, body: RawSpan) {
        let index = Int(ticket.index)
        while inFlight.count <= index { inFlight.append(InFlight(header: header)) }
        let before = inFlight[index].largeBytes
        inFlight[index].hold(header, contentTypeText, body)
        noteHeld(inFlight[index].largeBytes - before)
    }

    /// Large bodies count as memory of bodies until they are answered.
    private func noteHeld(_ more: Int) {
        if more != 0 { serving.server.counters.heldBodyBytes += more }
    }

    /// What is held for a request that goes to another version.
    func takeOut(_ ticket: Ticket) -> InFlight {
        let index = Int(ticket.index)
        defer { inFlight[index] = InFlight(header: inFlight[index].header) }
        noteHeld(-inFlight[index].largeBytes)
        return inFlight[index]
    }

    func takeOver(_ ticket: Ticket, _ header: RequestHeader, _ held: InFlight) {
        let index = Int(ticket.index)
        while inFlight.count <= index { inFlight.append(InFlight(header: header)) }
        let before = inFlight[index].largeBytes
        inFlight[index].takeOver(held, header)
        noteHeld(inFlight[index].largeBytes - before)
    }

    /// Keeps a copy of what `other` has answered, with its answer.
    func hold(
        _ ticket: Ticket, _ header: RequestHeader, copyOf other: InFlight, answered head: ReplyHeader, _ reply: RawSpan
    ) {
        let index = Int(ticket.index)
        while inFlight.count <= index { inFlight.append(InFlight(header: header)) }
        let before = inFlight[index].largeBytes
        inFlight[index].hold(header, copyOf: other, answered: head, reply)
        noteHeld(inFlight[index].largeBytes - before)
    }

    /// By what its caller calls a request whose answer is to be recorded.
    func note(key: [UInt8], of ticket: Ticket) {
        if !key.isEmpty { inFlight[Int(ticket.index)].note(key: key) }
    }

    /// The body of a request that is held.
    func body(of ticket: Ticket) -> [UInt8] {
        let held = inFlight[Int(ticket.index)]
        return Array(held.content[held.contentTypeBytes..<held.contentBytes])
    }

    /// Gives back the memory of an unusually large body, if it is still this request's: nobody needs it any more.
    func forget(_ ticket: Ticket) {
        let index = Int(ticket.index)
        guard inFlight[index].header.id.rawValue == ticket.rawValue else { return }
        noteHeld(-inFlight[index].largeBytes)
        inFlight[index].forget()
    }

    /// The request was among the first of instance `at`, and predict took `took`: if the instance did not run yet when
    /// the request came, the fork was what it waited for until predict began.
    func noteFirst(_ ticket: Ticket, _ at: Int, _ took: Instant.Span, before now: Instant) {
        let index = Int(ticket.index)
        // What an instance tells may be anything.
        let began = Instant(nanoseconds: now.nanoseconds - min(took.nanoseconds, now.nanoseconds))
        let arrived = inFlight[index].header.arrived
        guard !instances[at].isReady || arrived < instances[at].timing.forked else { return }
        noteReady(at, since: began, at: now)
        let timing = instances[at].timing.phases(arrived: arrived, first: began)
        inFlight[index].note(frameEnd: inFlight[index].frameEnd, timing)
    }

    /// Instance `at` has been running since `ran` at the latest: its first answer may come before the nursery's word.
    func noteReady(_ at: Int, since ran: Instant, at now: Instant) {
        guard !instances[at].isReady else { return }
        instances[at].isReady = true
        guard !instances[at].wasSpare else { return pool.instanceReady(instances[at].id, after: nil, at: now) }
        var cost = ran - instances[at].timing.forked
        // The next one of a template that may not be forked has to load.
        if report?.isForkable == false { cost.nanoseconds += loadTook.nanoseconds }
        pool.instanceReady(instances[at].id, after: cost, at: now)
    }

    func noteDispatch(_ ticket: Ticket, frameEnd: UInt64, timing: PhaseTiming) {
        inFlight[Int(ticket.index)].note(frameEnd: frameEnd, timing)
    }

    /// Where the time of a request went that ends now without a reply.
    func timing(of ticket: Ticket, at now: Instant) -> PhaseTiming {
        let request = inFlight[Int(ticket.index)]
        return request.frameEnd > 0 ? request.timing : PhaseTiming(queue: now - request.header.arrived)
    }

    /// What a request would find now.
    enum Warmth: String { case running, warm, cold }

    var warmth: Warmth {
        if !instances.isEmpty { return .running }
        if case .warm = template { return .warm }
        return .cold
    }

    /// How long a request would wait for an instance now, as measured: nil while nothing was.
    var wakeTime: Instant.Span? {
        let fork = statistics.fork.quantile(0.5)
        return switch warmth {
        case .running: .zero
        case .warm: fork
        case .cold: report == nil ? nil : loadTook + (fork ?? .zero)
        }
    }

    /// How long it takes until an instance can be forked, as far as the last load tells; without one, a load is
    /// expected to take as long again as it has taken so far.
    func loadingLeft(at now: Instant) -> Instant.Span {
        switch template {
        case .warm: return .zero
        case .cold: return loadTook
        case .loading(_, let since):
            let spent = now - since
            return report == nil
                ? spent : Instant.Span(nanoseconds: max(loadTook, spent).nanoseconds - spent.nanoseconds)
        }
    }

    func position(of instance: InstanceID) -> Int? { instances.firstIndex { $0.id == instance } }
}

extension VersionService {
    /// What `Processes` refers to weakly: an object with weak references pays for them in every retain and release,
    /// and a version has some for each request.
    final class TemplateNews: TemplateOwner {
        private unowned let service: VersionService

        init(_ service: VersionService) { self.service = service }

        func templateLoaded(_ id: TemplateID, _ report: LoadReport) { service.serving.loaded(service, id, report) }
        func templateFailed(_ id: TemplateID, _ error: RoostError) {
            guard case .loading(id, _) = service.template else { return }
            service.serving.loadFailed(service, error)
        }
        func templateExited(_ id: TemplateID, _ status: ExitStatus) {
            service.serving.templateGone(service, id, status)
        }
        func templatePrinted(_ bytes: [UInt8]) { service.log.append(bytes.bytes) }
        func processUsed(_ cpu: Instant.Span) { service.cpuOfEnded = service.cpuOfEnded + cpu }
    }
}
