public import RoostBasics

/// What clients may use of the gateway. Times are kept to a tick or two: that is what they cost least with.
public struct GatewayLimits: Sendable {
    /// A body may have this many bytes (413).
    public var bodyBytesMax = 64 << 20
    /// All bodies that are still arriving, and large ones that wait for their answers, may hold this much memory together;
    /// beyond it no further one is read (503).
    public var heldBodyBytesMax = 1 << 30
    /// Connections at once; beyond it they wait in the kernel's queue.
    public var connectionsMax = 8192
    /// So many more over the host's own socket file.
    public var localConnectionsReserve = 64
    /// Requests of one connection under way at once; more stay unread.
    public var pipelinedMax = 16
    /// Bytes read ahead of the requests under way; beyond it the connection is not read.
    public var readAheadBytesMax = 65_536
    /// Bytes of replies that wait for a slow client; beyond it no more of its requests are taken up.
    public var unsentBytesMax = 1 << 20
    /// From the first byte of a head to its last (408).
    public var headTime = Instant.Span.seconds(10)
    /// Without a request, or without taking a byte of a reply (closed).
    public var idleTime = Instant.Span.seconds(75)
    /// After this a body must have come at `bodyBytesPerSecondMin` on average (408).
    public var bodyGrace = Instant.Span.seconds(10)
    public var bodyBytesPerSecondMin = 1024
    /// After a refusal the rest of what the client sends is thrown away for this long, so that it reads the refusal.
    public var lingerTime = Instant.Span.seconds(2)
    /// How often all connections are looked over.
    public var tick = Instant.Span.seconds(1)

    public init() {}

    /// How many connections a process may hold that may have so many files open: what is left of them when the host
    /// itself and each of its instances have theirs.
    static func connections(openFilesMax: Int, instancesMax: Int) -> Int {
        let own = 256, ofInstance = 4
        // Where they are few, instances may come to wait for connections, but nobody is kept out for good.
        return max(openFilesMax - own - ofInstance * instancesMax, openFilesMax / 4, 16)
    }

    /// Whole ticks, at least one, that cover a time.
    func ticks(_ time: Instant.Span) -> UInt32 {
        UInt32(clamping: max(1, (time.nanoseconds + tick.nanoseconds - 1) / tick.nanoseconds))
    }
}

/// What the gateway has seen, for metrics and `status`.
public struct GatewayCounters: Sendable {
    public var connectionsOpen = 0
    public var connectionsTotal = 0
    public var requestsTotal = 0
    /// Refused by the gateway itself, before any handler.
    public var refusedTotal = 0
    public var clientsGoneTotal = 0
    public var bytesReceived = 0
    public var bytesSent = 0
    /// Memory that bodies hold while they arrive, and large ones until they are answered.
    public var heldBodyBytes = 0

    public init() {}
}
