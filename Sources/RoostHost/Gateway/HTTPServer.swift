internal import RoostBasics
internal import RoostFiles
internal import RoostHTTP
public import RoostLoop

/// HTTP/1.1 on one loop: frames requests, hands them to the handler, sends replies in order.
///
/// Ends by `close`, which must come before the server is let go. It parses no body and makes no policy beyond `GatewayLimits`. Nothing is allocated per request once it is warm.
public final class HTTPServer {
    public let loop: Loop
    public let limits: GatewayLimits
    public internal(set) var counters = GatewayCounters()

    /// Let go by `close`, which ends the cycle between a host and its server.
    private(set) var handler: (any RequestHandler)?
    var exchanges = ExchangeTable()
    var writer = ReplyWriter()
    var requestIDs: RequestIDTable
    /// Who waits for the replies to requests of the host itself, by slot.
    var insideReplies: [Int: (InsideReply) -> Void] = [:]
    /// Counts looks over all connections: the clock of every time limit here.
    private(set) var tick: UInt32 = 0
    private(set) var isDraining = false

    private var connections: [Connection?] = []
    private var freePlaces: [Int] = []
    /// Places of connections that have something to do at the end of this turn.
    private var dirty: [Int] = []
    private var listeners: [Listener] = []
    private let sweep: Timer
    private var isSweeping = false
    private var hook: TurnHook?
    private var onEmpty: (() -> Void)?

    public init(on loop: Loop, limits: GatewayLimits = GatewayLimits(), handler: any RequestHandler) throws(UVError) {
        self.loop = loop
        self.limits = limits
        self.handler = handler
        var random = SystemRandomNumberGenerator()
        requestIDs = RequestIDTable(using: &random)
        sweep = try Timer(on: loop)
        hook = TurnHook(.gather, on: loop) { [unowned self] in endTurn() }
    }

    /// Accepts connections at `place`; returns the TCP port (0 for a socket file).
    public func listen(at place: ListeningPlace) throws(UVError) -> UInt16 {
        let listener = try Listener(at: place, on: loop) { [unowned self] stream in accept(stream) }
        listeners.append(listener)
        return listener.port
    }

    /// Stops accepting, closes idle connections, lets the others finish what they have begun, each with
    /// `Connection: close`; then calls `onEmpty`, once, at the end of a turn.
    public func drain(_ onEmpty: @escaping () -> Void) {
        isDraining = true
        self.onEmpty = onEmpty
        for listener in listeners { listener.close() }
        for connection in connections { connection?.drain() }
    }

    /// Closes everything at once. The handler hears `clientGone` for what was unanswered and is then let go.
    public func close() {
        isDraining = true
        for listener in listeners { listener.close() }
        for connection in connections { connection?.abandon() }
        sweep.close()
        hook?.close()
        hook = nil
        handler = nil
        insideReplies = [:]
        listeners = []
        onEmpty = nil
    }

    // MARK: Connections

    private func accept(_ stream: Stream) {
        guard !isDraining else { return stream.close() }
        let place = freePlaces.popLast() ?? connections.count
        if place == connections.count { connections.append(nil) }
        let connection = Connection(stream, at: place, on: self)
        do {
            try stream.sendWithoutDelay()
            try stream.startReading(connection)
        } catch {
            freePlaces.append(place)
            return stream.close()
        }
        connections[place] = connection
        counters.connectionsOpen += 1
        counters.connectionsTotal += 1
        if !isSweeping { startSweeping() }
        pauseIfFull()
    }

    /// Those who come while there is no room wait in the kernel's queue. Without a descriptor libuv would take them and
    /// hang up.
    private func pauseIfFull() {
        let isShort = OpenFileLimit.isNear(reserve: Self.reserve)
        for listener in listeners {
            let isFull = isShort || counters.connectionsOpen >= most(on: listener)
            if listener.isPaused != isFull { listener.isPaused = isFull }
        }
    }

    /// Descriptors that are for instances, files and the host itself.
    private static let reserve = 64

    func connection(at place: Int) -> Connection? { connections[place] }

    /// The connection has closed its stream and is in no list but ours.
    func forget(_ connection: Connection) {
        guard connections[connection.place] === connection else { return }
        connections[connection.place] = nil
        freePlaces.append(connection.place)
        counters.connectionsOpen -= 1
        if listeners.contains(where: \.isPaused) { pauseIfFull() }
    }

    /// The host's own socket still answers when others have taken all that there is for them.
    private func most(on listener: Listener) -> Int {
        limits.connectionsMax + (listener.isLocal ? limits.localConnectionsReserve : 0)
    }

    private func reportIfEmpty() {
        guard isDraining, counters.connectionsOpen == 0, let report = onEmpty else { return }
        onEmpty = nil
        report()
    }

    // MARK: Time

    private func startSweeping() {
        isSweeping = true
        writer.setDate(Loop.unixSeconds)
        do {
            try sweep.start(after: limits.tick, every: limits.tick) { [unowned self] in sweepOnce() }
        } catch {
            preconditionFailure("the sweep timer closes after the last connection: \(error)")
        }
    }

    private func sweepOnce() {
        tick &+= 1
        writer.setDate(Loop.unixSeconds)
        for connection in connections { connection?.sweep() }
        // Others may have taken or given descriptors meanwhile.
        if !isDraining { pauseIfFull() }
        if counters.connectionsOpen == 0, isDraining || !listeners.contains(where: \.isPaused) {
            isSweeping = false
            sweep.stop()
        }
    }

    // MARK: The end of a turn

    func markDirty(_ connection: Connection) {
        guard !connection.isDirty else { return }
        connection.isDirty = true
        dirty.append(connection.place)
    }

    private func endTurn() {
        var index = 0
        while index < dirty.count {  // grows when taking up held-back requests gives more to do
            let connection = connections[dirty[index]]
            index += 1
            connection?.isDirty = false
            connection?.endTurn()
        }
        dirty.removeAll(keepingCapacity: true)
        reportIfEmpty()
    }
}
