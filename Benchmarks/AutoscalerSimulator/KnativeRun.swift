import RoostBasics

/// Knative's default autoscaler (KPA) with its documented defaults, and an ideal activator: one queue, in order of
/// arrival, from which each ready pod takes its next call without delay.
///
/// Pods take one call at a time (`containerConcurrency: 1`), as instances do here.
struct KnativeSettings {
    /// From creation to the first call.
    var start: Instant.Span
    var podsMax: Int
    /// `container-concurrency-target-percentage` of one call at a time.
    var target = 0.7
    var stableWindow = 60
    /// A tenth of it, `panic-window-percentage`.
    var panicWindow = 6
    /// `panic-threshold-percentage`
    var panicThreshold = 2.0
    var scaleUpRateMax = 1000.0
    var scaleDownRateMax = 2.0
    /// `scale-to-zero-grace-period`
    var grace = Instant.Span.seconds(30)
    /// How often it decides.
    var period = Instant.Span.seconds(2)
}

struct KnativeRun {
    private struct Pod {
        let created: Instant
        /// When it is ready, then when its call ends; nil when it has nothing to do.
        var due: Instant?
        var isReady = false
        /// Ends when its call does.
        var isEnding = false
    }

    private let trace: Trace
    private let settings: KnativeSettings
    private var pods: [Pod] = []
    private var desired = 0
    private var queue: [Int] = []
    private var queueHead = 0
    private var running = 0
    private var nextCall = 0
    private var now = Instant(nanoseconds: 0)
    private var decision: Instant
    private var observed: ConcurrencyRecord
    private var panickedAt: Instant?
    private var panicPods = 0
    private var zeroSince: Instant?
    private var waits: [UInt64]
    private var instanceSeconds = 0.0
    private var starts = 0

    static func figures(_ trace: Trace, _ settings: KnativeSettings) -> Figures {
        var run = KnativeRun(trace, settings)
        while run.step() {}
        return run.end()
    }

    private init(_ trace: Trace, _ settings: KnativeSettings) {
        self.trace = trace
        self.settings = settings
        decision = now + settings.period
        observed = ConcurrencyRecord(seconds: settings.stableWindow)
        waits = Array(repeating: 0, count: trace.calls.count)
    }

    private var inFlight: Int { queue.count - queueHead + running }

    private mutating func step() -> Bool {
        var next = decision
        if nextCall < trace.calls.count { next = min(next, trace.calls[nextCall].arrival) }
        for pod in pods { if let due = pod.due { next = min(next, due) } }
        guard next < trace.end else { return false }
        observed.advance(to: next, inFlight: inFlight)
        now = next
        if nextCall < trace.calls.count, trace.calls[nextCall].arrival == now {
            queue.append(nextCall)
            nextCall += 1
            zeroSince = nil
            // The activator reports a call that finds nothing at once, without waiting for the period.
            if desired == 0 { scale(to: 1) }
        }
        for at in pods.indices where pods[at].due == now {
            if pods[at].isReady { running -= 1 }
            pods[at].isReady = true
            pods[at].due = nil
        }
        if decision == now {
            decide()
            decision = now + settings.period
        }
        removeEnding()
        serve()
        return true
    }

    private mutating func serve() {
        for at in pods.indices where pods[at].isReady && pods[at].due == nil && !pods[at].isEnding {
            guard queueHead < queue.count else { break }
            let call = queue[queueHead]
            queueHead += 1
            running += 1
            waits[call] = (now - trace.calls[call].arrival).nanoseconds
            pods[at].due = now + trace.calls[call].service
        }
        if queueHead == queue.count {
            queue.removeAll(keepingCapacity: true)
            queueHead = 0
        }
    }

    // MARK: the decision, as in Knative's pkg/autoscaler/scaling/autoscaler.go

    private mutating func decide() {
        let ready = Double(max(1, pods.count { $0.isReady && !$0.isEnding }))
        let (up, down) = (
            (settings.scaleUpRateMax * ready).rounded(.up), (ready / settings.scaleDownRateMax).rounded(.down)
        )
        func wanted(_ window: Int) -> Double { (observed.average(window, at: now) / settings.target).rounded(.up) }
        let panic = wanted(settings.panicWindow)
        var decided = Int(min(max(wanted(settings.stableWindow), down), up))
        if inFlight == 0, observed.average(settings.stableWindow, at: now) == 0 { decided = 0 }
        let isOver = panic / ready >= settings.panicThreshold
        if isOver {
            if panickedAt == nil { panicPods = Int(ready) }
            panickedAt = now
        } else if let since = panickedAt, since + .seconds(UInt64(settings.stableWindow)) < now {
            panickedAt = nil
        }
        if panickedAt != nil {
            panicPods = max(panicPods, decided, Int(min(max(panic, down), up)))
            decided = panicPods
        }
        scale(to: min(decided, settings.podsMax))
    }

    private mutating func scale(to count: Int) {
        if count == 0, desired > 0 {
            let since = zeroSince ?? now
            zeroSince = since
            guard since + settings.grace <= now else { return }
        } else {
            zeroSince = nil
        }
        desired = count
        var live = pods.count { !$0.isEnding }
        while live < desired {
            pods.append(Pod(created: now, due: now + settings.start))
            starts += 1
            live += 1
        }
        // Idle pods go first; a busy one ends with its call.
        for isBusy in [false, true] {
            for at in pods.indices.reversed() where live > desired && !pods[at].isEnding {
                guard (pods[at].due != nil) == isBusy else { continue }
                pods[at].isEnding = true
                live -= 1
            }
        }
    }

    private mutating func removeEnding() {
        for at in pods.indices.reversed() where pods[at].isEnding && (pods[at].due == nil || !pods[at].isReady) {
            instanceSeconds += (now - pods.remove(at: at).created).seconds
        }
    }

    private func end() -> Figures {
        precondition(nextCall == trace.calls.count && inFlight == 0, "calls are left")
        let left = pods.reduce(0) { $0 + (trace.end - $1.created).seconds }
        return Figures(waits: waits, instanceSeconds: instanceSeconds + left, starts: starts)
    }
}

/// Calls in flight, averaged over each second: what Knative samples once in a second is exact here.
private struct ConcurrencyRecord {
    private var seconds: [Double]
    private var time = Instant(nanoseconds: 0)

    init(seconds count: Int) { seconds = Array(repeating: 0, count: count + 1) }

    mutating func advance(to end: Instant, inFlight: Int) {
        while time < end {
            let second = time.nanoseconds / 1_000_000_000
            let until = min(end, Instant(nanoseconds: (second + 1) * 1_000_000_000))
            let at = Int(second) % seconds.count
            if time.nanoseconds % 1_000_000_000 == 0 { seconds[at] = 0 }
            seconds[at] += Double(inFlight) * (until - time).seconds
            time = until
        }
    }

    /// Of the last `window` whole seconds, or of those that there have been.
    func average(_ window: Int, at now: Instant) -> Double {
        let current = Int(now.nanoseconds / 1_000_000_000)
        let count = min(window, current)
        guard count > 0 else { return 0 }
        return (1...count).reduce(0) { $0 + seconds[(current - $1) % seconds.count] } / Double(count)
    }
}
