internal import RoostBasics
internal import RoostDelivery
internal import RoostJSON
internal import RoostTraffic

extension TriggerSpec {
    /// Keys by type of trigger; the shipped JSON Schema has the same.
    public static let keysByType: [TypeName: [String]] = [
        .file: commonKeys + ["watch", "output", "after", "done", "failed"] + JobOptions.keys,
        .schedule: commonKeys + ["cron", "timezone", "missed", "input", "output", "force"] + JobOptions.keys,
        .event: commonKeys + limitsKeys + ["filter", "input", "reply", "sink", "emit", "output"] + JobOptions.keys,
        .queue: commonKeys + limitsKeys,
    ]
    /// Keys of `retry`.
    public static let retryKeys = ["attempts", "backoff", "max_backoff"]
    private static let commonKeys = ["type", "name", "retry", "timeout"]
    private static let limitsKeys = ["concurrency", "capacity", "keep"]
    private static let triggersMax = 100
    private static let backoffRange = Instant.Span.milliseconds(1)...Instant.Span.seconds(86_400)
    private static let timeoutRange = Instant.Span.milliseconds(1)...Instant.Span.seconds(30 * 86_400)
    private static let keepRange = Instant.Span.seconds(60)...Instant.Span.seconds(366 * 86_400)

    /// The manifest's list.
    /// - Parameter timeout: the function's.
    static func list(_ cursor: JSONCursor, timeout: Instant.Span) throws(JSONError) -> [TriggerSpec] {
        let elements = try cursor.elements()
        guard elements.count <= triggersMax else {
            throw cursor.error("triggers lists \(elements.count), the most is \(triggersMax)")
        }
        var specs: [TriggerSpec] = []
        for element in elements {
            let spec = try TriggerSpec(element, after: specs, timeout: timeout)
            guard !specs.contains(where: { $0.name == spec.name }) else {
                throw (element["name"] ?? element).error("two triggers are called \"\(spec.name)\"")
            }
            guard spec.type != .queue || !specs.contains(where: { $0.type == .queue }) else {
                throw element.error("\(element.path) is a second queue: a function has one")
            }
            specs.append(spec)
        }
        return specs
    }

    private init(_ cursor: JSONCursor, after specs: [TriggerSpec], timeout: Instant.Span) throws(JSONError) {
        _ = try cursor.members()
        let type: TypeName = try cursor.required("type").word()
        let object = try cursor.object(known: Self.keysByType[type] ?? [])
        name = try object["name"]?.triggerName() ?? "\(type.rawValue)-\(specs.count { $0.type == type } + 1)"
        let kind: Kind =
            switch type {
            case .file: .file(try FileTrigger(object))
            case .schedule: .schedule(try ScheduleTrigger(object))
            case .event: .event(try EventTrigger(object))
            case .queue: .queue(QueueTrigger(limits: try Self.limits(object), keep: try Self.keep(object)))
            }
        self.kind = kind
        retry = try Self.retry(object, timeout: Self.isJob(kind) ? nil : timeout)
    }

    /// Whether a whole file is scored, which takes as long as it takes.
    private static func isJob(_ kind: Kind) -> Bool {
        switch kind {
        case .file, .schedule: true
        case .event(let event): event.input != .data
        case .queue: false
        }
    }

    private static func retry(_ object: JSONCursor, timeout: Instant.Span?) throws(JSONError) -> RetryPolicy {
        var policy = RetryPolicy()
        policy.timeout = try object["timeout"]?.span(in: timeoutRange) ?? timeout
        guard let retry = try object["retry"]?.object(known: retryKeys) else { return policy }
        policy.attempts = try retry["attempts"]?.integer(in: 1...100) ?? policy.attempts
        policy.backoff = try retry["backoff"]?.span(in: backoffRange) ?? policy.backoff
        policy.maxBackoff = try retry["max_backoff"]?.span(in: backoffRange) ?? max(policy.maxBackoff, policy.backoff)
        guard policy.backoff <= policy.maxBackoff else {
            throw (retry["backoff"] ?? retry).error(
                "\(retry.path).backoff is \(policy.backoff), more than max_backoff, which is \(policy.maxBackoff)")
        }
        return policy
    }

    static func limits(_ object: JSONCursor) throws(JSONError) -> DeliveryQueue.Limits {
        var limits = DeliveryQueue.Limits()
        limits.concurrency = try object["concurrency"]?.integer(in: 1...1000) ?? limits.concurrency
        limits.capacity = try object["capacity"]?.integer(in: 1...10_000_000) ?? limits.capacity
        return limits
    }

    static func keep(_ object: JSONCursor) throws(JSONError) -> Instant.Span {
        try object["keep"]?.span(in: keepRange) ?? .seconds(86_400)
    }
}

extension JSONCursor {
    fileprivate func triggerName() throws(JSONError) -> String {
        let text = try string()
        guard FunctionName(text) != nil else {
            throw error("\(path) must be letters, digits, _ and -, beginning with a letter or digit, at most 63")
        }
        return text
    }

    /// A value that `read` makes of the text, with its error at this place.
    func text<Value>(_ read: (String) throws(RoostError) -> Value) throws(JSONError) -> Value {
        let text = try string()
        do { return try read(text) } catch { throw self.error("\(path): \(error.message)") }
    }
}
