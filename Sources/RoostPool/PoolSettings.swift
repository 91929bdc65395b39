public import RoostBasics
internal import RoostScaling

/// How a version's instances and queue behave; from the manifest.
public struct PoolSettings: Hashable, Sendable {
    /// Instances kept while the version has traffic, also without requests.
    public var instancesMin: Int
    /// Instances there are at most at any instant, those that start or end included.
    public var instancesMax: Int
    /// Requests that may be in flight in one instance before another is wanted.
    public var concurrency: Int
    /// Requests that may wait for an instance; one more is refused.
    public var queueDepthMax: Int
    /// Requests that an instance holds at most: one batch running, one forming.
    public var windowRequestsMax: Int
    /// From arrival to the 504, and the longest that one predict may run.
    public var timeout: Instant.Span
    /// Whether a request may run again after the instance that ran it died.
    public var retry: Bool
    /// An instance goes when it was not needed for this long.
    public var idle: Instant.Span
    /// Shadows that may wait; one more is not accepted.
    public var shadowsMax = 8
    /// Instances may die so many times in a row without an answer in between; then the version is given up.
    public var quarantineAfter: Int

    public init(
        instancesMin: Int = 0, instancesMax: Int = 1, concurrency: Int = 1, queueDepthMax: Int = 1024,
        windowRequestsMax: Int = 128, timeout: Instant.Span = .seconds(30), retry: Bool = true,
        idle: Instant.Span = .seconds(60), quarantineAfter: Int = 8
    ) {
        self.instancesMin = instancesMin
        self.instancesMax = instancesMax
        self.concurrency = concurrency
        self.queueDepthMax = queueDepthMax
        self.windowRequestsMax = windowRequestsMax
        self.timeout = timeout
        self.retry = retry
        self.idle = idle
        self.quarantineAfter = quarantineAfter
    }

    /// What of it the autoscaler needs. A version that goes away holds nothing that it does not need now.
    func scaling(_ demand: Demand) -> AutoscalerSettings {
        AutoscalerSettings(
            instancesMin: demand == .kept ? instancesMin : 0, instancesMax: instancesMax, concurrency: concurrency,
            idle: demand == .draining ? .zero : idle)
    }
}

/// Why a version wants instances. In each case requests bring as many as they need.
public enum Demand: Hashable, Sendable {
    /// It has traffic: `instancesMin` are kept without requests, too.
    case kept
    /// It is addressable: nothing is kept for longer than `idle`.
    case onDemand
    /// It goes away: what was accepted is finished; an instance without work goes at once.
    case draining
}

/// Why a request came to this pool, which decides what becomes of it when the version fails it.
public enum Errand: Hashable, Sendable {
    /// It is for this version: it may run once more here.
    case own
    /// Traffic tries the version with it: another version answers when this one cannot.
    case trial
    /// A copy, for comparison: it runs when nothing else does, once, and nobody waits for it.
    case shadow
}

/// What the host has to do next.
public enum Action: Hashable, Sendable {
    /// Write the request into the instance's channel. On `noRoom`, say so with `Pool.noRoom`.
    case dispatch(Ticket, RequestID, InstanceID)
    /// Bring one more instance; answer with `instanceAdded`, `startFailed` or `startRefused`.
    case start
    /// End the instance: nobody needs it.
    case stop(InstanceID)
    /// End the instance: one predict has run for the whole timeout, or it breaks the rules of its channel.
    case kill(InstanceID)
    /// Answer the caller; the request is forgotten.
    case fail(RequestID, Failure)
    /// Give a `trial` to another version: this one died with it (`isSuspect`), or cannot come to it. The ticket's index
    /// is free again afterwards.
    case handOver(Ticket, RequestID, isSuspect: Bool)
    /// Forget a `shadow`. The ticket's index is free again afterwards.
    case dropShadow(Ticket, Failure)
    /// Take the version out of service: its instances die without answering anything. Said once.
    case quarantine
}

/// Why a request gets an error instead of a reply.
public enum Failure: Hashable, Sendable {
    /// Its time ran out.
    case timeout
    /// The instance that ran it died, and it may not run again or has done so already.
    case death
    /// The version was given up while it waited; of a copy also: others needed the room.
    case quarantined
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
    /// It is the comparison that a `shadow` was for.
    case compared
    /// The caller has its answer or is gone.
    case drop
    /// This instance was never given that request: it writes nonsense.
    case unknown
}
