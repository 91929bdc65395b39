import Glibc
import RoostPlugin

/// How a margin becomes a prediction, in XGBoost's own float32 steps (`src/common/math.h`, `regression_loss.h`).
enum Objective: String, CaseIterable {
    case logistic = "binary:logistic"
    case squaredError = "reg:squarederror"
    case softprob = "multi:softprob"

    init(named name: String) throws(ModelError) {
        guard let objective = Self(rawValue: name) else {
            let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw .failed("objective \"\(name)\" is not supported: this runtime has \(known)")
        }
        self = objective
    }

    var isClassifier: Bool { self != .squaredError }

    /// Where margins start; base scores are stored as predictions.
    func margin(ofBaseScore score: Float) throws(ModelError) -> Float {
        guard score.isFinite else { throw .failed("base_score \(score) is not a number") }
        switch self {
        case .squaredError, .softprob: return score
        case .logistic:
            guard score > 0, score < 1 else { throw .failed("base_score \(score) is no probability in (0, 1)") }
            return -logf(1 / score - 1)
        }
    }

    /// `1 / (1 + exp(-x))` as XGBoost computes it: its epsilon vanishes in float32 but its clamp does not.
    static func sigmoid(_ margin: Float) -> Float {
        1 / (expf(min(-margin, 88.7)) + 1 + 1e-16)
    }

    /// Replaces margins by probabilities; sums in double like XGBoost.
    static func softmax(_ values: inout MutableSpan<Float>, _ places: Range<Int>) {
        var greatest = values[places.lowerBound]
        for place in places.dropFirst() { greatest = max(values[place], greatest) }
        var sum = 0.0
        for place in places {
            values[place] = expf(values[place] - greatest)
            sum += Double(values[place])
        }
        for place in places { values[place] /= Float(sum) }
    }
}
