internal import CRoost
internal import Glibc
public import RoostBasics
public import RoostLoop

/// What happens in the processes below the host.
public enum NurseryEvent: Sendable {
    /// A part of the isolation that this machine cannot give, or a misbehaving template; each text comes once.
    case warning(String)
    case templateLoaded(TemplateID, LoadReport)
    /// Loading failed, with the remedy. The process ends by itself; `templateExited` follows.
    case templateFailed(TemplateID, RoostError)
    case templateExited(TemplateID, ExitStatus)
    /// `process` is its pid as people see it.
    case instanceStarted(InstanceID, process: Int32)
    /// Comes once for every instance asked for, also for one that never started. Nothing of it runs any more.
    case instanceExited(InstanceID, ExitStatus)
    /// CPU time of a process that has ended, the template itself or an instance of it; before its end is told.
    case used(TemplateID, Instant.Span)
    /// A template or one of its instances made a call that the sandbox refuses.
    case callRefused(TemplateID, RefusedCall)
    /// What a version printed; comes also after its template has ended, while instances run.
    case output(TemplateID, [UInt8])
    /// All templates and instances are gone, and were reported so before. `restart` may have made a new nursery meanwhile.
    case nurseryLost(String)
}

/// The host's side of the nursery: starts templates, forks instances, kills, and says how everything ended.
///
/// Belongs to its loop; `onEvent` is called there, never from within a call of this class.
public final class Nursery {
    struct Instance {
        let template: TemplateID
        /// Nil until the nursery has found it; after that only when the host had no descriptor left for it.
        var pidfd: Descriptor?
        var isAdopted = false
        /// When that was asked for; its end may be a while coming.
        var killed: Instant?
        /// When the nursery was asked to find it.
        var adoptionAsked: Instant?
    }

    let loop: Loop
    let settings: NurserySettings
    private let binary: Descriptor
    private var control: ControlSocket?
    private var starter: EndWatch?
    private var process: EndWatch?
    /// Kept while their process runs.
    var templates: [TemplateID: Template] = [:]
    /// From the call of `fork` until the exit is reported.
    var instances: [InstanceID: Instance] = [:]
    /// Templates that have ended while their output is still open.
    private var outputs: [TemplateID: Template] = [:]
    private var warned: Set<String> = []
    /// Looks after those that owe an answer; runs while there may be one.
    private let watch: RoostLoop.Timer
    private var isWatching = false
    let onEvent: (NurseryEvent) -> Void
    private var onShutDown: (() -> Void)?
    /// Whether everything below ends with the nursery by the kernel's hand; known once it runs.
    public private(set) var isNamespace = false
    /// The nursery's pid, once it runs.
    public private(set) var processID: Int32?

    public init(
        on loop: Loop, settings: NurserySettings, onEvent: @escaping (NurseryEvent) -> Void
    ) throws(RoostError) {
        let file = unsafe open(settings.binary, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw RoostError(
                .system, "start processes: \(settings.binary): \(systemText(errno)): is roost-instance beside roost?")
        }
        (self.loop, self.settings, self.onEvent, binary) = (loop, settings, onEvent, Descriptor(file))
        do throws(UVError) { watch = try RoostLoop.Timer(on: loop) } catch {
            throw RoostError(.system, "watching processes: \(error)")
        }
        try restart()
    }

    // MARK: orders

    /// True from the moment at which the nursery is found lost until `restart`.
    public var isLost: Bool { control == nil && onShutDown == nil }

    /// Starts the nursery anew; allowed as soon as `isLost`.
    public func restart() throws(RoostError) {
        precondition(control == nil, "the nursery still runs")
        let pair = roost_control_pair()
        guard pair.status == 0 else { throw RoostError(.system, "start the nursery: \(systemText(-pair.status))") }
        let (ours, theirs) = (Descriptor(pair.first), Descriptor(pair.second))
        let spawned = Environment.spawn(binary.number, theirs.number, settings.environment)
        guard spawned.status == 0 else {
            throw RoostError(.system, "start \(settings.binary): \(systemText(-spawned.status))")
        }
        starter = try EndWatch(Descriptor(spawned.pidfd), on: loop) { [weak self] in self?.starter = nil }
        control = try ControlSocket(
            ours, on: loop, needsDescriptors: false, onMessage: { [weak self] in self?.receive($0, $1) },
            onEnd: { [weak self] in self?.lost($0) })
    }

    /// Starts a process that loads what the order says. Answered by `templateLoaded` or `templateFailed`.
    /// Throws when it cannot be started at all, and nothing is reported of it then.
    public func startTemplate(_ id: TemplateID, _ order: TemplateOrder) throws(RoostError) {
        precondition(templates[id] == nil, "\(id) is in use")
        guard let control else { throw RoostError(.unavailable, "load \(order.label): the nursery is being restarted") }
        var socket: Descriptor?
        let template = try Template(order, settings, on: loop, socket: &socket) { [weak self] in self?.heard($0, id) }
        guard let socket else { throw RoostError(.system, "load \(order.label): no socket") }
        var message = roost_message()
        message.kind = ROOST_START_TEMPLATE.rawValue
        message.template_id = id.rawValue
        guard control.send(message, [socket.number]) else {
            template.close()
            throw RoostError(.unavailable, "load \(order.label): the nursery does not answer")
        }
        templates[id] = template
        startWatching()
    }

