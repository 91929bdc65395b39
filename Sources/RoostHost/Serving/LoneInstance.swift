internal import RoostBasics
internal import RoostChannel
internal import RoostLoop
internal import RoostProcess

/// One instance that serves nobody: asked by the host itself. It answers in the order in which it was asked.
///
/// Belongs to the loop, and never makes it wait.
final class LoneInstance: TemplateOwner, InstanceOwner {
    /// What came back: any status is an answer. `infer` is how long the instance was busy with it.
    typealias Answer = (status: Int, body: [UInt8], infer: Instant.Span)

    /// What waits for its answer.
    private struct Question {
        let number: UInt32
        let limit: Instant.Span
        let onAnswer: (Result<Answer, RoostError>) -> Void
    }

    private let loop: Loop
    private let processes: Processes
    private let instance: InstanceID
    private let channel: HostChannel
    private let doorbells: Doorbells
    private var poll: Poll?
    private let patience: Timer
    private var template: TemplateID?
    /// Its place among the host's instances, where it has one.
    private var loan: PlaceLoan?
    /// Whether the template was loaded for this instance alone, and goes with it.
    private let ownsTemplate: Bool
    private var pending: [Question] = []
    private var nextNumber: UInt32 = 1
    /// Why nothing can be asked any more.
    private var end: RoostError?
    private var isForked = false
    /// Its process in the host's PID namespace, once the kernel has told.
    private(set) var pid: Int32?
    /// Its process has ended: called after everything that waited has been answered.
    var onEnd: (RoostError) -> Void = { _ in }
    private var isReceiving = false
    private var printed = OutputLog()

    /// An instance of a process that is being loaded for it alone. Requests wait until it is there.
    convenience init(
        loading artifact: Artifact, label: String, _ settings: LoadSettings, on loop: Loop, _ processes: Processes
    ) throws(RoostError) {
        try self.init(on: loop, processes, ownsTemplate: true)
        template = try processes.load(artifact, label: label, settings, owner: self)
    }

    /// A fork of a template. One that may not be forked is used up.
    /// - Parameter hearsOfTemplate: instead of whoever did until now.
    convenience init(
        of template: TemplateID, hearsOfTemplate: Bool = true, at place: PlaceLoan? = nil, on loop: Loop,
        _ processes: Processes
    ) throws(RoostError) {
        try self.init(on: loop, processes, ownsTemplate: false)
        loan = place
        self.template = template
        if hearsOfTemplate { processes.handOver(template, to: self) }
        do throws(RoostError) { try fork(template) } catch {
            close()
            throw error
        }
    }

    private init(on loop: Loop, _ processes: Processes, ownsTemplate: Bool) throws(RoostError) {
        self.loop = loop
        self.processes = processes
        self.ownsTemplate = ownsTemplate
        instance = processes.nameInstance()
        do {
            channel = try HostChannel()
            doorbells = try Doorbells()
            patience = try Timer(on: loop)
            try doorbells.add(channel.doorbell, tag: 0)
            poll = try Poll(doorbells.descriptor, for: .readable, on: loop) { [unowned self] _ in
                doorbells.takeRung { _ in }
                receive()
            }
        } catch {
            throw RoostError(.system, "\(error)")
        }
        processes.own(instance, self)
    }

    /// Asks.
    /// - Parameter limit: how long the answer may take, from the answer before it on, or from the fork if that comes
    ///   later; then the instance has ended.
    func ask(
        _ body: [UInt8], as operation: Operation = .predict, contentType: String, accept: String? = nil,
        within limit: Instant.Span, _ onAnswer: @escaping (Result<Answer, RoostError>) -> Void
    ) {
        if let end { return onAnswer(.failure(end)) }
        let type = Array(contentType.utf8)
        // A loop that has not run for a while believes in an earlier time, and so do its timers.
        let limit = limit + (Loop.clock - loop.now)
        let header = RequestHeader(
            id: RequestID(slot: 1, generation: nextNumber), operation: operation,
            contentType: MediaType(header: type.bytes),
            accept: accept == "csv" || accept == "text/csv" ? .csv : .json, arrived: loop.now,
            deadline: loop.now + limit + Self.loadingMax)
        do {
            guard try channel.send(header, contentTypeText: type.bytes, body: body.bytes) != nil else {
                return onAnswer(
                    .failure(RoostError(.tooLarge, "the body has \(body.count) bytes, too many for one request")))
            }
            channel.ring()
        } catch {
            onAnswer(.failure(RoostError(.system, "\(error)")))
            return fail(RoostError(.system, "\(error)"))
        }
        pending.append(Question(number: nextNumber, limit: limit, onAnswer: onAnswer))
        nextNumber &+= 1
        if pending.count == 1 { startPatience() }
        if !isReceiving, !channel.prepareToSleep() { receive() }
    }

