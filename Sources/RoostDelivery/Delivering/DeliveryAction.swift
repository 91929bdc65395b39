public import RoostBasics

/// What the body around a delivery does now.
///
/// The order of acts is the guarantee: everything durable of one call's actions (`store`, and what the body keeps with
/// it: the output of a run that succeeded, the submission of an outcome to its sink) goes to the disk in **one**
/// transaction, and only when that is on the disk are `run`, `stop`, `load` carried out and outcomes told to anybody.
/// Transactions and loads keep the order in which they came; one that fails, since the disk is full, is repeated until it
/// succeeds, and nothing overtakes it. A host that is killed in between finds all of a call or nothing of it.
public enum DeliveryAction: Hashable, Sendable {
    /// Write this row.
    case store(DeliveryRecord)
    /// Carry it out, and report `succeeded` or `failed` with the same number.
    case run(DeliveryID, DeliveryRun)
    /// End this run as fast as possible; whatever it reports does not count any more.
    case stop(DeliveryID, run: Int)
    /// Read this row, and tell `loaded`.
    case load(DeliveryID)
    /// The end of an item, for who waits for it and for its sink. Exactly once in the life of an item, and once more
    /// for each replay.
    case publish(DeliveryID, DeliveryOutcome)
    /// Tell the person who asked why nothing was done.
    case refuse(DeliveryID, RoostError)
}

/// One attempt as it is carried out.
public struct DeliveryRun: Hashable, Sendable {
    /// Counted over all the life of the item; reports carry it.
    public let number: Int
    /// Counted since it was submitted or replayed, as people are shown it.
    public let attempt: Int
    /// When it is stopped; nil: never.
    public let deadline: Instant?

    public init(number: Int, attempt: Int, deadline: Instant?) {
        self.number = number
        self.attempt = attempt
        self.deadline = deadline
    }
}

/// How an item ended.
public enum DeliveryOutcome: Hashable, Sendable {
    case done
    case dead(DeadLetter)
}

/// How a run failed.
public enum DeliveryFailure: Hashable, Sendable {
    /// It may succeed another time. `retryAfter`: what the other side asked for.
    case transient(String, retryAfter: Instant.Span? = nil)
    /// It never will.
    case permanent(String)

    /// In words.
    public var reason: String {
        switch self {
        case .transient(let reason, _), .permanent(let reason): reason
        }
    }
}