    /// The process of a template in this PID namespace; nil before it is known and after it has ended.
    public func process(of template: TemplateID) -> Int32? {
        guard let pidfd = templates[template]?.pidfd else { return nil }
        let process = roost_pidfd_process(pidfd.number)
        return process > 0 ? process : nil
    }

    /// Forks an instance from a loaded template, or makes a template that may not be forked its own instance.
    /// `descriptors`: channel memory, doorbell, bodies; borrowed. Answered by `instanceStarted`, or `instanceExited`.
    /// Throws when the template cannot be asked, and nothing is reported of the instance then.
    public func fork(
        _ instance: InstanceID, from template: TemplateID, descriptors: [Int32]
    ) throws(RoostError) {
        precondition(descriptors.count == 3, "an instance gets its channel's three descriptors")
        precondition(instances[instance] == nil, "\(instance) is in use")
        guard let source = templates[template] else {
            throw RoostError(.unavailable, "fork \(instance): \(template) has ended")
        }
        try source.fork(instance, descriptors)
        instances[instance] = Instance(template: template)
        startWatching()
    }

    /// Ends it at once; its exit is reported.
    public func kill(_ instance: InstanceID) {
        guard let known = instances[instance] else { return }
        if known.killed == nil { instances[instance]?.killed = loop.now }
        startWatching()
        if let pidfd = known.pidfd {
            _ = roost_pidfd_kill(pidfd.number, SIGKILL)
        } else if known.isAdopted {
            askToKill(instance, of: known.template)
        }
    }

    /// The nursery has a pidfd of everybody.
    private func askToKill(_ instance: InstanceID?, of template: TemplateID) {
        var message = roost_message()
        message.kind = ROOST_KILL.rawValue
        (message.template_id, message.instance_id) = (template.rawValue, instance?.rawValue ?? 0)
        control?.send(message)
    }

    /// Ends it at once. Instances that were forked from it and have started go on.
    public func kill(_ template: TemplateID) {
        templates[template]?.kill()
        startWatching()
    }

    /// Ends everything; nothing more is reported. `onDone` comes when no process is left.
    public func shutDown(onDone: @escaping () -> Void) {
        onShutDown = onDone
        // A nursery that is still being made has to be known before it can be awaited.
        if process != nil { letGo() } else if control == nil { finish() }
    }

    // MARK: the nursery's messages

    private func receive(_ message: roost_message, _ descriptors: [Descriptor]) {
        let template = TemplateID(rawValue: message.template_id)
        let instance = InstanceID(rawValue: message.instance_id)
        switch message.kind {
        case ROOST_NURSERY_READY.rawValue: ready(descriptors.first, inNamespace: message.flags != 0)
        case ROOST_WARNING.rawValue: warn(message.words)
        case ROOST_TEMPLATE_STARTED.rawValue: templates[template]?.started(descriptors.first)
        case ROOST_TEMPLATE_REFUSED.rawValue:
            templateEnded(template, .lost("it cannot be started: \(systemText(message.status))"))
        case ROOST_ADOPTED.rawValue: adopted(instance, descriptors.first)
        case ROOST_ADOPTION_REFUSED.rawValue:
            instanceEnded(instance, .lost("it ended before it was known, or was none"))
        case ROOST_TEMPLATE_EXITED.rawValue:
            onEvent(.used(template, Instant.Span(nanoseconds: message.bytes)))
            templateEnded(template, ExitStatus(how: message.how, value: message.status))
        case ROOST_INSTANCE_EXITED.rawValue:
            onEvent(.used(template, Instant.Span(nanoseconds: message.bytes)))
            instanceEnded(instance, ExitStatus(how: message.how, value: message.status))
        default: warn("the nursery sent message \(message.kind), which this build does not know")
        }
    }

    private func ready(_ pidfd: Descriptor?, inNamespace: Bool) {
        guard let pidfd else { return lost("its descriptor could not be taken: too many are open") }
        isNamespace = inNamespace
        processID = roost_pidfd_process(pidfd.number)
        do throws(RoostError) {
            process = try EndWatch(pidfd, on: loop) { [weak self] in self?.processEnded() }
        } catch {
            warn(error.message)
        }
        if onShutDown != nil { letGo() }
    }

    private func adopted(_ id: InstanceID, _ pidfd: Descriptor?) {
        guard let instance = instances[id], !instance.isAdopted else { return }
        instances[id]?.pidfd = pidfd
        instances[id]?.isAdopted = true
        if instance.killed != nil { kill(id) }
        let process = pidfd.map { roost_pidfd_process($0.number) } ?? 0
        if process > 0 { _ = roost_prefer_to_kill(process) }
        onEvent(.instanceStarted(id, process: process))
    }

    private func instanceEnded(_ id: InstanceID, _ status: ExitStatus) {
        guard let instance = instances.removeValue(forKey: id) else { return }
        (templates[instance.template] ?? outputs[instance.template])?.drain()
        onEvent(.instanceExited(id, status))
    }

