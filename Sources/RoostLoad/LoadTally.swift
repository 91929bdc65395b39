public import RoostBasics

/// What the generator noted of one reply.
public struct Reply: Sendable {
    public var status: Int
    /// `Roost-Version`; empty when there was none.
    public var version: String
    public var timing: PhaseTimes
    /// Whether the connection may carry another request.
    public var keepsConnection: Bool
    /// What the host said; empty for successes.
    public var message: String

    public init(
        status: Int, version: String = "", timing: PhaseTimes = PhaseTimes(), keepsConnection: Bool = true,
        message: String = ""
    ) {
        (self.status, self.version, self.timing) = (status, version, timing)
        (self.keepsConnection, self.message) = (keepsConnection, message)
    }
}

/// The sums of a run, in memory that does not grow with it.
public struct LoadTally: Sendable {
    /// One kind of failure: a status with the first words that came with it, or a reason why no reply came.
    public struct Fault: Hashable, Sendable {
        public let outcome: Outcome
        /// Nil where no reply came.
        public let status: Int?
        public let message: String
        public fileprivate(set) var count: UInt64
    }

    /// Requests whose time has come.
    public internal(set) var due: UInt64 = 0
    public internal(set) var sent: UInt64 = 0
    /// Replies of any status.
    public private(set) var answered: UInt64 = 0
    private var outcomes = [UInt64](repeating: 0, count: Outcome.allCases.count)
    public private(set) var faults: [Fault] = []
    /// How many replies each version gave; beyond `versionsMax` of them under `…`.
    public private(set) var versions: [String: UInt64] = [:]

    /// Of successes, from the moment the request was due.
    public private(set) var latency = Histogram()
    /// Of everything else, until the failure was known.
    public private(set) var failedLatency = Histogram()
    /// Of those successes for which an instance had to be made; they are in `latency` too.
    public private(set) var coldLatency = Histogram()
    /// From due until sent, of every request that was sent.
    public internal(set) var wait = Histogram()
    private var phases = [Histogram](repeating: Histogram(), count: PhaseTimes.Phase.allCases.count)

    /// How late the generator itself noticed that a request was due, of those beyond `LoadMachine.lateness`.
    public internal(set) var late = Histogram()
    public internal(set) var connectionsOpened = 0
    public internal(set) var connectionsPeak = 0
    /// When the last outcome came.
    public private(set) var lastOutcome: Instant?
    /// Whether the run was ended early.
    public internal(set) var isInterrupted = false

    public static let versionsMax = 64
    public static let faultsMax = 16

    public init() {}

    public subscript(outcome: Outcome) -> UInt64 { outcomes[outcome.rawValue] }
    /// That phase of the replies that name it.
    public subscript(phase: PhaseTimes.Phase) -> Histogram { phases[phase.rawValue] }

    /// Whether every request went well or was turned away by a busy host, and at least one went well.
    public var isSuccess: Bool {
        self[.ok] > 0 && !Outcome.allCases.contains { $0.isFailure && self[$0] > 0 }
    }

    mutating func add(_ reply: Reply, due: Instant, at now: Instant) {
        let outcome = Outcome(status: reply.status)
        answered += 1
        add(outcome, due: due, at: now)
        if outcome == .ok {
            if reply.timing.isColdStart { coldLatency.record(now - due) }
        } else {
            note(outcome, reply.status, reply.message)
        }
        for phase in PhaseTimes.Phase.allCases {
            if let time = reply.timing[phase] { phases[phase.rawValue].record(time) }
        }
        guard !reply.version.isEmpty else { return }
        let isKnown = versions.count < Self.versionsMax || versions[reply.version] != nil
        versions[isKnown ? reply.version : "…", default: 0] += 1
    }

    /// A request that got no reply.
    mutating func add(_ outcome: Outcome, due: Instant, at now: Instant, because message: String) {
        add(outcome, due: due, at: now)
        note(outcome, nil, message)
    }

    /// Requests that were cut off: nobody knows what would have become of them.
    mutating func addInterrupted(_ count: UInt64) { outcomes[Outcome.interrupted.rawValue] += count }

    private mutating func add(_ outcome: Outcome, due: Instant, at now: Instant) {
        outcomes[outcome.rawValue] += 1
        if outcome == .ok { latency.record(now - due) } else { failedLatency.record(now - due) }
        lastOutcome = now
    }

    private mutating func note(_ outcome: Outcome, _ status: Int?, _ message: String) {
        let isKnown = { (fault: Fault) in
            fault.outcome == outcome && fault.status == status && (status != nil || fault.message == message)
        }
        if let place = faults.firstIndex(where: isKnown) {
            faults[place].count += 1
        } else if faults.count < Self.faultsMax {
            faults.append(Fault(outcome: outcome, status: status, message: message, count: 1))
        }
    }
}
