internal import RoostEvaluation
public import RoostJSON

extension AnalysisSettings {
    /// Reads the `analysis` object of a rollout plan; what it leaves out has its default.
    /// - Throws: for unknown keys, wrong types and numbers out of range, with their place.
    public init(_ cursor: JSONCursor) throws(JSONError) {
        self.init()
        let root = try cursor.object(known: Self.keys)
        if let object = try root["errors"]?.object(known: ["margin"]) {
            errorsMargin = try object["margin"]?.part(upTo: 1) ?? errorsMargin
        }
        if let object = try root["latency"]?.object(known: ["p99_margin"]) {
            latencyMargin = try object["p99_margin"]?.part(upTo: 10) ?? latencyMargin
        }
        if let object = try root["agreement"]?.object(known: ["flips", "collapse"]) { try read(agreement: object) }
        if let object = try root["quality"]?.object(known: ["metric", "margin", "labels"]) {
            try read(quality: object)
        }
        alpha = try root["alpha"]?.part(upTo: 0.5) ?? alpha
        samplesMin = try root["min_samples"]?.integer(in: 1...1_000_000_000) ?? samplesMin
    }

    private static let keys = ["errors", "latency", "agreement", "quality", "alpha", "min_samples"]

    private mutating func read(agreement object: JSONCursor) throws(JSONError) {
        flips = try object["flips"]?.part(upTo: 1) ?? flips
        collapse = try object["collapse"]?.part(upTo: 1) ?? max(collapse, flips)
        guard collapse >= flips else {
            throw (object["collapse"] ?? object).error(
                "\(object.path).collapse is \(collapse), less than flips, which is \(flips)")
        }
    }

    private mutating func read(quality object: JSONCursor) throws(JSONError) {
        if let cursor = object["metric"] {
            guard let metric = QualityMetric(name: try cursor.string()) else {
                throw cursor.error("unknown metric \"\(try cursor.string())\" (known: \(QualityMetric.names()))")
            }
            guard metric.hasEstimate else {
                throw cursor.error(
                    "\(cursor.path): how sure a value of \(metric.name) is cannot be told, so versions cannot be "
                        + "compared by it: auc sees the same scores")
            }
            quality.metric = metric
        }
        if let cursor = object["margin"] {
            quality.margin = try cursor.number()
            guard quality.margin > 0 else {
                throw cursor.error("\(cursor.path) must be more than 0, got \(quality.margin)")
            }
        }
        guard let labels = object["labels"] else { return }
        switch try labels.string() {
        case "optional": quality.isRequired = false
        case "required": quality.isRequired = true
        case let other: throw labels.error("\(labels.path) must be \"optional\" or \"required\", got \"\(other)\"")
        }
    }

    /// What `init` reads, with every key.
    public var json: JSONValue {
        [
            "errors": ["margin": .real(errorsMargin)],
            "latency": ["p99_margin": .real(latencyMargin)],
            "agreement": ["flips": .real(flips), "collapse": .real(collapse)],
            "quality": [
                "metric": .string(quality.metric.name), "margin": .real(quality.margin),
                "labels": .string(quality.isRequired ? "required" : "optional"),
            ],
            "alpha": .real(alpha), "min_samples": .integer(samplesMin),
        ]
    }
}

extension JSONCursor {
    /// A part of a whole: `"0.2%"` or `0.002`; more than zero.
    fileprivate func part(upTo most: Double) throws(JSONError) -> Double {
        let part: Double
        if let text = value.stringValue {
            guard text.hasSuffix("%"), let percent = Double(text.dropLast()) else {
                throw error("\(path) must be a percentage like \"0.2%\" or a number like 0.002, got \"\(text)\"")
            }
            part = percent / 100
        } else {
            part = try number()
        }
        guard part > 0, part <= most else {
            throw error("\(path) must be more than 0 and at most \(most) (\(most * 100)%), got \(part)")
        }
        return part
    }
}
