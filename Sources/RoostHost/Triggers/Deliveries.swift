internal import RoostBasics
internal import RoostDelivery
internal import RoostJSON
internal import RoostLoop
internal import RoostStore

/// All items of all triggers: carries out what their queues decide, in the order that the guarantee needs (see
/// `DeliveryAction`): to the disk first, in one transaction, then to the world.
///
/// Belongs to the loop. Kinds of triggers say how an item is run (`open`), and what is one (`submit`).
final class Deliveries {
    private let loop: Loop
    let store: DeliveryStore
    private(set) var lanes: [DeliveryOwner: DeliveryLane] = [:]
    private let clock: Timer
    private var clockDue = Deliveries.never
    private let sweep: Timer
    private var random = SystemRandomNumberGenerator()
    private var isClosed = false
    /// Nothing runs until there may be versions to ask.
    private var isHeld = true

    private static let never = Instant(nanoseconds: .max)
    private static let sweepPeriod = Instant.Span.seconds(60)

    init(on loop: Loop, store: DeliveryStore) throws {
        self.loop = loop
        self.store = store
        clock = try Timer(on: loop)
        sweep = try Timer(on: loop)
        try sweep.start(after: Self.sweepPeriod, every: Self.sweepPeriod) { [unowned self] in forgetOld() }
    }

    /// What was decided is still written; what runs goes on with the next host.
    func close() {
        isClosed = true
        clock.close()
        sweep.close()
        store.close()
    }

    var reading: ClockReading { ClockReading(monotonic: loop.now, wallMS: Loop.unixMicroseconds / 1000) }
    var problem: RoostError? { store.problem }

    /// Items may run from now on.
    func release() {
        isHeld = false
        for lane in lanes.values {
            lane.applyLimits(isHeld: false)
            tick(lane)
        }
    }

    // MARK: Owners

    /// Begins to run an owner's items, those that were left first; or goes on with other settings.
    func open(
        _ owner: DeliveryOwner, _ settings: DeliverySettings, onStatus: @escaping (inout JSONObject) -> Void = { _ in },
        onRun: @escaping (RunningDelivery) -> Void
    ) {
        if let lane = lanes[owner] {
            lane.settings = settings
            lane.onRun = onRun
            lane.onStatus = onStatus
            lane.isStopped = false
            lane.applyLimits(isHeld: isHeld)
            return tick(lane)
        }
        let lane = DeliveryLane(owner, settings, onRun: onRun)
        lane.onStatus = onStatus
        lane.applyLimits(isHeld: isHeld)
        lanes[owner] = lane
        store.perform([.restore(owner)]) { [unowned self] result in
            guard case .success(let findings) = result,
                case .restored(let records, let done, let dead)? = findings.first
            else { return }
            for record in records { lane.queue.restored(record, at: reading) }
            lane.tally.done += done
            lane.tally.dead += dead
            tick(lane)
        }
    }

    /// Nothing more begins; what runs comes to its end, what waits stays for when the owner is back.
    func stop(_ owner: DeliveryOwner) {
        guard let lane = lanes[owner] else { return }
        lane.isStopped = true
        lane.applyLimits(isHeld: isHeld)
    }

    /// - Throws: `notFound` when there is no such trigger now.
    private func lane(_ owner: DeliveryOwner) throws(RoostError) -> DeliveryLane {
        guard let lane = lanes[owner], !lane.isStopped else {
            throw RoostError(.notFound, "\(owner.function) has no \(owner.kind.rawValue) trigger \"\(owner.trigger)\"")
        }
        return lane
    }

    /// By function and name; those that were stopped are left out.
    var open: [DeliveryLane] { lanes.values.filter { !$0.isStopped }.sorted { $0.owner < $1.owner } }

    // MARK: Submitting

    /// Takes items; `then` hears of all of them when they are on the disk.
    /// - Parameter mark: written in the same transaction.
    /// - Throws: `overloaded` when one of them finds no room: then none is taken.
    func submit(
        _ submissions: [DeliverySubmission], marking mark: DeliveryMark? = nil,
        then: @escaping (Result<[SubmittedDelivery], RoostError>) -> Void
    ) throws(RoostError) {
        guard !submissions.isEmpty else { return then(.success([])) }
        var reserved: [DeliveryLane] = []
        do throws(RoostError) {
            for submission in submissions {
                let lane = try lane(submission.owner)
                try lane.queue.reserve()
                reserved.append(lane)
            }
        } catch {
            for lane in reserved { lane.queue.unreserve() }
            if error.code == .overloaded {
                for owner in Set(submissions.map(\.owner)) { lanes[owner]?.tally.count(.refused) }
            }
            throw error
        }
        let wallMS = reading.wallMS
        let acts: [DeliveryAct] =
            submissions.map { .insert($0, wallMS: wallMS) } + (mark.map { [.writeMark($0)] } ?? [])
        store.perform(acts, isRefusable: true) { [unowned self] result in
            switch result {
            case .failure(let error):
                for lane in reserved { lane.queue.unreserve() }
                then(.failure(RoostError(.unavailable, error.message)))
            case .success(let findings):
                let submitted = findings.compactMap { finding in
                    if case .submitted(let one) = finding { one } else { nil }
                }
                then(.success(submitted))
                for ((lane, submission), one) in zip(zip(reserved, submissions), submitted) {
                    taken(one, submission.payload, by: lane)
                }
            }
        }
    }

