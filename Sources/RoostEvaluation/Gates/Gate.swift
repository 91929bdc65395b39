/// What a metric must reach: `auc>=0.95`, `rmse<=3.2`.
public struct Gate: Hashable, Sendable, CustomStringConvertible {
    public enum Comparison: String, Hashable, Sendable, CaseIterable {
        case atLeast = ">="
        case atMost = "<="
        case above = ">"
        case below = "<"

        /// What is the case when it does not hold.
        var opposite: Comparison {
            switch self {
            case .atLeast: .below
            case .atMost: .above
            case .above: .atMost
            case .below: .atLeast
            }
        }
    }

    public let metric: QualityMetric
    public let comparison: Comparison
    public let bound: Double

    public init(_ metric: QualityMetric, _ comparison: Comparison, _ bound: Double) {
        self.metric = metric
        self.comparison = comparison
        self.bound = bound
    }

    /// Reads an expression, with or without spaces.
    /// - Throws: what is wrong, with what would be right.
    public init(parsing text: String) throws(GateError) {
        let words = text.split(separator: " ").joined()
        // Two characters before one: ">=" is not ">" and "=0.9".
        guard
            let (comparison, range) = Comparison.allCases.lazy.compactMap({ comparison in
                words.firstRange(of: comparison.rawValue).map { (comparison, $0) }
            }).first
        else {
            throw GateError("gate \"\(text)\": expected METRIC>=NUMBER or METRIC<=NUMBER, like auc>=0.95")
        }
        let (name, number) = (words[..<range.lowerBound], words[range.upperBound...])
        guard let metric = QualityMetric(name: String(name)) else {
            throw GateError("gate \"\(text)\": unknown metric \"\(name)\"; known are \(QualityMetric.names())")
        }
        guard let bound = Double(number), bound.isFinite else {
            throw GateError("gate \"\(text)\": \"\(number)\" is not a number")
        }
        self.init(metric, comparison, bound)
    }

    public func isMet(by value: Double) -> Bool {
        switch comparison {
        case .atLeast: value >= bound
        case .atMost: value <= bound
        case .above: value > bound
        case .below: value < bound
        }
    }

    /// Why `value` misses the gate, in short: `auc 0.941 < 0.95`. Nil when it meets it.
    public func miss(_ value: Double) -> String? {
        guard !isMet(by: value) else { return nil }
        return
            "\(metric.name) \(metricText(value, besides: bound)) \(comparison.opposite.rawValue) \(metricText(bound))"
    }

    public var description: String { "\(metric.name)\(comparison.rawValue)\(metricText(bound))" }
}

/// What is wrong with a gate expression.
public struct GateError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}
