public import RoostBasics
internal import RoostJSON

/// What a host keeps of a function's requests and answers.
extension Manifest {
    /// Recorded predictions, which late labels are joined to.
    public struct Feedback: Hashable, Sendable {
        /// Requests recorded per second at most; all when fewer come.
        public var rate = 1000
        /// How long a prediction waits for its label.
        public var keep = Instant.Span.seconds(30 * 86_400)
        /// Space on disk; the oldest go first.
        public var maxSize = ByteCount.mebibytes(256)
        public init() {}
    }

    /// Recorded requests, which a new version is scored against.
    public struct Replay: Hashable, Sendable {
        /// Space on disk; the oldest go first.
        public var size: ByteCount
        /// Requests recorded per second at most.
        public var rate = 10
        public init(size: ByteCount) { self.size = size }
    }

    static let feedbackKeys = ["rate", "keep", "max_size"]
    static let replayKeys = ["size", "rate"]
    private static let rateRange = 1...100_000
    private static let keepRange = Instant.Span.seconds(60)...Instant.Span.seconds(366 * 86_400)
    private static let sizeRange = ByteCount.mebibytes(1)...ByteCount(bytes: 1 << 42)
    private static let privateFieldsMax = 1000
    private static let privateNameBytesMax = 1024

    mutating func readRecords(_ root: JSONCursor) throws(JSONError) {
        if let cursor = root["feedback"] { feedback = try Self.feedback(cursor) }
        if let cursor = root["replay"] { replay = try Self.replay(cursor) }
        guard let cursor = root["private"] else { return }
        for element in try cursor.elements() {
            let name = try element.string()
            guard !name.isEmpty, name.utf8.count <= Self.privateNameBytesMax, !name.utf8.contains(0) else {
                throw element.error("\(element.path) must be the name of a column or input")
            }
            guard !privateFields.contains(name) else { throw element.error("\"\(name)\" is listed twice") }
            privateFields.append(name)
        }
        guard privateFields.count <= Self.privateFieldsMax else {
            throw cursor.error("private lists \(privateFields.count) names, the most is \(Self.privateFieldsMax)")
        }
    }

    /// `false` for none, else an object.
    private static func feedback(_ cursor: JSONCursor) throws(JSONError) -> Feedback? {
        if let isOn = cursor.value.boolValue {
            return isOn ? Feedback() : nil
        }
        let object = try cursor.object(known: feedbackKeys)
        var feedback = Feedback()
        feedback.rate = try object["rate"]?.integer(in: rateRange) ?? feedback.rate
        feedback.keep = try object["keep"]?.span(in: keepRange) ?? feedback.keep
        feedback.maxSize = try object["max_size"]?.byteCount(in: sizeRange) ?? feedback.maxSize
        return feedback
    }

    private static func replay(_ cursor: JSONCursor) throws(JSONError) -> Replay? {
        if cursor.value == .bool(false) { return nil }
        let object = try cursor.object(known: replayKeys)
        guard let size = object["size"] else {
            throw cursor.error("replay needs \"size\": how much of the disk the record may take, like \"64MiB\"")
        }
        var replay = Replay(size: try size.byteCount(in: sizeRange))
        replay.rate = try object["rate"]?.integer(in: rateRange) ?? replay.rate
        return replay
    }
}
