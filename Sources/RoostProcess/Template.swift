internal import CRoost
internal import Glibc
package import RoostBasics
internal import RoostLoop

/// What the host's side of a template tells its nursery.
package enum TemplateSignal {
    case warning(String)
    case loaded(LoadReport)
    case failed(RoostError)
    case forked(InstanceID, process: Int32, isTemplate: Bool)
    case forkRefused(InstanceID, String)
    case refused(RefusedCall)
    case output([UInt8])
    /// It has to be ended, and only the nursery can.
    case unreachable
    /// The last process that could print is gone.
    case outputEnded
}

/// The host's side of one template: its control socket, its output, and what may be said over them.
///
/// Once the plugin runs, whatever comes from there is hostile: each message is expected in the present state or ends
/// the template.
package final class Template {
    private enum State {
        /// The sandbox is not closed yet: what it says is still ours. Goes to loading.
        case starting
        /// Foreign code runs. Goes to ready or failed.
        case loading
        /// Forks on request. Goes to single.
        case ready(isForkable: Bool)
        /// It became its own instance, and says nothing any more.
        case single(InstanceID)
        /// Said so, or misbehaved, or asked to be killed; about to end.
        case failed
    }

    private static let modelMemoryAsksMax = 1 << 14
    private let label: String
    private let modelMemoryBytesMax: UInt64
    /// What it may at most say that its memory is.
    private let privateBytesMax: UInt64
    private let begun = Loop.clock
    private let loop: Loop
    private var state = State.starting
    private(set) var control: ControlSocket?
    private var output: OutputPipe?
    private var refusals: RefusedCalls?
    private var result: Descriptor?
    private var modelMemoryBytes: UInt64 = 0
    private var modelMemoryAsks = 0
    private var refusedCalls: [RefusedCall] = []
    private var onSignal: ((TemplateSignal) -> Void)?
    /// Forks asked for and not answered.
    private(set) var pendingForks: Set<InstanceID> = []
    /// The nursery has made the process.
    private(set) var isStarted = false
    /// Of the process; nil also when the host had no descriptor left for it.
    /// Forks asked for that it has not made: the sandbox lets it make no others.
    private var forksDue = 0
    private(set) var pidfd: Descriptor?
    private var killed: Instant?
    /// The host could not take what it sent.
    private var isOutOfDescriptors = false
    /// When the first of those that it still owes was asked of it: its start, its load, or a fork.
    private var owesSince: Instant
    /// How long loading may take. What runs when nobody else wants the processor may take its time.
    let loadPatience: Instant.Span

    /// Makes the sockets and files and sends the order into them; `socket` is for the nursery to hand on.
    init(
        _ order: TemplateOrder, _ settings: NurserySettings, on loop: Loop, socket: inout Descriptor?,
        onSignal: @escaping (TemplateSignal) -> Void
    ) throws(RoostError) {
        (label, modelMemoryBytesMax, self.loop) = (order.label, order.modelMemoryBytes, loop)
        owesSince = loop.now
        loadPatience = order.isBackground ? .seconds(3600) : settings.loadPatience
        privateBytesMax = settings.loadMemoryBytes
        let control = roost_control_pair()
        guard control.status == 0 else { throw Self.error("socketpair", control.status) }
        let (ours, theirs) = (Descriptor(control.first), Descriptor(control.second))
        let pipe = roost_output_pipe()
        guard pipe.status == 0 else { throw Self.error("pipe", pipe.status) }
        let (reading, writing) = (Descriptor(pipe.first), Descriptor(pipe.second))
        let memory = unsafe roost_memory_file("roost-result", UInt64(Self.resultBytesMax))
        guard memory >= 0 else { throw Self.error("memfd_create", memory) }
        let result = Descriptor(memory)
        self.result = result
        self.onSignal = onSignal
        let message = try OrderMessage(order, settings)
        self.control = try ControlSocket(
            ours, on: loop, needsDescriptors: true, onMessage: { [weak self] in self?.receive($0, $1) },
            onEnd: { [weak self] in self?.socketEnded($0) })
        do throws(RoostError) {
            output = try OutputPipe(
                reading, on: loop, onBytes: { [weak self] in self?.onSignal?(.output($0)) },
                onEnd: { [weak self] in self?.outputEnded() })
            let descriptors = [writing.number, result.number] + message.descriptors
            guard self.control?.send(message.raw, descriptors) == true else {
                throw RoostError(
                    .system, "load \(order.label): the order cannot be sent: too many descriptors in flight")
            }
        } catch {
            close()
            throw error
        }
        socket = theirs
    }

    static let resultBytesMax = 1 << 20

    private static func error(_ operation: String, _ status: Int32) -> RoostError {
        RoostError(.system, "\(operation): \(systemText(-status))")
    }

    // MARK: the nursery's side

    func started(_ pidfd: Descriptor?) {
        self.pidfd = pidfd
        isStarted = true
        if killed != nil { kill() }
    }

    func kill() {
        killed = killed ?? loop.now
        if let pidfd {
            _ = roost_pidfd_kill(pidfd.number, SIGKILL)
        } else if isStarted {
            onSignal?(.unreachable)
        }
    }

    /// What somebody waits for.
    enum Debt { case start, load, fork, leave, end }

    /// What it owes, and for how long; nil when it is nothing.
    func debt(at now: Instant) -> (Debt, Instant.Span)? {
        if let killed, isStarted { return (.end, now - killed) }
        let since = now - owesSince
        switch state {
        case .starting, .loading: return (isStarted ? .load : .start, since)
        case .ready: return pendingForks.isEmpty ? nil : (.fork, since)
        case .failed: return isStarted ? (.leave, since) : nil
        case .single: return nil
        }
    }

    /// It has owed an answer for too long: it hangs, or somebody has stopped it.
    func giveUp(_ reason: String) {
        switch state {
        case .starting, .loading: fail(RoostError(.pluginFailed, "load \(label): \(reason)"))
        case .ready, .single, .failed: onSignal?(.warning("\(label): killed because \(reason)"))
        }
        kill()
    }

    /// What it has said that was not read yet.
    func catchUp() { control?.receive() }

    package func fork(_ instance: InstanceID, _ descriptors: [Int32]) throws(RoostError) {
        switch state {
        case .ready(let isForkable):
            guard isForkable || pendingForks.isEmpty else { throw notReady("its one instance is being made already") }
        case .starting, .loading: throw notReady("it has not loaded yet")
        case .single(let instance): throw notReady("it has become instance \(instance)")
        case .failed: throw notReady("it has failed")
        }
        var message = roost_message()
        message.kind = ROOST_FORK.rawValue
        message.instance_id = instance.rawValue
        guard control?.send(message, descriptors) == true else {
            throw RoostError(.unavailable, "fork \(label): its template does not take more requests now")
        }
        if pendingForks.isEmpty { owesSince = loop.now }
        pendingForks.insert(instance)
        forksDue += 1
    }

    private func takeForkDue() -> Bool {
        guard case .ready = state, forksDue > 0 else { return false }
        forksDue -= 1
        return true
    }

    private func notReady(_ reason: String) -> RoostError { RoostError(.conflict, "fork \(label): \(reason)") }

    /// Whether anybody can still print.
    var hasOutput: Bool { output != nil }

    private func outputEnded() {
        output = nil
        onSignal?(.outputEnded)
    }

    /// What it printed until now.
    func drain() { output?.drain() }

    /// The process is gone. What it had said before still counts. Returns why loading failed, when it was loading,
    /// and the instance that it was.
    package func ended(_ status: ExitStatus) -> (failure: RoostError?, instance: InstanceID?) {
        control?.receive()
        output?.drain()
        defer {
            control?.close()
            refusals?.close()
            (control, refusals, result, state) = (nil, nil, nil, .failed)
        }
        switch state {
        case .starting, .loading:
            return (
                RoostError(
                    isBlameless(status) ? .unavailable : .pluginFailed,
                    "load \(label): the process \(Self.past(status)) while loading\(hint)"), nil
            )
        case .single(let instance): return (nil, instance)
        case .ready, .failed: return (nil, nil)
        }
    }

    private static func past(_ status: ExitStatus) -> String {
        if case .killed = status { "was \(status)" } else { "\(status)" }
    }

    /// Who is lost with the nursery, or could not be made, may be loaded another time.
    private func isBlameless(_ status: ExitStatus) -> Bool {
        if case .lost = status { true } else { isOutOfDescriptors }
    }

    /// Output goes on until the last instance has closed it.
    package func close() {
        control?.close()
        refusals?.close()
        output?.close()
        (control, refusals, output, onSignal) = (nil, nil, nil, nil)
    }

    // MARK: what it says

    private func receive(_ message: roost_message, _ descriptors: [Descriptor]) {
        switch (state, message.kind) {
        case (.starting, ROOST_WARNING.rawValue): onSignal?(.warning(message.words))
        case (.starting, ROOST_SANDBOXED.rawValue): sandboxed(descriptors.first)
        case (.starting, ROOST_FAILED.rawValue), (.loading, ROOST_FAILED.rawValue): failed(message)
        case (.loading, ROOST_ASK_MODEL_MEMORY.rawValue): giveModelMemory(message.bytes)
        case (.loading, ROOST_LOADED.rawValue): loaded(message)
        case (.ready, ROOST_FORKED.rawValue): forked(message)
        case (.ready, ROOST_FORK_REFUSED.rawValue): forkRefused(message)
        case (.starting, _), (.loading, _), (.ready, _), (.single, _):
            misbehaved("it sent message \(message.kind) out of turn")
        case (.failed, _): break
        }
    }

    private func socketEnded(_ reason: String) {
        isOutOfDescriptors = control?.isOutOfDescriptors == true
        control = nil
        switch state {
        case .single, .failed: break  // it has nothing more to say
        case .starting, .loading, .ready: kill()  // the exit status tells why
        }
    }

    private func sandboxed(_ listener: Descriptor?) {
        state = .loading
        guard let listener else { return }
        do throws(RoostError) {
            refusals = try RefusedCalls(
                listener, on: loop, mayFork: { [weak self] in self?.takeForkDue() ?? false },
                onCall: { [weak self] in self?.refused($0) })
        } catch {
            onSignal?(.warning(error.message))
        }
    }

    private func refused(_ call: RefusedCall) {
        if refusedCalls.count < 16, !refusedCalls.contains(call) { refusedCalls.append(call) }
        onSignal?(.refused(call))
    }

    private func giveModelMemory(_ bytes: UInt64) {
        modelMemoryAsks += 1
        guard modelMemoryAsks <= Self.modelMemoryAsksMax else {
            return misbehaved("it asked for model memory more than \(Self.modelMemoryAsksMax) times")
        }
        var answer = roost_message()
        answer.kind = ROOST_MODEL_MEMORY.rawValue
        let (total, overflow) = modelMemoryBytes.addingReportingOverflow(bytes)
        guard bytes > 0, !overflow, total <= modelMemoryBytesMax else {
            answer.status = ENOMEM
            control?.send(answer)
            return
        }
        let file = unsafe roost_memory_file("roost-model", bytes)
        guard file >= 0 else {
            answer.status = -file
            control?.send(answer)
            return
        }
        modelMemoryBytes = total
        let memory = Descriptor(file)
        guard control?.send(answer, [memory.number]) != true else { return }
        answer.status = EMFILE
        control?.send(answer)
    }

    private func loaded(_ message: roost_message) {
        if refusedCalls.contains(where: \.isThread) {
            fail(RoostError(.pluginFailed, "load \(label): loaded\(hint)"))
            return kill()
        }
        guard let signature = readResult(message.bytes) else { return misbehaved("its signature cannot be read") }
        let isForkable = message.flags & ROOST_IS_SINGLE.rawValue == 0
        state = .ready(isForkable: isForkable)
        onSignal?(.loaded(plausible(message.report, isForkable: isForkable, signature)))
        result = nil
    }

    /// What it says of itself, within what can be: the host adds these numbers to others, and decides by them.
    private func plausible(_ report: roost_report, isForkable: Bool, _ signature: [UInt8]) -> LoadReport {
        LoadReport(
            loadNanoseconds: min(report.load_ns, (Loop.clock - begun).nanoseconds),
            privateBytes: min(report.private_bytes, privateBytesMax),
            dataBytes: min(report.data_bytes, privateBytesMax),
            memoryBytes: min(report.memory_bytes, 1 << 50), modelMemoryBytes: modelMemoryBytes,
            examples: Int(report.examples), threads: Int(report.threads), isForkable: isForkable,
            signature: signature)
    }

    private func failed(_ message: roost_message) {
        let text = readResult(message.bytes).map { String(decoding: $0, as: UTF8.self).onOneLine } ?? "no reason given"
        let code: RoostError.Code =
            switch UInt32(bitPattern: message.status) {
            case ROOST_FAILURE_NOT_MY_FORMAT.rawValue: .unsupported
            case ROOST_FAILURE_SYSTEM.rawValue: .system
            default: .pluginFailed
            }
        fail(RoostError(code, "load \(label): \(text)\(hint)"))
    }

    private func fail(_ error: RoostError) {
        state = .failed
        result = nil
        owesSince = loop.now
        onSignal?(.failed(error))
    }

    /// What the sandbox refused meanwhile, and what to do about it.
    private var hint: String {
        if refusedCalls.contains(where: \.isThread) {
            return
                ", but it starts threads: rebuild it with ROOST_NEEDS_THREADS in its ROOST_PLUGIN_RECORD (each instance then loads by itself)"
        }
        guard !refusedCalls.isEmpty else { return "" }
        return "; the sandbox refused: \(refusedCalls.map(\.description).joined(separator: ", "))"
    }

    private func forked(_ message: roost_message) {
        let instance = InstanceID(rawValue: message.instance_id)
        guard pendingForks.remove(instance) != nil else {
            return misbehaved("it answered for \(instance), which is not its own")
        }
        owesSince = loop.now
        let isTemplate = message.flags & ROOST_IS_SINGLE.rawValue != 0
        if isTemplate { state = .single(instance) }
        onSignal?(.forked(instance, process: message.process, isTemplate: isTemplate))
        guard isTemplate else { return }
        // It serves now, and forks no more.
        for other in pendingForks { onSignal?(.forkRefused(other, "its template has become an instance")) }
        pendingForks = []
    }

    private func forkRefused(_ message: roost_message) {
        let instance = InstanceID(rawValue: message.instance_id)
        guard pendingForks.remove(instance) != nil else {
            return misbehaved("it answered for \(instance), which is not its own")
        }
        owesSince = loop.now
        onSignal?(.forkRefused(instance, "fork: \(systemText(message.status))"))
    }

    private func misbehaved(_ reason: String) {
        switch state {
        case .starting, .loading: fail(RoostError(.pluginFailed, "load \(label): \(reason)"))
        case .ready, .single: onSignal?(.warning("\(label): killed because \(reason)"))
        case .failed: break
        }
        state = .failed
        kill()
    }

    /// Copied out: the other side can still write to it.
    private func readResult(_ count: UInt64) -> [UInt8]? {
        guard let result, count <= UInt64(Self.resultBytesMax) else { return nil }
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, filled in
            filled = unsafe max(0, pread(result.number, buffer.baseAddress, buffer.count, 0))
        }
        return bytes.count == Int(count) ? bytes : nil
    }
}

extension roost_message {
    /// The text of a warning.
    var words: String {
        unsafe withUnsafeBytes(of: text) { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
