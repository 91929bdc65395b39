internal import RoostBasics
internal import RoostChannel
internal import RoostFeedback
internal import RoostFunctions

/// What of one function's requests is recorded, and how much has been. Belongs to the loop.
final class FunctionRecording {
    let function: FunctionName
    private var predictions: TokenBucket?
    private var requests: TokenBucket?
    private(set) var feedback: Manifest.Feedback?
    private(set) var replay: Manifest.Replay?
    private(set) var privateFields: [String] = []
    /// As a channel takes them: each name with a zero behind it.
    private(set) var privateBytes: [UInt8] = []
    /// When the present list came into force.
    private(set) var privateSince = Instant(nanoseconds: 0)
    /// Labels by what became of them, since the host started.
    var labels = LabelCounts()

    struct LabelCounts {
        var joined = 0
        var replaced = 0
        var unknown = 0
        var refused = 0
        var total: Int { joined + replaced + unknown + refused }
    }

    init(_ function: FunctionName) { self.function = function }

    /// Takes over the manifest's policy.
    func apply(_ manifest: Manifest, at now: Instant) {
        // A bucket that is still right keeps its tokens.
        if manifest.feedback?.rate != feedback?.rate {
            predictions = manifest.feedback.map { TokenBucket(perSecond: $0.rate, at: now) }
        }
        if manifest.replay?.rate != replay?.rate {
            requests = manifest.replay.map { TokenBucket(perSecond: $0.rate, at: now) }
        }
        feedback = manifest.feedback
        replay = manifest.replay
        guard privateFields != manifest.privateFields else { return }
        privateSince = now
        privateFields = manifest.privateFields
        privateBytes = manifest.privateFields.flatMap { Array($0.utf8) + [0] }
    }

    /// What is to be told of a request that is accepted now.
    /// - Parameter isRecordable: whether the version knows all private fields.
    func wishes(at now: Instant, isRecordable: Bool) -> SummaryWish {
        var wish = SummaryWish()
        if predictions?.take(at: now) == true { wish.insert(.outputs) }
        if isRecordable, requests?.take(at: now) == true { wish.insert(.record) }
        return wish
    }
}

/// Something that was decided or changed, for whoever keeps an account of it.
struct AuditNote: Hashable, Sendable {
    enum Act: Hashable, Sendable {
        /// A label took the place of another.
        case labelReplaced(key: String, row: Int, before: Label, after: Label)
    }

    let function: FunctionName
    let version: String
    /// Microseconds since 1970.
    let at: Int64
    let act: Act
}

extension AuditEntry {
    init(_ note: AuditNote) {
        switch note.act {
        case .labelReplaced(let key, let row, let before, let after):
            self.init(
                note.function, VersionNumber(note.version), by: "feedback", "label_replaced", from: "\(before)",
                to: "\(after)", reason: "request \(key), row \(row)")
        }
    }
}