    /// The row is on the disk, and its place was reserved.
    private func taken(_ one: SubmittedDelivery, _ payload: [UInt8], by lane: DeliveryLane) {
        guard !one.isDuplicate else {
            lane.tally.count(.duplicate)
            return lane.queue.unreserve()
        }
        lane.payloads[one.record.id] = payload
        let actions = lane.queue.submitted(one.record, at: reading)
        carryOut(actions, of: lane)
        keepPayload(of: one.record.id, if: actions, of: lane)
    }

    /// A payload is in memory only between its being read and its run.
    private func keepPayload(of id: DeliveryID, if actions: [DeliveryAction], of lane: DeliveryLane) {
        let isRun = actions.contains { if case .run(id, _) = $0 { true } else { false } }
        if !isRun { lane.payloads[id] = nil }
    }

    // MARK: Carrying out

    private func carryOut(
        _ actions: [DeliveryAction], of lane: DeliveryLane, _ output: (DeliveryID, DeliveryOutput)? = nil
    ) {
        defer { arm(for: lane) }
        guard !actions.isEmpty, !isClosed else { return }
        var acts: [DeliveryAct] = []
        var said = DeliveryOutput()
        for action in actions {
            switch action {
            case .store(let record):
                guard let output, output.0 == record.id, record.phase == .done else {
                    acts.append(.store(record, result: nil))
                    continue
                }
                said = output.1
                acts.append(.store(record, result: said.result))
                for next in said.then {
                    // Who succeeded is owed its successor: there is always a place for it.
                    if let other = lanes[next.owner] { try? other.queue.reserve() }
                    acts.append(.insert(next, wallMS: reading.wallMS))
                }
            case .load(let id): acts.append(.load(id))
            case .run, .stop, .publish, .refuse: break
            }
        }
        guard !acts.isEmpty else { return performed(actions, [], of: lane, said) }
        store.perform(acts) { [unowned self] result in
            if case .success(let findings) = result { performed(actions, findings, of: lane, said) }
        }
    }

    /// What these actions have to say to the disk is there.
    private func performed(
        _ actions: [DeliveryAction], _ findings: [DeliveryFinding], of lane: DeliveryLane, _ output: DeliveryOutput
    ) {
        var records: [DeliveryID: DeliveryRecord] = [:]
        for action in actions {
            switch action {
            case .store(let record):
                records[record.id] = record
                if record.phase == .waiting { note(.retried, record.id, record.reason, of: lane) }
                if record.phase == .pending, record.replays > 0 { lane.tally.dead -= 1 }
            case .run(let id, let run): if let record = records[id] { begin(record, run, of: lane) }
            case .stop(let id, let run):
                if let running = lane.runs[id], running.run.number == run {
                    lane.runs[id] = nil
                    running.stop()
                }
            case .publish(let id, let outcome): publish(id, outcome, output, of: lane)
            case .refuse(let id, let error): lane.answer(id, phase: nil, error)
            case .load: break
            }
        }
        for record in records.values { lane.answer(record.id, phase: record.phase, nil) }
        let loads = actions.compactMap { if case .load(let id) = $0 { id } else { nil } }
        var next = 0
        var follower = 0
        for finding in findings {
            switch finding {
            case .loaded(let item):
                loaded(loads[next], item, of: lane)
                next += 1
            case .submitted(let one):
                let submission = output.then[follower]
                follower += 1
                if let other = lanes[submission.owner] { taken(one, submission.payload, by: other) }
            case .stored, .restored, .mark, .forgotten: break
            }
        }
    }

    private func loaded(_ id: DeliveryID, _ item: StoredDelivery?, of lane: DeliveryLane) {
        if let item { lane.payloads[id] = item.payload }
        let actions = lane.queue.loaded(id, item?.record, at: reading, using: &random)
        carryOut(actions, of: lane)
        keepPayload(of: id, if: actions, of: lane)
    }

