public import RoostBasics
public import RoostClient
public import RoostLoad
internal import RoostLoop

/// What to send, where, and how fast.
public struct LoadPlan: Sendable {
    /// With numbers instead of a name: it is connected to again and again.
    public var address: HostAddress
    /// Of the endpoint: `/v2/models/credit/infer`.
    public var path: String
    public var bodies: RequestBodies
    public var arrivals: Arrivals
    /// Connections at once.
    public var connectionsMax = 64
    /// How long after it was due a request is given up.
    public var patience = Instant.Span.seconds(60)

    public init(address: HostAddress, path: String, bodies: RequestBodies, arrivals: Arrivals) {
        (self.address, self.path, self.bodies, self.arrivals) = (address, path, bodies, arrivals)
    }
}

/// Sends the load from one thread: does what a `LoadMachine` decides.
public final class LoadGenerator {
    private let loop: Loop
    private let place: ListeningPlace
    private let connectionsMax: Int
    private let head: [UInt8]
    private var bodies: RequestBodies
    private var request = ByteBuffer()
    private var machine: LoadMachine
    private var connections: [LoadConnection?]
    private var alarm: Alarm?
    private var handles: [Handle] = []
    private var isEnding = false
    private var turns: TurnHook?

    /// When the plan began.
    public let start: Instant
    /// How long the generator was at work instead of waiting for something to happen. A reply that comes while it is
    /// at work is noticed late, and no clock of its own could show that: near 100 % its figures are its own.
    public private(set) var busy = Instant.Span.zero

    /// The plan begins at once.
    public init(_ plan: LoadPlan) throws(RoostError) {
        do throws(UVError) { loop = try Loop() } catch { throw RoostError(.system, "\(error)") }
        place =
            switch plan.address {
            case .tcp(let host, let port): .tcp(host: host, port: port)
            case .socket(let path): .unix(folder: path.folder, name: path.lastName)
            }
        connectionsMax = plan.connectionsMax
        head = Array(
            """
            POST \(plan.path) HTTP/1.1\r\nHost: \(plan.address.authority)\r\n\
            Content-Type: \(plan.bodies.kind.contentType)\r\nContent-Length:\u{20}
            """.utf8)
        bodies = plan.bodies
        connections = Array(repeating: nil, count: plan.connectionsMax)
        start = Loop.clock
        machine = LoadMachine(
            plan.arrivals, connectionsMax: plan.connectionsMax, patience: plan.patience, start: start)
    }

    /// Runs to the end of the plan and the last answer, or until one of the `signals` comes; a second one has its
    /// usual effect.
    ///
    /// - Parameters:
    ///   - signals: by their numbers.
    ///   - onProgress: is told about once a second how long it has run, and the sums so far.
    public func run(
        endingAt signals: [Int32] = [], onProgress: ((Instant.Span, LoadTally) -> Void)? = nil
    ) throws(RoostError) -> LoadTally {
        do throws(UVError) {
            turns = TurnHook(.ring, on: loop) { [weak self] in self?.endTurn() }
            alarm = try Alarm(on: loop) { [weak self] in self?.go() }
            for number in signals {
                handles.append(try SignalWatcher(number, on: loop) { [weak self] in self?.interrupt() })
            }
            if let onProgress {
                let timer = try Timer(on: loop)
                handles.append(timer)
                try timer.start(after: .seconds(1), every: .seconds(1)) { [weak self] in
                    if let self { onProgress(Loop.clock - self.start, self.machine.tally) }
                }
            }
        } catch {
            close()
            loop.run()
            throw RoostError(.system, "\(error)")
        }
        go()
        loop.run()
        turns?.close()
        return machine.tally
    }

    /// The loop's `now` stands since the first thing that happened in this turn.
    private func endTurn() { busy.nanoseconds += (Loop.clock - loop.now).nanoseconds }

    /// Does what there is to do, and sees to it that it is called again when there is more.
    private func go() {
        guard !isEnding else { return }
        _ = loop.now  // from here on the turn is work
        while let action = machine.next(at: Loop.clock) { act(action) }
        if machine.isFinished { return close() }
        // It was accepted once with valid arguments; the kernel has no reason to refuse it later.
        try? alarm?.set(machine.wake)
    }

    private func act(_ action: LoadMachine.Action) {
        switch action {
        case .connect(let slot):
            do throws(UVError) {
                connections[slot] = try LoadConnection(slot, to: place, on: loop, owner: self)
            } catch {
                machine.lost(slot, because: "\(error)", at: Loop.clock)
            }
        case .send(let slot):
            let head = head
            request.removeAll()
            request.append(head.bytes)
            request.append("\(bodies.nextByteCount)\r\n\r\n" as String)
            bodies.appendNext(to: &request)
            do throws(UVError) { try connections[slot]?.send(request) } catch {
                drop(slot)
                machine.lost(slot, because: "\(error)", at: Loop.clock)
            }
        case .disconnect(let slot): drop(slot)
        }
    }

    private func drop(_ slot: Int) {
        connections[slot]?.close()
        connections[slot] = nil
    }

    private func interrupt() {
        machine.interrupt()
        close()
    }

    private func close() {
        isEnding = true
        alarm?.close()
        alarm = nil
        for handle in handles { handle.close() }
        handles = []
        for connection in connections { connection?.close() }
        connections = Array(repeating: nil, count: connectionsMax)
    }
}

extension LoadGenerator: LoadConnectionOwner {
    func connected(_ slot: Int) {
        machine.connected(slot)
        go()
    }

    func replied(_ slot: Int, _ reply: Reply) {
        machine.replied(slot, reply, at: Loop.clock)
        go()
    }

    func lost(_ slot: Int, because reason: String) {
        connections[slot] = nil
        machine.lost(slot, because: reason, at: Loop.clock)
        go()
    }
}

extension String {
    /// Of a path: everything up to its last slash.
    fileprivate var folder: String {
        guard let slash = lastIndex(of: "/") else { return "." }
        return String(self[...slash])
    }

    fileprivate var lastName: String {
        guard let slash = lastIndex(of: "/") else { return self }
        return String(self[index(after: slash)...])
    }
}
