internal import RoostBasics
internal import RoostChannel
internal import RoostLoop
internal import RoostPool
internal import RoostTraffic

/// Recorded requests, answered anew by the stable version and then, with that answer, by the canary, which compares:
/// what nobody has met yet is judged before anybody does.
///
/// Runs as shadows do: at rest only, never in a caller's way, uncounted. Versions that are never at rest, or leave,
/// end it with what is known by then. Belongs to the loop; keeps itself until it has answered or is cancelled.
final class ReplayRun {
    private var left: [[UInt8]]
    private let stable: VersionService
    private let canary: VersionService
    private let settings: AnalysisSettings
    private unowned let serving: Serving
    private var onDone: ((RolloutReplayResult) -> Void)?
    private var evidence = Evidence()
    private var running = 0
    private var pause: Timer?
    /// When a request was last answered by both.
    private var progressed: Instant
    /// Why not all requests were tried, in words; empty when they were.
    private var shortened = ""

    /// Requests that are on their way at once; how long it waits when the versions have better things to do, and
    /// when it gives up waiting.
    private static let runningMax = 4
    private static let patience = Instant.Span.milliseconds(20)
    private static let standstillMax = Instant.Span.seconds(60)

    init(
        _ bodies: [[UInt8]], stable: VersionService, canary: VersionService, _ settings: AnalysisSettings,
        on serving: Serving, _ onDone: @escaping (RolloutReplayResult) -> Void
    ) {
        left = bodies
        self.stable = stable
        self.canary = canary
        self.settings = settings
        self.serving = serving
        self.onDone = onDone
        progressed = serving.loop.now
    }

    func begin() {
        pause = try? Timer(on: serving.loop)
        goOn()
    }

    /// Nobody wants to know any more.
    func cancel() {
        onDone = nil
        left = []
        pause?.close()
        pause = nil
    }

    private func goOn() {
        if let reason = whyNoMore { return giveUp(reason) }
        while running < Self.runningMax, let body = left.popLast() {
            guard serving.answer(body, by: stable, for: self) else {
                left.append(body)
                break
            }
            running += 1
        }
        if running == 0, left.isEmpty { return end() }
        if running < Self.runningMax, !left.isEmpty { rest() }
    }

    private func rest() {
        guard let pause else { return giveUp("the host could not wait") }
        // A timer that cannot start is a closed one: the host is ending.
        try? pause.start(after: Self.patience) { self.goOn() }
    }

    private var whyNoMore: String? {
        if left.isEmpty { return nil }
        for service in [stable, canary] where service.isRetiring || service.pool.isQuarantined {
            return "\(service.id) takes no requests any more"
        }
        return serving.loop.now - progressed > Self.standstillMax ? "the versions are never at rest" : nil
    }

    /// What is on its way still counts.
    private func giveUp(_ reason: String) {
        left = []
        shortened = "; no more were tried: \(reason)"
        if running == 0 { end() }
    }

    private func stepDone() {
        running -= 1
        goOn()
    }

    // MARK: told by Serving

    /// The stable version has answered the request of `ticket`; what it cannot answer asks nothing of the canary.
    func served(_ ticket: Ticket, _ header: ReplyHeader, _ reply: RawSpan) {
        guard header.outcome == .ok, header.contentType == .json else { return stepDone() }
        guard !serving.compare(ticket, of: stable, header, reply, with: canary, for: self) else { return }
        // Asking the stable version again at once would keep it busy for nothing.
        running -= 1
        guard onDone != nil else { return }
        left.append(stable.body(of: ticket))
        rest()
    }

    func compared(_ comparison: Comparison?) {
        progressed = serving.loop.now
        evidence.stable.add(isError: false, latency: .zero, rows: 1, cluster: nil, paysForStart: true)
        evidence.canary.add(isError: comparison == nil, latency: .zero, rows: 1, cluster: nil, paysForStart: true)
        if let comparison { evidence.pairs.add(comparison) }
        stepDone()
    }

    /// One of the two gave the request up; `isDeath` of the canary ends it all.
    func dropped(_ failure: Failure, by service: VersionService) {
        if failure == .death, service === canary {
            finish(.failed(reason: "it died on a recorded request: \(canary.lastFailure ?? "no reason is known")"))
        }
        stepDone()
    }

    // MARK: the end

    private func end() {
        let verdict = Analysis.judge(evidence, settings, nextShare: 100)
        let findings = [Metric.errors, .agreement].compactMap { verdict.finding($0) }
        let found = findings.map(\.text).joined(separator: "; ")
        let text = "\(evidence.canary.requests) recorded requests: \(found)\(shortened)"
        if evidence.canary.requests == 0 {
            finish(.unavailable(reason: "no recorded request could be answered anew\(shortened)"))
        } else if findings.contains(where: { $0.judgement == .inferior }) {
            finish(.failed(reason: text))
        } else if findings.contains(where: { $0.judgement == .alarming }) {
            finish(.alarming(reason: text))
        } else {
            finish(.passed(text: text))
        }
    }

    private func finish(_ result: RolloutReplayResult) {
        let done = onDone
        cancel()
        done?(result)
    }
}

/// What a shadow's ticket is for, when it is not a copy of a caller's request.
enum ReplayStep {
    case serve(ReplayRun)
    case compare(ReplayRun)
}

extension Serving {
    /// Has a recorded request answered when `service` is at rest. False when it has better things to do now.
    func answer(_ body: [UInt8], by service: VersionService, for run: ReplayRun) -> Bool {
        guard let ticket = service.pool.copied(at: loop.now) else { return false }
        var header = RequestHeader(
            id: RequestID(rawValue: ticket.rawValue), operation: .infer, contentType: .json, accept: .json,
            arrived: loop.now, deadline: loop.now + service.pool.settings.timeout)
        header.threshold = service.threshold
        service.hold(ticket, header, contentTypeText: RawSpan(), body: body.bytes)
        shadowBytes += body.count
        service.replaying[ticket] = .serve(run)
        perform(service)
        return true
    }

    /// Gives what `service` has answered to another version.
    func compare(
        _ ticket: Ticket, of service: VersionService, _ head: ReplyHeader, _ reply: RawSpan,
        with target: VersionService, for run: ReplayRun
    ) -> Bool {
        guard let copy = target.pool.copied(at: loop.now) else { return false }
        let held = service.inFlight[Int(ticket.index)]
        var header = held.header
        header.id = RequestID(rawValue: copy.rawValue)
        header.operation = header.operation.comparing
        header.arrived = loop.now
        header.deadline = loop.now + target.pool.settings.timeout
        target.hold(copy, header, copyOf: held, answered: head, reply)
        shadowBytes += target.inFlight[Int(copy.index)].contentBytes
        target.replaying[copy] = .compare(run)
        perform(target)
        return true
    }
}
