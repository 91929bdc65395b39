import RoostBasics
import RoostDelivery

/// What may happen next in a world with a queue, a disk and workers.
enum WorldEvent: Hashable {
    /// Somebody submits what has this key, perhaps not for the first time.
    case submit(key: Int)
    /// The oldest transaction is on the disk, and its acts are not yet carried out.
    case commit
    /// The acts of the oldest transaction on the disk.
    case act
    /// The reply to the n-th open load arrives.
    case reply(Int)
    /// The n-th run ends.
    case succeed(Int), fail(Int), refuse(Int)
    /// Time passes until the queue wants to be woken.
    case wake
    /// `kill -9`: what is in memory is gone, what is on the disk stays. Then another host.
    case crash
    /// The wall clock jumps.
    case jump(hours: Int)
    case cancel(key: Int), replay(key: Int)
}

/// A body around `DeliveryQueue` as its documentation asks for, with a disk that is slow and a host that dies anywhere.
struct DeliveryWorld: Hashable {
    struct Row: Hashable {
        var record: DeliveryRecord
        /// How often `done` and `dead` came to the disk, and how often a person replayed it.
        var dones = 0
        var letters = 0
        /// Runs that were begun since the last replay.
        var begun = 0
    }

    struct Transaction: Hashable {
        /// The key of a new row, which is inserted unless it is there.
        var insert: Int?
        /// What came of it; nil: the key was there.
        var inserted: DeliveryRecord?
        var actions: [DeliveryAction] = []
        var isOnDisk = false
    }

    struct Execution: Hashable {
        let id: DeliveryID
        let run: Int
    }

    var disk: [DeliveryID: Row] = [:]
    var transactions: [Transaction] = []
    var loads: [DeliveryID] = []
    var executions: [Execution] = []
    var queue: DeliveryQueue
    var clock = ClockReading(monotonic: Instant(nanoseconds: 1_000_000_000_000), wallMS: 1_700_000_000_000)
    var generator = SplitMix(state: 5)
    /// Broken rules, in words.
    var faults: [String] = []

    init(_ policy: RetryPolicy, _ limits: DeliveryQueue.Limits) {
        queue = DeliveryQueue(policy: policy, limits: limits)
    }

    /// What can happen now.
    func possible(keys: Int, crashes: Bool, people: Bool) -> [WorldEvent] {
        var events: [WorldEvent] = (0..<keys).map { .submit(key: $0) }
        if transactions.contains(where: { !$0.isOnDisk }) { events.append(.commit) }
        if transactions.first?.isOnDisk == true { events.append(.act) }
        events += loads.indices.map { .reply($0) }
        for index in executions.indices { events += [.succeed(index), .fail(index), .refuse(index)] }
        if queue.wakeAt != nil { events.append(.wake) }
        if crashes { events += [.crash, .jump(hours: -30), .jump(hours: 30)] }
        if people { events += (0..<keys).flatMap { [.cancel(key: $0), .replay(key: $0)] } }
        return events
    }

    mutating func apply(_ event: WorldEvent) {
        switch event {
        case .submit(let key):
            guard (try? queue.reserve()) != nil else { return }
            transactions.append(Transaction(insert: key))
        case .commit: commit()
        case .act: act()
        case .reply(let index):
            let id = loads.remove(at: index)
            commitLater(queue.loaded(id, disk[id]?.record, at: clock, using: &generator))
        case .succeed(let index):
            let done = executions.remove(at: index)
            commitLater(queue.succeeded(done.id, run: done.run, at: clock))
        case .fail(let index), .refuse(let index):
            let done = executions.remove(at: index)
            let isRefused = event == .refuse(index)
            let failure: DeliveryFailure = isRefused ? .permanent("bad row") : .transient("busy")
            commitLater(queue.failed(done.id, run: done.run, failure, at: clock, using: &generator))
        case .wake:
            if let wakeAt = queue.wakeAt, wakeAt > clock.monotonic { pass(wakeAt - clock.monotonic) }
            commitLater(queue.tick(at: clock, using: &generator))
        case .crash: crash()
        case .jump(let hours): clock.wallMS += Int64(hours) * 3_600_000
        case .cancel(let key):
            commitLater((try? queue.cancel(DeliveryID(rawValue: Int64(key)), by: "ada", at: clock)) ?? [])
        case .replay(let key): commitLater((try? queue.replay(DeliveryID(rawValue: Int64(key)))) ?? [])
        }
        check()
    }

