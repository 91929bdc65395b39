import RoostBasics
import RoostLoad

/// A machine, its connections and a host, with a clock that is turned by hand.
struct World {
    var machine: LoadMachine
    var now: Instant
    let start = Instant(nanoseconds: 1_000_000_000)
    /// How long connecting takes.
    var connectTime = Instant.Span.zero
    /// What the host makes of a request that is sent at a time: when it answers, and what; nil: never.
    var answer: (Instant) -> (at: Instant, Reply)?

    enum Event {
        case connected(Int)
        case replied(Int, Reply)
    }
    private(set) var events: [(at: Instant, event: Event)] = []
    /// Everything that the machine asked for.
    private(set) var log: [(at: Instant, action: LoadMachine.Action)] = []
    private var answered: [Int: Int] = [:]

    init(
        rate: Double, for duration: Instant.Span, pattern: Arrivals.Pattern = .constant, connections: Int = 64,
        patience: Instant.Span = .seconds(60), answer: @escaping (Instant) -> (at: Instant, Reply)?
    ) {
        machine = LoadMachine(
            Arrivals(rate: rate, duration: duration, pattern: pattern), connectionsMax: connections,
            patience: patience, start: start)
        now = start
        self.answer = answer
    }

    var tally: LoadTally { machine.tally }
    var sent: [Instant] { log.compactMap { if case .send = $0.action { $0.at } else { nil } } }
    var connects: Int { log.count { if case .connect = $0.action { true } else { false } } }

    /// Does what the machine wants now.
    mutating func act() {
        while let action = machine.next(at: now) {
            log.append((now, action))
            switch action {
            case .connect(let slot): schedule(now + connectTime, .connected(slot))
            case .send(let slot): if let (at, reply) = answer(now) { schedule(at, .replied(slot, reply)) }
            case .disconnect(let slot):
                events.removeAll { if case .replied(slot, _) = $0.event { true } else { false } }
            }
        }
    }

    /// Goes on to the next thing that happens; false when nothing will.
    mutating func step() -> Bool {
        act()
        guard !machine.isFinished else { return false }
        let next = [events.first?.at, machine.wake].compactMap(\.self).min()
        guard let next else { return false }
        now = max(now, next)
        while let first = events.first, first.at <= now {
            events.removeFirst()
            switch first.event {
            case .connected(let slot): machine.connected(slot)
            case .replied(let slot, let reply): machine.replied(slot, reply, at: now)
            }
            act()
        }
        return true
    }

    mutating func run() { while step() {} }

    private mutating func schedule(_ at: Instant, _ event: Event) {
        let place = events.firstIndex { $0.at > at } ?? events.endIndex
        events.insert((at, event), at: place)
    }
}

/// A host that answers after a time, each request on its own.
func after(_ time: Instant.Span, status: Int = 200) -> (Instant) -> (at: Instant, Reply)? {
    { sent in (sent + time, Reply(status: status, version: "1")) }
}