    private func templateEnded(_ id: TemplateID, _ status: ExitStatus) {
        guard let template = templates[id] else { return }
        let (failure, instance) = template.ended(status)
        templates[id] = nil
        outputs[id] = template.hasOutput ? template : nil
        if let failure { onEvent(.templateFailed(id, failure)) }
        if let instance { instanceEnded(instance, status) }
        for pending in template.pendingForks { instanceEnded(pending, .lost("its template \(Self.past(status))")) }
        onEvent(.templateExited(id, status))
    }

    private static func past(_ status: ExitStatus) -> String {
        if case .killed = status { "was \(status)" } else { "\(status)" }
    }

    // MARK: a template's messages

    private func heard(_ signal: TemplateSignal, _ id: TemplateID) {
        switch signal {
        case .warning(let text): warn(text)
        case .loaded(let report): onEvent(.templateLoaded(id, report))
        case .failed(let error): onEvent(.templateFailed(id, error))
        case .forked(let instance, let process, let isTemplate): forked(instance, id, process, isTemplate: isTemplate)
        case .forkRefused(let instance, let reason): instanceEnded(instance, .lost(reason))
        case .refused(let call): onEvent(.callRefused(id, call))
        case .output(let bytes): onEvent(.output(id, bytes))
        case .outputEnded: outputs[id] = nil
        case .unreachable: askToKill(nil, of: id)
        }
    }

    private func forked(_ instance: InstanceID, _ template: TemplateID, _ process: Int32, isTemplate: Bool) {
        if isTemplate { return adopted(instance, templates[template]?.pidfd) }
        var message = roost_message()
        message.kind = ROOST_ADOPT.rawValue
        (message.template_id, message.instance_id) = (template.rawValue, instance.rawValue)
        message.process = process
        instances[instance]?.adoptionAsked = loop.now
        if control?.send(message) != true { lost("it does not read its control socket") }
    }

    private func warn(_ text: String) {
        guard warned.count < 64, warned.insert(text).inserted else { return }
        onEvent(.warning(text))
    }

    // MARK: the end

    /// The nursery ends when its control socket closes, and with it everything below.
    private func letGo() {
        control?.close()
        control = nil
    }

    private func lost(_ reason: String) {
        guard control != nil else { return }
        letGo()
        process?.forget()
        if let process { _ = roost_pidfd_kill(process.pidfd.number, SIGKILL) }
        (process, processID) = (nil, nil)
        guard onShutDown == nil else { return finish() }
        let lost = ExitStatus.lost("the nursery is gone")
        // Templates first: nobody shall fork from one that is gone.
        for (id, template) in templates {
            template.kill()
            templateEnded(id, lost)
        }
        for (id, instance) in instances where instances[id] != nil {
            if let pidfd = instance.pidfd { _ = roost_pidfd_kill(pidfd.number, SIGKILL) }
            instanceEnded(id, lost)
        }
        onEvent(.nurseryLost(reason))
    }

    private func processEnded() {
        process = nil
        if onShutDown != nil { finish() } else { lost("the nursery has ended") }
    }

    // MARK: those that do not answer

    private func startWatching() {
        guard !isWatching else { return }
        isWatching = true
        // A timer that cannot start is a closed one: the host is ending.
        try? watch.start(after: Instant.Span(nanoseconds: settings.patience.nanoseconds / 2)) { [weak self] in
            self?.look()
        }
    }

    /// A process that hangs, or that somebody has stopped, would keep requests waiting for ever. What has come while
    /// this process itself did not run is taken first.
    private func look() {
        isWatching = false
        control?.receive()
        for template in templates.values { template.catchUp() }
        guard control != nil else { return }
        let (now, patience) = (loop.now, settings.patience)
        var isOwed = false
        for template in templates.values {
            guard let (debt, since) = template.debt(at: now) else { continue }
            isOwed = true
            switch debt {
            case .start where since > patience: return lost("it has not answered for \(patience)")
            case .load where since > template.loadPatience:
                template.giveUp("it did not finish loading within \(template.loadPatience)")
            case .fork where since > patience: template.giveUp("it did not fork for \(patience)")
            case .leave where since > patience: template.giveUp("it failed and did not end for \(patience)")
            case .end where since > settings.endPatience: return lost("it tells of no ends")
            case .start, .load, .fork, .leave, .end: break
            }
        }
        for instance in instances.values {
            let adoption = instance.isAdopted ? nil : instance.adoptionAsked
            isOwed = isOwed || adoption != nil || instance.killed != nil
            if let adoption, now - adoption > patience { return lost("it has not answered for \(patience)") }
            if let killed = instance.killed, instance.isAdopted, now - killed > settings.endPatience {
                return lost("it tells of no ends")
            }
        }
        if isOwed { startWatching() }
    }

    private func finish() {
        watch.close()
        for template in templates.values { template.close() }
        for template in outputs.values { template.close() }
        (templates, outputs, instances) = ([:], [:], [:])
        let onDone = onShutDown
        onShutDown = nil
        onDone?()
    }
}