    /// Goes on without further trouble until nothing is left to do.
    mutating func settle(by worker: (Int) -> WorldEvent = { .succeed($0) }) {
        for _ in 0..<10_000 {
            if transactions.first?.isOnDisk == true {
                apply(.act)
            } else if !transactions.isEmpty {
                apply(.commit)
            } else if !loads.isEmpty {
                apply(.reply(0))
            } else if !executions.isEmpty {
                apply(worker(0))
            } else if queue.wakeAt != nil {
                apply(.wake)
            } else {
                return
            }
        }
        faults.append("it never comes to rest")
    }

    /// What is wrong when everything has come to rest.
    var restFault: String? {
        if let fault = faults.first { return fault }
        if !queue.isIdle { return "at rest, but not idle" }
        for row in disk.values where !row.record.phase.isFinal { return "lost: \(row.record)" }
        for row in disk.values where row.dones + row.letters != row.record.replays + 1 { return "no end: \(row)" }
        return nil
    }

    mutating func pass(_ span: Instant.Span) {
        clock.monotonic = clock.monotonic + span
        clock.wallMS += Int64(span.nanoseconds / 1_000_000)
    }

    private mutating func commitLater(_ actions: [DeliveryAction]) {
        if !actions.isEmpty { transactions.append(Transaction(actions: actions)) }
    }

    private mutating func commit() {
        guard let index = transactions.firstIndex(where: { !$0.isOnDisk }) else { return }
        transactions[index].isOnDisk = true
        for action in transactions[index].actions { if case .store(let record) = action { write(record) } }
        guard let key = transactions[index].insert else { return }
        let id = DeliveryID(rawValue: Int64(key))
        guard disk[id] == nil else { return }
        let record = DeliveryRecord(id: id, key: "\(key)", submittedWallMS: clock.wallMS)
        disk[id] = Row(record: record)
        transactions[index].inserted = record
    }

    private mutating func write(_ record: DeliveryRecord) {
        guard var row = disk[record.id] else {
            faults.append("a row without an insert")
            return
        }
        if row.record.phase == .done { faults.append("written after it was done: \(record)") }
        if row.record.phase == .dead, record.replays == row.record.replays { faults.append("a dead letter rose") }
        if record.replays > row.record.replays { row.begun = 0 }
        if record.phase == .done { row.dones += 1 }
        if record.phase == .dead { row.letters += 1 }
        row.record = record
        disk[record.id] = row
    }

    private mutating func act() {
        let transaction = transactions.removeFirst()
        if let inserted = transaction.inserted {
            commitLater(queue.submitted(inserted, at: clock))
        } else if transaction.insert != nil {
            queue.unreserve()
        }
        for action in transaction.actions {
            switch action {
            case .run(let id, let run): begin(id, run)
            case .stop(let id, let run): executions.removeAll { $0 == Execution(id: id, run: run) }
            case .load(let id): loads.append(id)
            case .store, .publish, .refuse: break
            }
        }
    }

    private mutating func begin(_ id: DeliveryID, _ run: DeliveryRun) {
        guard var row = disk[id] else { return faults.append("ran without a row") }
        if row.record.phase == .done { faults.append("ran after it was done") }
        if executions.contains(where: { $0.id == id }) { faults.append("ran twice at a time") }
        row.begun += 1
        if row.begun > queue.policy.attempts + queue.policy.freeInterruptions { faults.append("ran too often") }
        if run.attempt > queue.policy.attempts { faults.append("attempt \(run.attempt)") }
        disk[id] = row
        executions.append(Execution(id: id, run: run.number))
        if executions.count > queue.limits.concurrency { faults.append("too many at a time") }
    }

    private mutating func crash() {
        (transactions, loads, executions) = ([], [], [])
        // Another boot: its monotonic clock begins anew.
        clock.monotonic = Instant(nanoseconds: 1_000_000_000_000)
        queue = DeliveryQueue(policy: queue.policy, limits: queue.limits)
        for row in disk.values.sorted(by: { $0.record.id < $1.record.id }) {
            queue.restored(row.record, at: clock)
        }
    }

    private mutating func check() {
        for row in disk.values {
            if row.dones > 1 { faults.append("done twice") }
            if row.letters > row.record.replays + 1 { faults.append("more letters than lives") }
            if row.dones + row.letters > row.record.replays + 1 { faults.append("done and dead") }
        }
    }
}
