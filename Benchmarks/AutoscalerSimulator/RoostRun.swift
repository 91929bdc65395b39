import RoostBasics
import RoostPool

/// The real `Pool`, with a host and instances around it that take the modelled time.
///
/// As in the host, an instance may be given requests as soon as it is asked for, works on them when its process runs,
/// and answers one after the other: what a batch would save is not counted.
struct RoostRun {
    private struct Instance {
        let id: InstanceID
        let asked: Instant
        var frames: [(ticket: Ticket, call: Int)] = []
        /// When its process runs, then when the first of its frames is answered; nil when it has nothing to do.
        var due: Instant?
        var isReady = false
    }

    private let trace: Trace
    private let start: Instant.Span
    private var pool: Pool
    private var instances: [Instance] = []
    private var nextInstance: UInt32 = 1
    private var nextCall = 0
    private var now = Instant(nanoseconds: 0)
    private var tick: Instant?
    private var waits: [UInt64] = []
    private var instanceSeconds = 0.0
    private var starts = 0
    private static let resolution = Instant.Span.milliseconds(10)

    static func figures(_ trace: Trace, _ settings: PoolSettings, start: Instant.Span) -> Figures {
        var run = RoostRun(trace, settings, start: start)
        while run.step() {}
        return run.end()
    }

    private init(_ trace: Trace, _ settings: PoolSettings, start: Instant.Span) {
        self.trace = trace
        self.start = start
        pool = Pool(settings: settings, demand: .kept)
        waits = Array(repeating: 0, count: trace.calls.count)
    }

    /// The next thing that happens; false at the end of the trace.
    private mutating func step() -> Bool {
        var next = tick ?? trace.end
        if nextCall < trace.calls.count { next = min(next, trace.calls[nextCall].arrival) }
        for instance in instances { if let due = instance.due { next = min(next, due) } }
        guard next < trace.end else { return false }
        now = next
        if nextCall < trace.calls.count, trace.calls[nextCall].arrival == now {
            // Nothing is refused here: the queue is long enough for every trace.
            _ = pool.arrived(RequestID(slot: UInt32(nextCall), generation: 0), at: now)
            nextCall += 1
        }
        for at in instances.indices where instances[at].due == now { finish(at) }
        if tick == now { pool.tick(at: now, resolution: Self.resolution) }
        obey()
        schedule()
        return true
    }

    /// As in the host: the clock looks every 10 ms while anything runs, and else when the pool says so.
    private mutating func schedule() {
        if pool.isIdle {
            tick = pool.wakeUp
        } else if tick.map({ $0 <= now || $0 > now + Self.resolution }) ?? true {
            tick = now + Self.resolution
        }
    }

    private mutating func finish(_ at: Int) {
        if !instances[at].isReady {
            instances[at].isReady = true
            pool.instanceReady(instances[at].id, after: start, at: now)
        } else {
            let frame = instances[at].frames.removeFirst()
            _ = pool.replied(frame.ticket, by: instances[at].id, at: now)
        }
        work(at)
    }

    /// Begins the first frame that an instance holds.
    private mutating func work(_ at: Int) {
        guard let frame = instances[at].frames.first else {
            instances[at].due = nil
            return
        }
        let call = trace.calls[frame.call]
        waits[frame.call] = (now - call.arrival).nanoseconds
        instances[at].due = now + call.service
    }

    private mutating func obey() {
        while let action = pool.next(at: now) {
            switch action {
            case .start:
                let id = InstanceID(rawValue: nextInstance)
                nextInstance += 1
                starts += 1
                instances.append(Instance(id: id, asked: now, due: now + start))
                pool.instanceAdded(id, at: now)
            case .dispatch(let ticket, let request, let id):
                guard let at = instances.firstIndex(where: { $0.id == id }) else { continue }
                instances[at].frames.append((ticket, Int(request.slot)))
                if instances[at].due == nil { work(at) }
            case .stop(let id), .kill(let id):
                guard let at = instances.firstIndex(where: { $0.id == id }) else { continue }
                instanceSeconds += (now - instances.remove(at: at).asked).seconds
                pool.instanceExited(id, taken: { _ in false }, at: now)
            case .fail, .handOver, .dropShadow, .quarantine: preconditionFailure("nothing fails in this world")
            }
        }
    }

    private func end() -> Figures {
        precondition(nextCall == trace.calls.count && pool.isIdle, "calls are left")
        let left = instances.reduce(0) { $0 + (trace.end - $1.asked).seconds }
        return Figures(waits: waits, instanceSeconds: instanceSeconds + left, starts: starts)
    }
}
