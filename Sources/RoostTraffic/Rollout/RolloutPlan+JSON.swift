public import RoostBasics
public import RoostJSON

extension RolloutPlan {
    /// Reads the manifest's `rollout`: true for the standard plan, false for none (nil), or an object whose keys all
    /// have defaults. `bake` is the manifest's key of that name, see `bakeRange`.
    ///
    /// - Throws: with the place, for unknown keys, wrong types and numbers out of range, and for a plan that cannot
    ///   finish: shares that do not grow from step to step up to 100, none below 100, pauses that are not between two
    ///   shares, more than 100 steps, pauses and intervals that together fill the longest duration.
    public init?(_ cursor: JSONCursor, bake: Instant.Span) throws(JSONError) {
        if let isWanted = cursor.value.boolValue {
            guard isWanted else { return nil }
            self = .standard(bake: bake)
            return
        }
        guard cursor.value.objectValue != nil else {
            throw cursor.error("\(cursor.path) must be true, false or an object, got \(cursor.value.kind)")
        }
        let (root, usual) = (try cursor.object(known: Self.keys), Self.standard(bake: bake))
        let minSamples = try root["min_samples"]?.integer(in: 1...1_000_000_000) ?? usual.minSamples
        var analysis = usual.analysis
        if let cursor = root["analysis"] { analysis = try AnalysisSettings(cursor) }
        if root["analysis"]?["min_samples"] == nil { analysis.samplesMin = minSamples }
        var gates: [RolloutGate] = []
        for element in try root["gates"]?.elements() ?? [] { gates.append(try RolloutGate(element)) }
        self.init(
            steps: try root["steps"]?.steps() ?? usual.steps,
            interval: try root["interval"]?.milliseconds(in: Self.intervalRange) ?? usual.interval,
            minSamples: minSamples, analysis: analysis,
            maxDuration: try root["max_duration"]?.milliseconds(in: Self.maxDurationRange) ?? usual.maxDuration,
            withoutTraffic: try root["without_traffic"]?.word() ?? usual.withoutTraffic,
            onNewer: try root["on_newer"]?.word() ?? usual.onNewer, gates: gates, bake: bake)
        let shortest = shortestDuration
        guard shortest < maxDuration else {
            throw (root["max_duration"] ?? root["steps"] ?? root).error(
                "\(root.path) cannot finish: its pauses and one interval for each step take \(shortest), and "
                    + "max_duration is \(maxDuration)")
        }
    }

    /// Keys of the object, as the shipped JSON Schema has them.
    public static let keys = [
        "steps", "interval", "min_samples", "analysis", "max_duration", "without_traffic", "on_newer", "gates",
    ]
    /// Keys of an element of `gates`.
    public static let gateKeys = ["url", "at", "timeout"]
    /// What the manifest's `bake` may be.
    public static let bakeRange = Instant.Span.zero...Instant.Span.seconds(90 * 86_400)
    static let intervalRange = Instant.Span.seconds(1)...Instant.Span.seconds(86_400)
    static let maxDurationRange = Instant.Span.seconds(10)...Instant.Span.seconds(90 * 86_400)
    static let pauseRange = Instant.Span.seconds(1)...Instant.Span.seconds(30 * 86_400)
    static let timeoutRange = Instant.Span.milliseconds(100)...Instant.Span.seconds(600)
    static let stepsMax = 100

    /// With enough traffic and no person, from the first share to 100 %.
    var shortestDuration: Instant.Span {
        steps.reduce(.zero) { sum, step in
            switch step {
            case .share(let percent): percent < 100 ? sum + interval : sum
            case .pause(let length): sum + (length ?? .zero)
            }
        }
    }

    /// What `init` reads, with every key; without `bake`, which has its own.
    public var json: JSONValue {
        [
            "steps": .array(steps.map(\.json)), "interval": .string(interval.description),
            "min_samples": .integer(minSamples), "analysis": analysis.json,
            "max_duration": .string(maxDuration.description), "without_traffic": .string(withoutTraffic.rawValue),
            "on_newer": .string(onNewer.rawValue), "gates": .array(gates.map(\.json)),
        ]
    }
}

extension RolloutPlan.Step {
    fileprivate var json: JSONValue {
        switch self {
        case .share(let percent): .integer(percent)
        case .pause(let length): ["pause": length.map { .string($0.description) } ?? true]
        }
    }
}

extension RolloutGate {
    fileprivate init(_ cursor: JSONCursor) throws(JSONError) {
        let object = try cursor.object(known: RolloutPlan.gateKeys), url = try object.required("url")
        let text = try url.string()
        do { self.url = try WebhookURL(text) } catch { throw url.error("\(url.path): \(error.message)") }
        moment = try object["at"]?.word() ?? .beforePromotion
        timeout = try object["timeout"]?.milliseconds(in: RolloutPlan.timeoutRange) ?? .seconds(10)
    }

    fileprivate var json: JSONValue {
        ["url": .string(url.text), "at": .string(moment.rawValue), "timeout": .string(timeout.description)]
    }
}

extension JSONCursor {
    /// `[1, 5, {"pause": "10m"}, 25, {"pause": true}, 100]`.
    fileprivate func steps() throws(JSONError) -> [RolloutPlan.Step] {
        let elements = try elements()
        guard elements.count <= RolloutPlan.stepsMax else {
            throw error("\(path) must have at most \(RolloutPlan.stepsMax) elements, got \(elements.count)")
        }
        var (steps, last): ([RolloutPlan.Step], Int) = ([], 0)
        for element in elements {
            guard element.value.intValue != nil else {
                let pause = try element.pause()
                guard last > 0 else { throw element.error("\(element.path) must be a share: a pause comes after one") }
                steps.append(pause)
                continue
            }
            let percent = try element.integer(in: 1...100)
            guard percent > last else {
                throw element.error(
                    "\(element.path) must be more than the share before it, which is \(last): got \(percent)")
            }
            last = percent
            steps.append(.share(percent))
        }
        guard let final = elements.last, steps.last == .share(100) else {
            throw (elements.last ?? self).error(
                "\(path) must end at 100, got \(elements.last.map { $0.value.compact } ?? "no steps")")
        }
        guard steps.first != .share(100) else {
            throw final.error("\(path) must begin with a share below 100: at 100 there is nothing to compare with")
        }
        return steps
    }

    private func pause() throws(JSONError) -> RolloutPlan.Step {
        guard value.objectValue != nil else {
            throw error("\(path) must be a whole percentage or {\"pause\": …}, got \(value.kind)")
        }
        let length = try object(known: ["pause"]).required("pause")
        guard let isPause = length.value.boolValue else {
            return .pause(try length.milliseconds(in: RolloutPlan.pauseRange))
        }
        guard isPause else {
            throw length.error("\(length.path) must be a duration, or true to wait for a person; got false")
        }
        return .pause(nil)
    }

    /// A duration, rounded down to what all durations are written with.
    fileprivate func milliseconds(in range: ClosedRange<Instant.Span>) throws(JSONError) -> Instant.Span {
        .milliseconds(try span(in: range).nanoseconds / 1_000_000)
    }
}