    private func startPatience() {
        guard let first = pending.first else { return patience.stop() }
        // A timer that cannot start is a closed one: the instance is being closed.
        try? patience.start(after: isForked ? first.limit : first.limit + Self.loadingMax) { [unowned self] in
            fail(RoostError(.deadline, "there was no answer in time"))
        }
    }

    /// Loading has limits of its own; this one only ends what they do not.
    private static let loadingMax = Instant.Span.seconds(600)

    /// Ends the instance, and the template that was loaded for it. Nothing is answered any more.
    func close() {
        pending = []
        onEnd = { _ in }
        fail(RoostError(.unavailable, "it was closed"))
        if !isForked {
            processes.disown(instance)
            loan = nil
        }
        poll?.close()
        poll = nil
        patience.close()
    }

    private func fork(_ template: TemplateID) throws(RoostError) {
        try processes.fork(instance, from: template, descriptors: channel.descriptorsForInstance)
        isForked = true
        channel.handedOver()
    }

    /// Takes what has come, until there is something to wait for. An answer may bring the next question.
    private func receive() {
        guard !isReceiving else { return }
        isReceiving = true
        defer { isReceiving = false }
        repeat {
            var answers: [(number: UInt32, Answer)] = []
            do throws(ChannelError) {
                try channel.receive { header, _, body in
                    var bytes: [UInt8] = []
                    bytes.append(body)
                    answers.append((header.id.generation, (Int(header.status), bytes, header.infer)))
                }
            } catch { return fail(RoostError(.pluginFailed, "\(error)")) }
            for (number, one) in answers {
                guard let first = pending.first, first.number == number else {
                    return fail(RoostError(.pluginFailed, "it answered what it was not asked"))
                }
                pending.removeFirst()
                startPatience()
                first.onAnswer(.success(one))
            }
        } while !pending.isEmpty && end == nil && !channel.prepareToSleep()
    }

    private func fail(_ error: RoostError) {
        if end == nil {
            end = error
            processes.kill(instance)
            if ownsTemplate, let template { processes.kill(template) }
        }
        patience.stop()
        let unanswered = pending
        pending = []
        for question in unanswered { question.onAnswer(.failure(error)) }
    }

    /// What it printed last, for messages.
    private var lastWords: String {
        let lines = String(printed.suffix(from: 0).bytes).split(separator: "\n")
        return lines.last.map { ": \(String($0).onOneLine)" } ?? ""
    }

    // MARK: news of its processes

    func templateLoaded(_ id: TemplateID, _ report: LoadReport) {
        do throws(RoostError) { try fork(id) } catch { fail(error) }
    }
    func templateFailed(_ id: TemplateID, _ error: RoostError) { fail(error) }
    func templateExited(_ id: TemplateID, _ status: ExitStatus) {
        if !isForked { fail(RoostError(.pluginFailed, "it ended while loading: \(status)")) }
    }
    func templatePrinted(_ bytes: [UInt8]) { printed.append(bytes.bytes) }
    func instanceStarted(_ id: InstanceID, process: Int32) { pid = process }
    func instanceExited(_ id: InstanceID, _ status: ExitStatus) {
        if end == nil { receive() }
        let how = if case .killed = status { "was \(status)" } else { "\(status)" }
        fail(RoostError(.pluginFailed, "the instance \(how)\(lastWords)"))
        loan = nil
        onEnd(end ?? RoostError(.pluginFailed, "the instance \(how)"))
    }
}
