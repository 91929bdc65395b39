internal import RoostEvaluation
internal import RoostJSON

extension EvaluationReport {
    /// For programs: all metrics, also under disturbance.
    var json: JSONValue {
        [
            "data": .string(data), "label": .string(label), "rows": .integer(rows),
            "passed": .bool(misses.isEmpty), "models": .array(evaluations.map(model)),
        ]
    }

    private func model(_ evaluation: ModelEvaluation) -> JSONValue {
        var members = JSONObject([
            ("target", .string(evaluation.name)), ("task", .string(evaluation.task.rawValue)),
            (
                "metrics",
                .object(JSONObject(evaluation.metrics.map { ($0.metric.name, Self.quality($0.quality)) }))
            ),
        ])
        if let (names, matrix) = evaluation.confusion {
            members["confusion_matrix"] = [
                "classes": .array(names.map { .string($0) }),
                "counts": .array(
                    names.indices.map { truth in .array(names.indices.map { .integer(matrix[truth, $0]) }) }),
            ]
        }
        members["disturbed"] = .object(
            JSONObject(evaluation.disturbed.map { ($0.disturbance.key, Self.disturbed($0.result)) }))
        members["speed"] = evaluation.speed.json
        members["size"] = evaluation.byteCount.map { .integer($0) } ?? .null
        members["gates"] = .array(
            gates.map { gate in
                let miss = miss(gate, evaluation)
                return [
                    "gate": .string(gate.description), "met": .bool(miss == nil),
                    "miss": miss.map { .string($0) } ?? .null,
                ]
            })
        return .object(members)
    }

    private static func quality(_ quality: ModelEvaluation.Quality) -> JSONValue {
        switch quality {
        case .value(let value, let interval):
            [
                "value": .real(value), "low": interval.map { .real($0.lowerBound) } ?? .null,
                "high": interval.map { .real($0.upperBound) } ?? .null,
            ]
        case .undefined(let reason): ["value": .null, "undefined": .string(reason)]
        }
    }

    private static func disturbed(_ result: ModelEvaluation.Disturbed) -> JSONValue {
        switch result {
        case .values(let values):
            .object(
                JSONObject(values.sorted { $0.key.name < $1.key.name }.map { ($0.key.name, .real($0.value)) }))
        case .refused(let words): ["refused": .string(words)]
        }
    }
}

extension Disturbance {
    fileprivate var key: String {
        switch self {
        case .noise: "noise_1_percent"
        case .missing: "missing_5_percent"
        }
    }
}
