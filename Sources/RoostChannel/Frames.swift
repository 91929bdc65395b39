internal import Glibc
public import RoostBasics

/// What an instance is asked to do with a body.
public enum Operation: UInt16, Sendable {
    /// Open Inference Protocol v2 `infer`.
    case infer = 1
    /// Rows for people: `POST /functions/{f}/predict`.
    case predict = 2
    /// The same, for a body that holds a request and what another version answered to it (`ComparisonBody`): the
    /// reply's body is a `Comparison`.
    case compareTensors = 3
    case compareRows = 4
    /// A chunk of a file with the plan of its job (`BulkRequest`): the reply's body is a `BulkReply`.
    case score = 5

    /// What compares answers to this one; itself for those that nobody compares.
    public var comparing: Operation {
        switch self {
        case .infer, .compareTensors: .compareTensors
        case .predict, .compareRows: .compareRows
        case .score: .score
        }
    }

    /// Whether the body holds an answer, too.
    public var isComparison: Bool { self == .compareTensors || self == .compareRows }
}

/// The media types that both sides know by number; any other is `other`.
public enum MediaType: UInt16, Sendable {
    case other = 0
    case json = 1
    case csv = 2
    case octets = 3
    case text = 4
}

/// How a request ended; kept apart in counters and analysis.
public enum Outcome: UInt16, Sendable, CaseIterable {
    case ok = 0
    /// The caller's input was wrong.
    case clientError = 1
    /// The model said that it failed.
    case modelError = 2
    /// The instance died, twice.
    case death = 3
    /// Too late, in the queue or in the model.
    case timeout = 4
    /// Refused because too many waited.
    case overload = 5
}

/// What the host would know of a request beside its reply.
public struct SummaryWish: OptionSet, Hashable, Sendable {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The request's own id and its outputs: `ReplySummary`.
    public static let outputs = SummaryWish(rawValue: 4)
    /// A copy of the request in which private fields are blank: `ReplySummary.record`.
    public static let record = SummaryWish(rawValue: 8)
}

/// A request as it stands in the ring, before its body.
public struct RequestHeader: Sendable {
    public var id: RequestID
    public var operation: Operation
    public var contentType: MediaType
    public var accept: MediaType
    /// When the host had it complete, and when its caller gets a 504.
    public var arrived: Instant
    public var deadline: Instant
    /// Until when the instance may keep it waiting for others to share its batch; in the past: not at all.
    public var patience: Instant
    /// What the reply shall tell beside its body.
    public var wants = SummaryWish()
    /// From which score on the label of two classes is the positive one; NaN: as the model decides.
    public var threshold = Double.nan
    /// How much of the decompressed body is JSON, when binary tensors follow it; nil: no binary tensors. As the caller
    /// says, which nobody has checked.
    public var jsonBytes: Int?
    /// How the body is compressed, and what it may become by decompression, in bytes.
    public var contentCoding = ContentCoding.identity
    public var bodyLimit = Int.max
    /// How the body of the reply may be compressed.
    public var acceptCoding = ContentCoding.identity

    public init(
        id: RequestID, operation: Operation, contentType: MediaType, accept: MediaType, arrived: Instant,
        deadline: Instant, patience: Instant? = nil
    ) {
        self.id = id
        self.operation = operation
        self.contentType = contentType
        self.accept = accept
        self.arrived = arrived
        self.deadline = deadline
        self.patience = patience ?? arrived
    }
}

/// A reply as it stands in the ring, before its body.
public struct ReplyHeader: Sendable {
    public var id: RequestID
    public var status: UInt16
    public var contentType: MediaType
    public var outcome: Outcome
    /// Rows of this request, and of the batch that it ran in.
    public var rows: UInt32 = 0
    public var batchRows: UInt32 = 0
    /// How long predict took for that batch.
    public var infer: Instant.Span = .zero
    /// How much of the body was JSON before it was compressed, when binary tensors follow it; nil: it has none.
    public var jsonBytes: Int?
    /// How the body is compressed.
    public var contentCoding = ContentCoding.identity
    /// How long it took before that to make tensors of the batch's bodies, and after it to make this body of tensors.
    public var decode: Instant.Span = .zero
    public var encode: Instant.Span = .zero
    /// On the host's side: `HostChannel.summary` is that of this reply.
    public internal(set) var hasSummary = false

    public init(id: RequestID, status: UInt16, contentType: MediaType, outcome: Outcome) {
        self.id = id
        self.status = status
        self.contentType = contentType
        self.outcome = outcome
    }
}

/// Why a channel can no longer be used. On the host's side it ends the instance.
public enum ChannelError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The other side wrote something that no correct peer writes.
    case nonsense(String)
    /// A system call failed; the second value is its errno.
    case system(String, Int32)

    /// This process has no more descriptors or memory, so the other side is not to blame.
    public var isShortage: Bool {
        guard case .system(_, let code) = self else { return false }
        return [EMFILE, ENFILE, ENOMEM, ENOSPC, ETOOMANYREFS].contains(code)
    }

    public var description: String {
        switch self {
        case .nonsense(let what): "channel: \(what)"
        case .system(let call, let code): "channel: \(call) failed with errno \(code)"
        }
    }
}
