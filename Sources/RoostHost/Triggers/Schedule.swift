internal import RoostBasics
internal import RoostDelivery
internal import RoostFiles
internal import RoostFunctions
internal import RoostJSON
internal import RoostLoop

/// One schedule: looks at the wall clock when something is due, and hands the run to the deliveries, together with the
/// time up to which the schedule is accounted for.
///
/// Belongs to the loop; a thread reads the rules of the time zone, once.
final class Schedule {
    private let owner: DeliveryOwner
    private let trigger: ScheduleTrigger
    private let loop: Loop
    private unowned let deliveries: Deliveries
    private let triggered: TriggeredJobs
    private let clock: Timer
    private var reading: Worker<Result<TimeZoneRules, RoostError>>?
    /// Nil until the rules and the time that is accounted for have been read.
    private var machine: ScheduleMachine?
    /// A run is on its way to the disk.
    private var isSubmitting = false
    /// Items whose end is waited for.
    private var underWay: Set<DeliveryID> = []
    private var problem: String? {
        didSet { if let problem, problem != oldValue { onLine("\(owner): \(problem)") } }
    }
    private var lastJob: String?
    private let onLine: (String) -> Void

    /// The wall clock may be set at any time: it is looked at this often, though nothing is due.
    private static let lookPeriod = Instant.Span.seconds(3600)
    /// After the disk has refused a run.
    private static let retryDelay = Instant.Span.seconds(5)
    private static let keep = Instant.Span.seconds(31 * 86_400)

    init(
        _ owner: DeliveryOwner, _ spec: TriggerSpec, _ trigger: ScheduleTrigger, on loop: Loop,
        _ deliveries: Deliveries, _ triggered: TriggeredJobs, onLine: @escaping (String) -> Void
    ) throws(UVError) {
        (self.owner, self.trigger, self.loop) = (owner, trigger, loop)
        (self.deliveries, self.triggered, self.onLine) = (deliveries, triggered, onLine)
        clock = try Timer(on: loop)
        reading = try Worker(on: loop) { [weak self] in self?.read($0) }
        var settings = DeliverySettings(policy: spec.retry)
        settings.limits.concurrency = 1
        settings.keep = Self.keep
        // Not weak: a run may still begin when the trigger was stopped a moment ago.
        deliveries.open(owner, settings, onStatus: { [self] in addStatus(to: &$0) }, onRun: { [self] in run($0) })
        let zone = trigger.timeZone
        reading?.submit { TimeZoneRules.installed(zone) }
    }

    /// Nothing more is begun; a run that has begun comes to its end.
    func stop() {
        clock.close()
        reading?.close()
        reading = nil
        machine = nil
    }

    private func addStatus(to object: inout JSONObject) {
        object["cron"] = .string(trigger.cron.text)
        object["timezone"] = .string(trigger.timeZone.text)
        if let machine, let next = machine.nextDue {
            object["next_run"] = .string(machine.rules.text(of: next))
        }
        object["last_job"] = lastJob.map { .string($0) }
        object["problem"] = problem.map { .string($0) }
    }

    private func read(_ result: Result<TimeZoneRules, RoostError>) {
        guard reading != nil else { return }
        reading?.close()
        switch result {
        case .failure(let error): problem = error.message
        case .success(let rules):
            readMark { [weak self] accounted in self?.begin(rules, accounted) }
        }
    }

    /// The time that is accounted for; of a schedule that is new, or another than before, the present one.
    private func readMark(_ then: @escaping (Int64) -> Void) {
        deliveries.mark(of: owner, for: subject, orElse: Self.wall, then)
    }

    /// Two schedules are one as long as this is the same.
    private var subject: String { "\(trigger.cron) \(trigger.timeZone)" }

    private func begin(_ rules: TimeZoneRules, _ accounted: Int64) {
        guard reading != nil else { return }
        machine = ScheduleMachine(trigger.cron, in: rules, missed: trigger.missed, accounted: accounted)
        // Runs that began before an edit of the manifest.
        for id in deliveries.running(of: owner) { watch(id) }
        look()
    }

