public import RoostBasics
public import RoostJSON
internal import RoostTraffic

extension Manifest {
    /// Reads `functions/NAME.json`.
    /// - Throws: for unknown keys, keys of later builds, wrong types and values out of range, with their place.
    public init(_ document: JSONDocument) throws(JSONError) {
        self.init()
        let root = try Self.object(document.root, keys: Self.keys, later: Self.laterKeys)
        _ = try root["$schema"]?.string()
        description = try root["description"]?.string() ?? description
        owner = try root["owner"]?.string() ?? owner
        for (key, value) in try root["labels"]?.members() ?? [] { labels[key] = try value.string() }
        timeout = try root["timeout"]?.span(in: Self.timeoutRange) ?? timeout
        retry = try root["retry"]?.bool() ?? retry
        rollbackWindow = try root["rollback_window"]?.span(in: Self.rollbackWindowRange) ?? rollbackWindow
        warm = try root["warm"]?.bool() ?? warm
        weight = try root["weight"]?.integer(in: 1...1000) ?? weight
        traffic = try root["traffic"]?.shares()
        bake = try root["bake"]?.span(in: RolloutPlan.bakeRange) ?? bake
        if let cursor = root["rollout"] { rollout = try RolloutPlan(cursor, bake: bake) }
        tags = try root["tags"]?.tags() ?? tags
        shadow = try root["shadow"]?.shadowPlan()
        sticky = try root["sticky"]?.stickyKey()
        try readRecords(root)
        gate = try root["gate"].map { cursor throws(JSONError) in try GatePolicy(cursor) }
        threshold = try root["threshold"]?.number()
        if let threshold, !(0...1).contains(threshold), let cursor = root["threshold"] {
            throw cursor.error("threshold must be 0 to 1, got \(threshold)")
        }
        if let cursor = root["triggers"] { triggers = try TriggerSpec.list(cursor, timeout: timeout) }
        if let cursor = root["jobs"] {
            jobsShare =
                try Self.object(cursor, keys: Self.jobsKeys, later: [])["share"]?.integer(in: 1...100) ?? jobsShare
        }
        if let cursor = root["limits"] { try read(limits: cursor) }
        if let cursor = root["batch"] { try read(batch: cursor) }
        if let cursor = root["scale"] { try read(scale: cursor) }
    }

    /// Keys of this build by object; `""` is the document. The shipped JSON Schema has the same.
    public static let keysByObject: [String: [String]] = [
        "": keys, "limits": limitsKeys, "batch": batchKeys, "scale": scaleKeys, "rollout": RolloutPlan.keys,
        "shadow": ShadowPlan.keys,
        "feedback": feedbackKeys, "replay": replayKeys, "gate": GatePolicy.keys, "jobs": jobsKeys,
    ]

    private static let keys = [
        "$schema", "description", "owner", "labels", "timeout", "retry", "limits", "batch", "scale",
        "rollback_window", "traffic", "warm", "weight", "rollout", "bake", "sticky", "tags",
        "shadow", "feedback", "replay", "private", "gate", "threshold", "triggers", "jobs",
    ]
    private static let limitsKeys = ["memory", "model", "open_files", "network"]
    private static let jobsKeys = ["share"]
    private static let batchKeys = ["max_size", "max_delay"]
    private static let scaleKeys = ["min", "max", "concurrency", "idle", "queue"]

    /// Keys that later builds bring: refused in words of their own, so that nobody looks for a typing error.
    private static let laterKeys = [
        "sinks"
    ]

    private static let timeoutRange = Instant.Span.milliseconds(1)...Instant.Span.seconds(86_400)
    private static let rollbackWindowRange = Instant.Span.zero...Instant.Span.seconds(30 * 86_400)
    private static let idleRange = Instant.Span.zero...Instant.Span.seconds(30 * 86_400)
    private static let memoryRange = ByteCount.mebibytes(1)...ByteCount(bytes: 1 << 46)

    private static func object(
        _ cursor: JSONCursor, keys: [String], later: [String]
    ) throws(JSONError) -> JSONCursor {
        for (key, member) in try cursor.members() where later.contains(key) {
            throw member.keyError("\"\(member.path)\" is not supported by this build: remove it")
        }
        return try cursor.object(known: keys)
    }

    private mutating func read(limits cursor: JSONCursor) throws(JSONError) {
        let object = try Self.object(cursor, keys: Self.limitsKeys, later: [])
        limits.memory = try object["memory"]?.byteCount(in: Self.memoryRange)
        limits.model = try object["model"]?.byteCount(in: Self.memoryRange)
        limits.openFiles = try object["open_files"]?.integer(in: 16...65_536) ?? limits.openFiles
        limits.network = try object["network"]?.bool() ?? limits.network
    }

    private mutating func read(batch cursor: JSONCursor) throws(JSONError) {
        let object = try Self.object(cursor, keys: Self.batchKeys, later: [])
        batch.maxSize = try object["max_size"]?.integer(in: 1...65_536) ?? batch.maxSize
        guard let delay = object["max_delay"] else { return }
        batch.maxDelay = try delay.span(in: .zero ... .seconds(60))
        if batch.maxDelay >= timeout {
            throw delay.error("batch.max_delay is \(batch.maxDelay); it must be less than timeout, which is \(timeout)")
        }
    }

    private mutating func read(scale cursor: JSONCursor) throws(JSONError) {
        let object = try Self.object(cursor, keys: Self.scaleKeys, later: [])
        scale.min = try object["min"]?.integer(in: 0...10_000) ?? scale.min
        scale.max = try object["max"]?.integer(in: 1...10_000)
        scale.concurrency = try object["concurrency"]?.integer(in: 1...10_000) ?? scale.concurrency
        scale.idle = try object["idle"]?.span(in: Self.idleRange) ?? scale.idle
        scale.queue = try object["queue"]?.integer(in: 1...1_000_000) ?? scale.queue
        if let max = scale.max, scale.min > max {
            throw (object["min"] ?? cursor).error("scale.min is \(scale.min), more than scale.max, which is \(max)")
        }
    }
}

extension JSONCursor {
    /// `{"2": 90, "3": 10}`; also the body of `PUT /functions/{f}/traffic`.
    public func shares() throws(JSONError) -> TrafficShares {
        var percents: [VersionNumber: Int] = [:]
        for (key, value) in try members() {
            guard let version = VersionNumber(key) else { throw value.keyError("\"\(key)\" is no version number") }
            percents[version] = try value.integer(in: 0...100)
        }
        do { return try TrafficShares(percents) } catch { throw self.error("\(path): \(error.message)") }
    }
}
