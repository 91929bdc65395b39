internal import RoostBasics
internal import RoostChannel

/// What the host keeps of a request until it is answered: enough to run it again on another instance.
struct InFlight {
    private(set) var header: RequestHeader
    /// The media type as it came, when it has no number; then the body; then room from earlier requests.
    private(set) var content: [UInt8] = []
    private(set) var contentTypeBytes = 0
    private(set) var contentBytes = 0
    /// Where its frame ends in the request ring of its instance; 0 before it was given to one.
    private(set) var frameEnd: UInt64 = 0
    private(set) var timing = PhaseTiming()
    /// The header `Roost-Key`, kept where the answer is to be recorded.
    private(set) var key: [UInt8] = []

    init(header: RequestHeader) { self.header = header }

    mutating func hold(_ header: RequestHeader, _ contentTypeText: RawSpan, _ body: RawSpan) {
        self.header = header
        frameEnd = 0
        if !key.isEmpty { key = [] }
        contentTypeBytes = contentTypeText.byteCount
        contentBytes = contentTypeBytes + body.byteCount
        guard contentBytes <= Self.roomBytes else {
            // Memory of this size is not kept, and need not be cleared before it is written.
            content = []
            content.reserveCapacity(contentBytes)
            content.append(contentTypeText)
            return content.append(body)
        }
        if content.count < contentBytes { content = Array(repeating: 0, count: max(512, contentBytes)) }
        content.overwrite(from: 0, with: contentTypeText)
        content.overwrite(from: contentTypeBytes, with: body)
    }

    /// A request that another version held: it goes on here, as old as it is.
    mutating func takeOver(_ other: consuming InFlight, _ header: RequestHeader) {
        self = other
        self.header = header
        frameEnd = 0
    }

    /// A copy of what another version has answered, with its answer.
    mutating func hold(
        _ header: RequestHeader, copyOf other: borrowing InFlight, answered head: ReplyHeader, _ reply: RawSpan
    ) {
        let text = other.contentTypeBytes
        let request = other.content.bytes.extracting(text..<other.contentBytes)
        var content: [UInt8] = []
        content.reserveCapacity(other.contentBytes + ComparisonBody.prefixBytes + reply.byteCount)
        content.append(other.content.bytes.extracting(first: text))
        content += ComparisonBody.prefix(requestBytes: request.byteCount, reply: head)
        content.append(request)
        content.append(reply)
        self.header = header
        self.content = content
        contentTypeBytes = text
        contentBytes = content.count
        frameEnd = 0
    }

    /// So much is kept as room for requests to come.
    private static let roomBytes = 1 << 16

    /// Memory of an unusually large body, which is given back.
    var largeBytes: Int { content.count > Self.roomBytes ? content.count : 0 }

    /// Gives the memory of an unusually large body back.
    mutating func forget() { if content.count > Self.roomBytes { content = [] } }

    mutating func note(key: [UInt8]) { self.key = key }

    mutating func note(frameEnd: UInt64, _ timing: PhaseTiming) {
        self.frameEnd = frameEnd
        self.timing = timing
    }
}

/// Where a request's time went before predict.
struct PhaseTiming {
    /// Waiting for an instance that was there, or for room in it.
    var queue: Instant.Span = .zero
    /// Waiting for a fork; nil when none was needed.
    var fork: Instant.Span?
    /// Waiting for the model to be loaded; nil when it was.
    var load: Instant.Span?
}

/// How the start of an instance went, for the requests that waited for it.
struct StartTiming {
    var asked: Instant
    /// When the template was there to fork from.
    var loaded: Instant
    var forked: Instant

    /// Splits the wait of a request that was among the first of its instance, whose predict began at `began`.
    func phases(arrived: Instant, first began: Instant) -> PhaseTiming {
        let began = max(forked, began)
        return StartTiming(asked: asked, loaded: loaded, forked: began).phases(arrived: arrived, dispatched: began)
    }

    /// Splits the wait of a request that is dispatched now.
    func phases(arrived: Instant, dispatched: Instant) -> PhaseTiming {
        guard arrived < forked else { return PhaseTiming(queue: dispatched - arrived) }
        let waitedForLoad = loaded - max(arrived, asked)
        let waitedForFork = forked - max(arrived, loaded)
        let rest = (dispatched - arrived).nanoseconds &- waitedForLoad.nanoseconds &- waitedForFork.nanoseconds
        return PhaseTiming(
            queue: Instant.Span(nanoseconds: rest), fork: waitedForFork,
            load: waitedForLoad > .zero ? waitedForLoad : nil)
    }
}