    private static var wall: Int64 { Int64(Loop.unixMicroseconds / 1_000_000) }

    private func look() {
        guard var machine, !isSubmitting else { return }
        // Whatever the items came to, also those of an earlier host: none is left.
        let isIdle = deliveries.isIdle(owner)
        if isIdle, machine.isRunning { machine.ended() }
        if !isIdle, !machine.isRunning { machine.started(due: machine.accounted) }
        defer { self.machine = machine }
        switch machine.look(at: Self.wall) {
        case .never: clock.stop()
        case .wait(let until): wake(at: until)
        case .run(let due): submit(due, &machine)
        }
    }

    /// - Parameter due: by the wall clock; in the past while a run holds it up, whose end is waited for.
    private func wake(at due: Int64) {
        let left = due * 1000 - Int64(Loop.unixMicroseconds / 1000)
        let delay = left <= 0 ? Self.lookPeriod : min(.milliseconds(UInt64(left)), Self.lookPeriod)
        wake(after: delay)
    }

    private func wake(after delay: Instant.Span) {
        // A timer that cannot start is a closed one: the trigger is stopped.
        try? clock.start(after: delay) { [unowned self] in look() }
    }

    private func submit(_ due: Int64, _ machine: inout ScheduleMachine) {
        let output = trigger.output.path(due: due, in: machine.rules)
        let submission = DeliverySubmission(
            owner: owner, key: TimeZoneRules.utc.text(of: due), payload: Self.payload(due: due, output: output))
        do throws(RoostError) {
            try deliveries.submit([submission], marking: DeliveryMark(owner: owner, subject: subject, value: due)) {
                [weak self] in self?.submitted($0)
            }
            isSubmitting = true
            machine.started(due: due)
        } catch {
            problem = error.message
            wake(after: Self.retryDelay)
        }
    }

    private func submitted(_ result: Result<[SubmittedDelivery], RoostError>) {
        isSubmitting = false
        switch result {
        case .failure(let error):
            problem = error.message
            // What is not on the disk did not happen: the mark there is the truth.
            guard let rules = machine?.rules else { return }
            readMark { [weak self] accounted in
                guard let self, machine != nil else { return }
                machine = ScheduleMachine(trigger.cron, in: rules, missed: trigger.missed, accounted: accounted)
                wake(after: Self.retryDelay)
            }
        case .success(let all):
            problem = nil
            if let one = all.first, !one.record.phase.isFinal { watch(one.record.id) }
            look()
        }
    }

    /// When it has ended, the next one may be due.
    private func watch(_ id: DeliveryID) {
        guard underWay.insert(id).inserted else { return }
        do throws(RoostError) {
            try deliveries.whenOver(id, of: owner) { [weak self] outcome, output in
                guard let self else { return }
                underWay.remove(id)
                lastJob = output.result.flatMap { try? JSONValue(parsing: $0)["id"]?.stringValue } ?? lastJob
                if case .dead(let letter) = outcome { onLine("\(owner): a run failed: \(letter.reason)") }
                look()
            }
        } catch { underWay.remove(id) }
    }

    // MARK: running

    private static func payload(due: Int64, output: String) -> [UInt8] {
        Array(JSONValue.object(JSONObject([("due", .integer(Int(due))), ("output", .string(output))])).compact.utf8)
    }

    private func run(_ running: RunningDelivery) {
        guard let output = try? JSONValue(parsing: running.payload)["output"]?.stringValue else {
            return running.fail(.permanent("what is kept of the run cannot be read"))
        }
        watch(running.id)
        guard !triggered.follow(running, of: owner) else { return }
        var spec = JobSpec(input: trigger.input.text, output: output, trigger.job)
        spec.force = trigger.force
        triggered.begin(spec, running, of: owner)
    }
}
