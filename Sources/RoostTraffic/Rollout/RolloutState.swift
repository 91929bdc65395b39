public import RoostBasics

/// Where a rollout stands. Every case but the last two may also go to promoted (by a person, or because the stable
/// version is lost), aborted and paused.
public enum RolloutState: Hashable, Sendable {
    /// The canary is not loaded. Goes to gate, replaying, analysing when it is.
    case pending
    /// The canary is scored against recorded requests. Goes to gate, analysing, waiting; aborted when it fails.
    case replaying(call: Int)
    /// The canary has its share, and the step is younger than the interval. Goes to waiting, pausing, gate, the next
    /// step's analysing, baking, promoted.
    case analysing
    /// It was looked at, and something is missing: each part in words. Goes where analysing goes, when it has come.
    case waiting(missing: [String])
    /// A pause of the plan, for so long; nil: until a person resumes. Goes to waiting, gate, analysing of the next step,
    /// baking, promoted.
    case pausing(Instant.Span?)
    /// The gate with this index in the plan was asked. Goes to the next gate, to what it was asked before, or waiting.
    case gate(Int, call: Int)
    /// All traffic is the canary's, and can still be taken back. Goes to promoted, aborted.
    case baking
    /// Somebody has to look. Goes back to what it was when a person resumes.
    case paused(Hold)
    /// The end.
    case promoted(unproven: [String])
    /// The end. The canary has no traffic and is rejected.
    case aborted(reason: String)

    /// Why a rollout is paused, and what it was before.
    public struct Hold: Hashable, Sendable {
        public enum Cause: Hashable, Sendable {
            /// By name, as the caller of the command gave it.
            case person(String)
            /// These metrics are alarming. Resuming accepts what they say for the rest of the rollout.
            case alarm([Metric])
            /// Recorded requests are answered too differently. Resuming accepts that.
            case replay
            /// Undecided at the end of the plan's longest duration. Resuming grants as much again.
            case overtime
        }

        public let cause: Cause
        public let reason: String
        /// What resuming goes back to. A question that was open is asked again.
        public let place: Place
    }

    /// The part of a state that a pause keeps.
    public enum Place: Hashable, Sendable {
        /// Before the first share.
        case beginning
        /// In a step, outside of the plan's pauses.
        case step
        /// In the plan's pause of this length, so much of which is over.
        case pausing(Instant.Span?, over: Instant.Span)
        /// So much of baking is over.
        case baking(over: Instant.Span)
    }

    /// As `status` prints it.
    public var word: String {
        switch self {
        case .pending: "pending"
        case .replaying: "replaying"
        case .analysing: "analysing"
        case .waiting: "waiting"
        case .pausing: "pausing"
        case .gate: "gate"
        case .baking: "baking"
        case .paused: "paused"
        case .promoted: "promoted"
        case .aborted: "aborted"
        }
    }

    /// Nothing happens any more.
    public var isFinal: Bool {
        switch self {
        case .promoted, .aborted: true
        case .pending, .replaying, .analysing, .waiting, .pausing, .gate, .baking, .paused: false
        }
    }
}