    private func begin(_ record: DeliveryRecord, _ run: DeliveryRun, of lane: DeliveryLane) {
        let id = record.id
        let payload = lane.payloads.removeValue(forKey: id) ?? []
        let running = RunningDelivery(record, payload: payload, run) { [unowned self] result in
            guard !isClosed else { return }
            lane.runs[id] = nil
            switch result {
            case .success(let output):
                carryOut(lane.queue.succeeded(id, run: run.number, at: reading), of: lane, (id, output))
            case .failure(let report):
                let actions = lane.queue.failed(id, run: run.number, report.failure, at: reading, using: &random)
                carryOut(actions, of: lane)
            }
        }
        lane.runs[id] = running
        lane.onRun(running)
    }

    private func publish(
        _ id: DeliveryID, _ outcome: DeliveryOutcome, _ output: DeliveryOutput, of lane: DeliveryLane
    ) {
        switch outcome {
        case .done:
            lane.tally.done += 1
            note(.done, id, "", of: lane)
        case .dead(let letter):
            lane.tally.dead += 1
            note(letter.cause == .cancelled ? .cancelled : .dead, id, letter.reason, of: lane)
        }
        for watcher in lane.watchers.removeValue(forKey: id) ?? [] { watcher(outcome, output) }
    }

    private func note(_ outcome: DeliveryTally.Outcome, _ id: DeliveryID, _ reason: String, of lane: DeliveryLane) {
        lane.tally.note(outcome, id, reason, at: Int(reading.wallMS / 1000))
    }

    // MARK: Time

    private func tick(_ lane: DeliveryLane) {
        carryOut(lane.queue.tick(at: reading, using: &random), of: lane)
    }

    /// Wakes when the lane's queue has something to do, unless the clock rings earlier.
    private func arm(for lane: DeliveryLane) {
        guard !isClosed, let due = lane.queue.wakeAt, due < clockDue else { return }
        clockDue = due
        let now = loop.now
        // A timer that cannot start is a closed one: the host is ending.
        try? clock.start(after: due > now ? due - now : .zero) { [unowned self] in wake() }
    }

    private func wake() {
        clockDue = Self.never
        let now = loop.now
        for lane in lanes.values {
            if let due = lane.queue.wakeAt, due <= now { tick(lane) } else { arm(for: lane) }
        }
    }

    private func forgetOld() {
        let now = reading.wallMS
        for lane in lanes.values where lane.tally.done + lane.tally.dead > 0 {
            let done = now - Int64(lane.settings.keep.nanoseconds / 1_000_000)
            let dead = now - Int64(lane.settings.keepDead.nanoseconds / 1_000_000)
            store.perform([.forget(lane.owner, doneBeforeMS: done, deadBeforeMS: dead)]) { result in
                guard case .success(let findings) = result, case .forgotten(let done, let dead)? = findings.first
                else { return }
                lane.tally.done -= done
                lane.tally.dead -= dead
            }
        }
    }
}

// MARK: People

extension Deliveries {
    /// Calls when the item has come to its end: at once, with what is known, when it has. Whoever calls must have heard
    /// that it is on the disk, in the same turn of the loop.
    func whenOver(
        _ id: DeliveryID, of owner: DeliveryOwner, _ then: @escaping (DeliveryOutcome, DeliveryOutput) -> Void
    ) throws(RoostError) {
        try lane(owner).watchers[id, default: []].append(then)
    }

    /// - Parameter then: nil when it is cancelled, on the disk; else why not.
    func cancel(
        _ id: DeliveryID, of owner: DeliveryOwner, by who: String, _ then: @escaping (RoostError?) -> Void
    ) throws(RoostError) {
        let lane = try lane(owner)
        let actions = try lane.queue.cancel(id, by: who, at: reading)
        lane.askers[id, default: []].append(DeliveryLane.Asker(phase: .dead, then: then))
        carryOut(actions, of: lane)
    }

    /// Tries a dead letter again, with all its attempts.
    /// - Parameter then: nil when it is on the disk; else why not.
    func replay(
        _ id: DeliveryID, of owner: DeliveryOwner, _ then: @escaping (RoostError?) -> Void
    ) throws(RoostError) {
        let lane = try lane(owner)
        let actions = try lane.queue.replay(id)
        lane.askers[id, default: []].append(DeliveryLane.Asker(phase: .pending, then: then))
        carryOut(actions, of: lane)
    }

    /// One item with payload and result.
    func find(
        _ id: DeliveryID, of owner: DeliveryOwner, _ then: @escaping (Result<StoredDelivery?, RoostError>) -> Void
    ) {
        store.query { database throws(DatabaseError) in
            try database.item(id, of: owner).map { [$0] } ?? []
        } then: {
            then($0.map(\.first))
        }
    }

    /// Newest first, without payloads.
    func list(
        _ phase: DeliveryRecord.Phase, of owner: DeliveryOwner, before: DeliveryID? = nil, limit: Int,
        _ then: @escaping (Result<[StoredDelivery], RoostError>) -> Void
    ) {
        store.query { database throws(DatabaseError) in
            try database.items(phase, of: owner, before: before, limit: limit)
        } then: {
            then($0)
        }
    }
}
