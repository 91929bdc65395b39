public import RoostBasics

/// How a version's instances and queue behave; from the manifest.
public struct PoolSettings: Hashable, Sendable {
    /// Instances kept while the version has traffic (at least one), and never more than.
    public var instancesMin: Int
    public var instancesMax: Int
    /// Requests that may wait for an instance; one more is refused.
    public var queueDepthMax: Int
    /// Requests that an instance holds at most: one batch running, one forming.
    public var windowRequestsMax: Int
    /// From arrival to the 504, and the longest that one predict may run.
    public var timeout: Instant.Span
    /// Whether a request may run again after the instance that ran it died.
    public var retry: Bool
    /// A version without traffic of its own keeps an unused instance this long.
    public var idle: Instant.Span

    public init(
        instancesMin: Int = 0, instancesMax: Int = 1, queueDepthMax: Int = 1024, windowRequestsMax: Int = 128,
        timeout: Instant.Span = .seconds(30), retry: Bool = true, idle: Instant.Span = .seconds(60)
    ) {
        self.instancesMin = instancesMin
        self.instancesMax = instancesMax
        self.queueDepthMax = queueDepthMax
        self.windowRequestsMax = windowRequestsMax
        self.timeout = timeout
        self.retry = retry
        self.idle = idle
    }
}

/// Why a version wants instances.
public enum Demand: Hashable, Sendable {
    /// It has traffic: instances are kept.
    case kept
    /// It is addressable: the first request brings an instance.
    case onDemand
    /// It goes away: what was accepted is finished, then nothing is left.
    case draining
}

/// What the host has to do next.
public enum Action: Hashable, Sendable {
    /// Write the request into the instance's channel. On `noRoom`, say so with `Pool.noRoom`.
    case dispatch(Ticket, RequestID, InstanceID)
    /// Bring one more instance; answer with `instanceAdded` or `startFailed`.
    case start
    /// End the instance: nobody needs it.
    case stop(InstanceID)
    /// End the instance: one predict has run for the whole timeout.
    case kill(InstanceID)
    /// Answer the caller; the request is forgotten.
    case fail(RequestID, Failure)
}

/// Why a request gets an error instead of a reply.
public enum Failure: Hashable, Sendable {
    /// Its time ran out.
    case timeout
    /// The instance that ran it died, and it may not run again or has done so already.
    case death
}

/// A request's place in its pool, and its name in a channel; valid until the instance that runs it answered or ended.
public struct Ticket: Hashable, Sendable {
    /// Small and reused: fit for an array beside the pool.
    public let index: Int32
    /// Tells the users of one index apart.
    let generation: UInt32

    init(index: Int32, generation: UInt32) {
        self.index = index
        self.generation = generation
    }

    /// As it travels through a channel, and back out of one: any value is safe to read.
    public init(rawValue: UInt64) {
        index = Int32(truncatingIfNeeded: rawValue)
        generation = UInt32(truncatingIfNeeded: rawValue >> 32)
    }
    public var rawValue: UInt64 { UInt64(generation) << 32 | UInt64(UInt32(bitPattern: index)) }
}

/// What becomes of a reply.
public enum ReplyFate: Hashable, Sendable {
    case deliver(RequestID)
    /// The caller has its answer or is gone.
    case drop
    /// This instance was never given that request: it writes nonsense.
    case unknown
}
