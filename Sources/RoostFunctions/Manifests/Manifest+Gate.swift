public import RoostEvaluation
internal import RoostJSON

/// What a new version must reach on labelled rows before it may serve.
public struct GatePolicy: Hashable, Sendable {
    /// A CSV file below `functions/NAME/` or the home's `data/`: relative, and never outside.
    public let data: String
    /// The column of labels.
    public let label: String
    /// For rankings: the column that says which rows belong together.
    public let group: String?
    public let metric: QualityMetric
    /// What the metric must reach; nil: only `maxDrop` counts.
    public let bound: Gate?
    /// How much worse than the serving version it may be, on the same rows; nil: any amount.
    public let maxDrop: Double?

    /// Why a version does not pass; nil when it does.
    /// - Parameter serving: the serving version's name and value; nil when there is none to compare with.
    public func objection(to value: Double, serving: (name: String, value: Double)?) -> String? {
        if let miss = bound?.miss(value) { return miss }
        guard let maxDrop, let serving else { return nil }
        let drop = metric.isHigherBetter ? serving.value - value : value - serving.value
        guard drop > maxDrop else { return nil }
        return "\(metric.name) \(metricText(value)) is worse than \(serving.name)'s \(metricText(serving.value)) by "
            + "\(metricText(drop, besides: maxDrop)), more than max_drop, which is \(metricText(maxDrop))"
    }

    static let keys = ["data", "label", "group", "metric", "min", "max", "max_drop"]

    /// `{"data": "holdout.csv", "label": "default", "metric": "auc", "min": 0.95, "max_drop": 0.01}`.
    init(_ cursor: JSONCursor) throws(JSONError) {
        let object = try cursor.object(known: Self.keys)
        let place = try object.required("data")
        data = try place.string()
        let parts = data.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.contains(where: { ["", ".", ".."].contains($0) }) else {
            throw place.error("\(place.path) must be a file below functions/NAME/ or data/, like \"holdout.csv\"")
        }
        label = try object.required("label").string()
        group = try object["group"]?.string()
        let name = try object.required("metric")
        guard let metric = QualityMetric(name: try name.string()) else {
            throw name.error("\(name.path): unknown metric; known are \(QualityMetric.names())")
        }
        self.metric = metric
        bound = try Self.bound(object, metric)
        maxDrop = try object["max_drop"]?.number()
        if let maxDrop, maxDrop < 0, let place = object["max_drop"] {
            throw place.error("\(place.path) must not be negative")
        }
        guard bound != nil || maxDrop != nil else {
            throw cursor.error("\(cursor.path) asks for nothing: give min, max or max_drop")
        }
        if metric == .ndcg, group == nil {
            throw cursor.error("\(cursor.path).group is missing: ndcg needs to know which rows belong together")
        }
    }

    private static func bound(_ object: JSONCursor, _ metric: QualityMetric) throws(JSONError) -> Gate? {
        let (wanted, other) = metric.isHigherBetter ? ("min", "max") : ("max", "min")
        if let wrong = object[other] {
            let better = metric.isHigherBetter ? "higher" : "lower"
            throw wrong.error("\(wrong.path): \(metric.name) is better when it is \(better): give \(wanted)")
        }
        guard let number = try object[wanted]?.number() else { return nil }
        return Gate(metric, metric.isHigherBetter ? .atLeast : .atMost, number)
    }
}
