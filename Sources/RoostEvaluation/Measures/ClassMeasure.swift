internal import Glibc

/// Metrics of decisions and scores.
struct ClassMeasure: Measure {
    private let observations: ClassObservations
    /// For each class that is held against the rest; empty where there are no scores.
    private let orders: [ScoreOrder]
    /// Whether the scores can be probabilities.
    private let areProbabilities: Bool
    private let areFinite: Bool
    /// What each observation adds to a mean loss; empty where scores are no probabilities.
    private let logLosses: [Double]
    private let brierLosses: [Double]

    var count: Int { observations.count }

    init(_ observations: ClassObservations) {
        self.observations = observations
        areFinite = observations.scores.allSatisfy(\.isFinite)
        areProbabilities = observations.scores.allSatisfy { (0...1).contains($0) }
        orders =
            observations.scores.isEmpty || !areFinite ? [] : observations.judged.map { ScoreOrder(observations, $0) }
        let hasLosses = areProbabilities && !observations.scores.isEmpty
        logLosses = hasLosses ? Self.logLosses(observations) : []
        brierLosses = hasLosses ? Self.brierLosses(observations) : []
    }

    func value(_ metric: QualityMetric, weights: [Int]) throws(UndefinedMetric) -> Double {
        try check(metric, weights)
        switch metric {
        case .auc: return meanOverClasses { $0.area(weights) }
        case .averagePrecision: return meanOverClasses { $0.averagePrecision(weights) }
        case .logLoss: return weightedSum(logLosses, weights) / Double(count)
        case .brier: return weightedSum(brierLosses, weights) / Double(count)
        default:
            guard let value = ConfusionMatrix(observations, weights: weights).value(metric) else {
                throw .notFor(task, metric)
            }
            return value
        }
    }

    /// One confusion matrix serves all metrics that follow from it.
    func values(_ metrics: [QualityMetric], weights: [Int]) -> [QualityMetric: Double] {
        let matrix = ConfusionMatrix(observations, weights: weights)
        var values: [QualityMetric: Double] = [:]
        for metric in metrics {
            values[metric] =
                if (try? check(metric, weights)) == nil {
                    nil
                } else if let value = matrix.value(metric) {
                    value
                } else {
                    try? value(metric, weights: weights)
                }
        }
        return values
    }

    func estimate(_ metric: QualityMetric) throws(UndefinedMetric) -> MetricEstimate {
        try check(metric, once, sideMin: 2)
        switch metric {
        case .logLoss: return try mean(metric, of: logLosses)
        case .brier: return try mean(metric, of: brierLosses)
        case .accuracy, .precisionMicro, .recallMicro, .f1Micro:
            return try mean(metric, of: zip(observations.truths, observations.decisions).map { $0 == $1 ? 1 : 0 })
        case .auc:
            var influences = [Double](repeating: 0, count: count)
            for order in orders {
                for (row, influence) in order.areaInfluences().enumerated() {
                    influences[row] += influence / Double(orders.count)
                }
            }
            return linearised(meanOverClasses { $0.area(once) }, influences)
        case .averagePrecision: throw UndefinedMetric(metric, "its variance is known from resampling only")
        default: return try fromCells(metric)
        }
    }

    /// All observations of one cell of the confusion matrix have the same influence.
    private func fromCells(_ metric: QualityMetric) throws(UndefinedMetric) -> MetricEstimate {
        let matrix = ConfusionMatrix(observations)
        guard let value = matrix.value(metric) else { throw .notFor(task, metric) }
        var squares = 0.0
        for truth in 0..<matrix.classCount {
            for decision in 0..<matrix.classCount where matrix[truth, decision] > 0 {
                let influence = matrix.influence(metric, truth: truth, decision: decision) ?? 0
                squares += Double(matrix[truth, decision]) * influence * influence
            }
        }
        return MetricEstimate(value: value, variance: squares / Double(count), count: count)
    }

    private func meanOverClasses(_ value: (ScoreOrder) -> Double) -> Double {
        orders.reduce(0) { $0 + value($1) } / Double(orders.count)
    }

    /// Zero probability of the truth would be an infinite loss: as in scikit-learn it is taken as the distance from 1 to
    /// the next number.
    private static func logLosses(_ observations: ClassObservations) -> [Double] {
        let least = Double.ulpOfOne
        return observations.truths.enumerated().map { row, truth in
            -log(min(max(observations.score(row, truth), least), 1 - least))
        }
    }

    private static func brierLosses(_ observations: ClassObservations) -> [Double] {
        observations.truths.enumerated().map { row, truth in
            observations.judged.reduce(0) { sum, place in
                let distance = observations.score(row, place) - (truth == place ? 1 : 0)
                return sum + distance * distance
            }
        }
    }

    // MARK: what must be there

    /// - Parameter sideMin: how many positives and negatives `auc` needs.
    private func check(_ metric: QualityMetric, _ weights: [Int], sideMin: Int = 1) throws(UndefinedMetric) {
        guard QualityMetric.all(for: task).contains(metric) else { throw .notFor(task, metric) }
        guard count > 0 else { throw UndefinedMetric(metric, "there are no observations") }
        guard metric.needsScores else { return }
        guard !observations.scores.isEmpty else {
            throw UndefinedMetric(metric, "the model gives decisions, no scores")
        }
        guard areFinite else { throw UndefinedMetric(metric, "some scores are not finite numbers") }
        if !areProbabilities, metric == .logLoss || metric == .brier {
            throw UndefinedMetric(metric, "the scores are not probabilities")
        }
        guard metric == .auc || metric == .averagePrecision else { return }
        for (place, order) in zip(observations.judged, orders) {
            let totals = order.totals(weights)
            let what = observations.isBinary ? "positive" : "of class \(place)"
            guard totals.positives >= sideMin else {
                throw UndefinedMetric(metric, "\(Self.words(totals.positives)) of the labels is \(what)")
            }
            if metric == .auc, totals.negatives < sideMin {
                throw UndefinedMetric(metric, "\(Self.words(totals.negatives)) of the labels is not \(what)")
            }
        }
    }

    private static func words(_ count: Int) -> String { count == 0 ? "none" : "only one" }

    private var task: ModelTask { observations.isBinary ? .binary : .multiclass }
}

extension UndefinedMetric {
    /// The metric of another kind of models.
    static func notFor(_ task: ModelTask, _ metric: QualityMetric) -> UndefinedMetric {
        UndefinedMetric(metric, "a \(task.rawValue) model has \(QualityMetric.names(for: task))")
    }
}
