internal import Glibc

/// NDCG (Järvelin, Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002) with the relevance as
/// gain; candidates of equal score share their places' discounts (McSherry, Najork, ECIR 2008).
///
/// Groups of one candidate have only one order: they are left out.
struct RankingMeasure: Measure {
    /// Of each group that can be judged.
    private let gains: [Double]
    private let isSound: Bool

    var count: Int { gains.count }

    init(_ observations: RankingObservations) {
        let groups = observations.groups.filter { $0.scores.count > 1 }
        isSound = groups.allSatisfy { group in
            group.scores.allSatisfy(\.isFinite) && group.relevances.allSatisfy { $0.isFinite && $0 >= 0 }
        }
        gains = isSound ? groups.map(Self.gain) : []
    }

    func value(_ metric: QualityMetric, weights: [Int]) throws(UndefinedMetric) -> Double {
        try check(metric)
        return weightedSum(gains, weights) / Double(count)
    }

    func estimate(_ metric: QualityMetric) throws(UndefinedMetric) -> MetricEstimate {
        try check(metric)
        return try mean(metric, of: gains)
    }

    private func check(_ metric: QualityMetric) throws(UndefinedMetric) {
        guard metric == .ndcg else { throw .notFor(.ranking, metric) }
        guard isSound else {
            throw UndefinedMetric(metric, "scores must be finite, and relevances must not be negative")
        }
        guard count > 0 else { throw UndefinedMetric(metric, "no group has two candidates") }
    }

    private static func gain(_ group: RankingObservations.Group) -> Double {
        let best = group.relevances.sorted(by: >)
        let ideal = best.indices.reduce(0) { $0 + best[$1] * discount($1) }
        // Nothing to find: scikit-learn's value.
        guard ideal > 0 else { return 0 }
        let order = group.scores.indices.sorted { group.scores[$0] > group.scores[$1] }
        var (sum, first) = (0.0, 0)
        while first < order.count {
            var end = first + 1
            while end < order.count, group.scores[order[end]] == group.scores[order[first]] { end += 1 }
            let relevance = order[first..<end].reduce(0) { $0 + group.relevances[$1] } / Double(end - first)
            sum += (first..<end).reduce(0) { $0 + relevance * discount($1) }
            first = end
        }
        return sum / ideal
    }

    /// What a gain counts at a place, the first being 0.
    private static func discount(_ place: Int) -> Double { 1 / log2(Double(place + 2)) }
}
