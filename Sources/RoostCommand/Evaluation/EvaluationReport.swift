internal import RoostEvaluation

/// Models beside each other.
struct EvaluationReport {
    let data: String
    let label: String
    let rows: Int
    let evaluations: [ModelEvaluation]
    let gates: [Gate]

    /// Why a model misses a gate; nil when it meets it.
    func miss(_ gate: Gate, _ evaluation: ModelEvaluation) -> String? {
        switch evaluation.quality(gate.metric) {
        case .value(let value, _)?: gate.miss(value)
        case .undefined(let reason)?: "\(gate.metric.name) is undefined: \(reason)"
        case nil:
            "\(gate.metric.name) is undefined: a \(evaluation.task.rawValue) model has "
                + QualityMetric.names(for: evaluation.task)
        }
    }

    /// Every gate that a model misses, in words.
    var misses: [String] {
        evaluations.flatMap { evaluation in
            gates.compactMap { gate in miss(gate, evaluation).map { "\(evaluation.name) misses \(gate): \($0)" } }
        }
    }

    /// The metrics whose change under disturbance the table shows: those with gates, else the usual ones.
    private var headlines: [QualityMetric] {
        let wanted = gates.isEmpty ? evaluations.map(\.headline) : gates.map(\.metric)
        return QualityMetric.allCases.filter(wanted.contains)
    }

    /// The text for people, ending with a newline.
    var text: String {
        var table = [[""] + evaluations.map(\.name)]
        for metric in QualityMetric.allCases where evaluations.contains(where: { $0.quality(metric) != nil }) {
            table.append([metric.name] + evaluations.map { Self.cell($0.quality(metric)) })
        }
        for metric in headlines {
            for disturbance in Disturbance.allCases {
                table.append(
                    ["\(metric.name), \(disturbance.name)"] + evaluations.map { Self.change($0, metric, disturbance) })
            }
        }
        table.append(["rows/s"] + evaluations.map { "\(Int($0.speed.rowsPerSecond))" })
        table.append(["one row, p50"] + evaluations.map { Figure.milliseconds($0.speed.percentile(50)) })
        table.append(["one row, p99"] + evaluations.map { Figure.milliseconds($0.speed.percentile(99)) })
        table.append(["size"] + evaluations.map { $0.byteCount.map { Figure.bytes(Double($0)) } ?? "-" })
        let columns = Columns(table, rightAligned: 0..<0)
        var lines = ["\(rows) rows of \(data), label \(label); 95 % intervals by bootstrap", ""]
        lines += table.map(columns.line)
        for evaluation in evaluations { lines += Self.confusion(evaluation) }
        for gate in gates where evaluations.allSatisfy({ miss(gate, $0) == nil }) { lines += ["", "\(gate): met"] }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func cell(_ quality: ModelEvaluation.Quality?) -> String {
        switch quality {
        case .value(let value, let interval?)?:
            "\(metricText(value)) [\(metricText(interval.lowerBound)), \(metricText(interval.upperBound))]"
        case .value(let value, nil)?: metricText(value)
        case .undefined?: "undefined"
        case nil: "-"
        }
    }

    private static func change(
        _ evaluation: ModelEvaluation, _ metric: QualityMetric, _ disturbance: Disturbance
    ) -> String {
        switch evaluation.disturbed.first(where: { $0.disturbance == disturbance })?.result {
        case .values(let values)?:
            guard let before = evaluation.quality(metric)?.value, let after = values[metric] else { return "-" }
            // Differences of doubles have digits that mean nothing.
            let change = ((after - before) * 1e9).rounded() / 1e9
            return change > 0 ? "+\(metricText(change))" : metricText(change)
        case .refused?: return "refused"
        case nil: return "-"
        }
    }

    /// Classes that a matrix is shown for at most: beyond them lines are too long to read.
    private static let classesShownMax = 12

    private static func confusion(_ evaluation: ModelEvaluation) -> [String] {
        guard let (names, matrix) = evaluation.confusion, names.count <= classesShownMax else { return [] }
        var table = [["is \\ decided"] + names]
        for (truth, name) in names.enumerated() {
            table.append([name] + names.indices.map { "\(matrix[truth, $0])" })
        }
        let columns = Columns(table, rightAligned: 1..<names.count + 1)
        return ["", "confusion matrix of \(evaluation.name)"] + table.map(columns.line)
    }
}
