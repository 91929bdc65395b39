public import RoostBasics

/// Decides when to send what over which connection: open-loop load, as a pure value.
///
/// Requests are due by a plan that no answer changes. One that finds no free connection has another one opened for
/// it, and at the limit it waits, first come first served; its time counts from the moment it was due all the same.
/// That leaves no room for coordinated omission (Tene, "How NOT to Measure Latency", 2013), in which a slow server
/// slows the generator and so hides its own slowness.
///
/// What waits needs no memory: the plan is a value, read once for what becomes due and once more for what is sent.
public struct LoadMachine: Sendable {
    /// What the owner of the connections must do now.
    public enum Action: Hashable, Sendable {
        /// Open a connection and call it `slot`; then `connected` or `lost`.
        case connect(slot: Int)
        /// Send the next request over it; then `replied` or `lost`.
        case send(slot: Int)
        /// Close it; nothing is to be heard of it again.
        case disconnect(slot: Int)
    }

    private enum Connection {
        case none
        case connecting
        case idle
        case busy(due: Instant)
    }

    private let start: Instant
    private let patience: Instant.Span
    private var connections: [Connection]
    /// Newest last: it is taken first, so that surplus ones rest until the host closes them.
    private var idle: [Int] = []
    private var unused: [Int]
    private var connecting = 0
    private var busy = 0

    private var plan: Arrivals
    private var upcoming: Instant?
    private var sendingPlan: Arrivals
    private var oldestWaiting: Instant?
    /// Due and not yet sent.
    public private(set) var waiting: UInt64 = 0
    /// No request under way runs out of patience before this.
    private var expiry: Instant?
    /// Closed by patience or at the host's word; their slots are free once the owner has been told.
    private var toDisconnect: [Int] = []

    public private(set) var tally = LoadTally()

    /// From here on the generator itself counts as late.
    public static let lateness = Instant.Span.milliseconds(1)

    /// - Parameters:
    ///   - connectionsMax: at once; at least one.
    ///   - patience: how long after it was due a request is given up.
    public init(_ arrivals: Arrivals, connectionsMax: Int, patience: Instant.Span, start: Instant) {
        precondition(connectionsMax > 0, "without a connection there is no load")
        (self.start, self.patience) = (start, patience)
        connections = Array(repeating: .none, count: connectionsMax)
        unused = Array((0..<connectionsMax).reversed())
        (plan, sendingPlan) = (arrivals, arrivals)
        upcoming = plan.next().map { start + $0 }
        oldestWaiting = sendingPlan.next().map { start + $0 }
    }

    /// Nothing is left to be sent or awaited.
    public var isFinished: Bool { upcoming == nil && waiting == 0 && busy == 0 && toDisconnect.isEmpty }

    /// Requests sent and not yet answered.
    public var underWay: Int { busy }

    /// When `next` wants to be called again though nothing has happened; nil: never.
    public var wake: Instant? {
        let patienceEnds = [waiting > 0 ? oldestWaiting.map { $0 + patience } : nil, busy > 0 ? expiry : nil]
        return ([upcoming] + patienceEnds).compactMap(\.self).min()
    }

    /// What to do now; nil when that is all. Ask until it is, with a fresh `now` each time.
    public mutating func next(at now: Instant) -> Action? {
        while true {
            if let slot = toDisconnect.popLast() {
                release(slot)
                return .disconnect(slot: slot)
            }
            if becomesDue(at: now) { continue }
            if expiresWaiting(at: now) { continue }
            if let expiry, busy > 0, now >= expiry {
                expireUnderWay(at: now)
                continue
            }
            guard waiting > 0 else { return nil }
            if let slot = idle.popLast() { return send(over: slot, at: now) }
            guard connecting < waiting, let slot = unused.popLast() else { return nil }
            connections[slot] = .connecting
            connecting += 1
            tally.connectionsPeak = max(tally.connectionsPeak, connections.count - unused.count)
            return .connect(slot: slot)
        }
    }

    /// The connection is there.
    public mutating func connected(_ slot: Int) {
        guard case .connecting = connections[slot] else { return }
        connecting -= 1
        tally.connectionsOpened += 1
        rest(slot)
    }

    /// Its reply is here, to the last byte.
    public mutating func replied(_ slot: Int, _ reply: Reply, at now: Instant) {
        guard case .busy(let due) = connections[slot] else { return }
        busy -= 1
        tally.add(reply, due: due, at: now)
        if reply.keepsConnection {
            rest(slot)
        } else {
            connections[slot] = .none
            toDisconnect.append(slot)
        }
    }

    /// The connection did not come about or is no more. A request that was under way over it fails, and so does the
    /// oldest that waited for a connection that could not be made.
    public mutating func lost(_ slot: Int, because reason: String, at now: Instant) {
        switch connections[slot] {
        case .none: return
        case .idle: idle.removeAll { $0 == slot }
        case .busy(let due):
            busy -= 1
            tally.add(.connectionError, due: due, at: now, because: reason)
        case .connecting:
            connecting -= 1
            if waiting > 0, let due = takeWaiting() {
                tally.add(.connectionError, due: due, at: now, because: reason)
            }
        }
        release(slot)
    }

    /// Ends the run: nothing more becomes due, nothing is awaited.
    public mutating func interrupt() {
        tally.isInterrupted = true
        tally.addInterrupted(waiting + UInt64(busy))
        (upcoming, oldestWaiting, waiting, busy) = (nil, nil, 0, 0)
    }
}

extension LoadMachine {
    /// Takes up one request whose time has come.
    private mutating func becomesDue(at now: Instant) -> Bool {
        guard let due = upcoming, due <= now else { return false }
        if now - due > Self.lateness { tally.late.record(now - due) }
        tally.due += 1
        waiting += 1
        upcoming = plan.next().map { start + $0 }
        return true
    }

    private mutating func expiresWaiting(at now: Instant) -> Bool {
        guard waiting > 0, let oldest = oldestWaiting, now - oldest >= patience, let due = takeWaiting() else {
            return false
        }
        tally.add(.noAnswer, due: due, at: now, because: "no connection was free for \(patience)")
        return true
    }

    /// Gives up what nobody would await any longer, and notes when that may next be so.
    private mutating func expireUnderWay(at now: Instant) {
        expiry = nil
        for slot in connections.indices {
            guard case .busy(let due) = connections[slot] else { continue }
            if now - due >= patience {
                busy -= 1
                tally.add(.noAnswer, due: due, at: now, because: "no answer within \(patience)")
                connections[slot] = .none
                toDisconnect.append(slot)
            } else {
                expiry = min(expiry ?? due + patience, due + patience)
            }
        }
    }

    private mutating func send(over slot: Int, at now: Instant) -> Action? {
        guard let due = takeWaiting() else { return nil }
        connections[slot] = .busy(due: due)
        busy += 1
        expiry = min(expiry ?? due + patience, due + patience)
        tally.sent += 1
        tally.wait.record(now - due)
        return .send(slot: slot)
    }

    private mutating func takeWaiting() -> Instant? {
        defer { oldestWaiting = sendingPlan.next().map { start + $0 } }
        waiting -= 1
        return oldestWaiting
    }

    private mutating func rest(_ slot: Int) {
        connections[slot] = .idle
        idle.append(slot)
    }

    private mutating func release(_ slot: Int) {
        connections[slot] = .none
        unused.append(slot)
    }
}
