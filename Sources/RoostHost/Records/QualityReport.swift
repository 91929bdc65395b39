internal import RoostBasics
internal import RoostEvaluation
internal import RoostFeedback
internal import RoostJSON

/// How good a function's versions have turned out to be, as `GET /functions/NAME/quality` and `status` say it.
struct QualityReport {
    /// A period that ends now.
    struct Window: Hashable, Sendable {
        let name: String
        /// Nil: everything that is kept.
        let seconds: Int64?

        static let usual = [
            Window(name: "1h", seconds: 3600), Window(name: "24h", seconds: 86_400),
            Window(name: "7d", seconds: 7 * 86_400), Window(name: "all", seconds: nil),
        ]

        private init(name: String, seconds: Int64?) {
            self.name = name
            self.seconds = seconds
        }

        /// Reads `24h`, `90m`, `all`.
        /// - Throws: `invalidArgument`.
        init(_ text: String) throws(RoostError) {
            if let usual = Self.usual.first(where: { $0.name == text }) {
                self = usual
                return
            }
            guard let span = Instant.Span(text), span >= .seconds(60) else {
                throw RoostError(
                    .invalidArgument, "window: expected a time of a minute or more, like 24h, or all, got \"\(text)\"")
            }
            self.init(name: text, seconds: Int64(span.seconds))
        }

        /// Where it begins, microseconds since 1970.
        func start(at now: Int64) -> Int64 { seconds.map { now - $0 * 1_000_000 } ?? 0 }
    }

    let windows: [(window: Window, versions: [VersionQuality])]
    /// Microseconds since 1970.
    let at: Int64

    var json: JSONValue {
        [
            "as_of": .integer(Int(at / 1_000_000)),
            "windows": .object(JSONObject(windows.map { ($0.window.name, Self.json($0.versions)) })),
        ]
    }

    private static func json(_ versions: [VersionQuality]) -> JSONValue {
        // The one with most records is what the others are held against.
        let base = versions.max { $0.coverage.recorded < $1.coverage.recorded }
        let others = versions.filter { $0.version != base?.version }
        return [
            "versions": .object(JSONObject(versions.map { ($0.version.description, json($0)) })),
            "comparisons": .array(others.compactMap { one in base.map { json(QualityComparison(one, against: $0)) } }),
        ]
    }

    private static func json(_ quality: VersionQuality) -> JSONValue {
        var coverage = JSONObject([
            ("recorded", .integer(quality.coverage.recorded)), ("labelled", .integer(quality.coverage.labelled)),
            ("share", .real(quality.coverage.share)),
        ])
        if let delay = quality.coverage.medianDelay { coverage["median_delay_seconds"] = .real(delay.seconds) }
        coverage["text"] = .string(quality.coverage.description)
        var object = JSONObject([("coverage", .object(coverage))])
        guard let task = quality.task else { return .object(object) }
        object["task"] = .string(task.rawValue)
        object["labels_used"] = .integer(quality.count)
        object["metrics"] = .object(JSONObject(quality.figures.map { ($0.metric.name, .real($0.value)) }))
        object["intervals"] = .object(
            JSONObject(
                quality.figures.compactMap { figure in
                    figure.interval.map {
                        (figure.metric.name, .array([.real($0.lowerBound), .real($0.upperBound)]))
                    }
                }))
        return .object(object)
    }

    private static func json(_ comparison: QualityComparison) -> JSONValue {
        var object = JSONObject([
            ("version", .string(comparison.version.description)), ("base", .string(comparison.base.description)),
        ])
        if let loss = comparison.loss, let difference = comparison.difference, let interval = comparison.interval {
            object["loss"] = .string(loss.rawValue)
            object["difference"] = .real(difference)
            object["interval"] = .array([.real(interval.lowerBound), .real(interval.upperBound)])
        }
        switch comparison.verdict {
        case .better: object["verdict"] = "better"
        case .worse: object["verdict"] = "worse"
        case .undecided: object["verdict"] = "undecided"
        case .none(let reason):
            object["verdict"] = .null
            object["reason"] = .string(reason)
        }
        return .object(object)
    }
}
