import Glibc
import ModelFiles
import RoostPlugin

/// Linear, logistic and softmax regression from files of docs/LINEAR.md, computed in double precision.
struct LinearModel: Model {
    static var formats: String? { "roost-linear .json (docs/LINEAR.md)" }

    let signature: Signature
    private let kind: LinearFile.Kind
    /// One row per output, divided by the scale of each column.
    private let weights: ModelArray<Double>
    /// One per output; what standardisation subtracts is in it.
    private let intercepts: ModelArray<Double>
    /// Stands in for missing values; empty: they are refused.
    private let impute: ModelArray<Double>
    private let classes: [ModelText]
    private let columns: Int

    init(loading artifact: borrowing Artifact) throws {
        let file = try LinearFile(artifact.bytes)
        kind = file.kind
        columns = file.columns
        // w·(x - mean)/scale + b  =  (w/scale)·x + (b - (w/scale)·mean)
        let scaled = file.coefficients.map { row in
            row.indices.map { row[$0] / (file.scale?[$0] ?? 1) }
        }
        let shifted = file.intercepts.indices.map { output in
            scaled[output].indices.reduce(file.intercepts[output]) { $0 - scaled[output][$1] * (file.mean?[$1] ?? 0) }
        }
        weights = try artifact.memory.copy(scaled.flatMap { $0 })
        intercepts = try artifact.memory.copy(shifted)
        impute = try artifact.memory.copy(file.impute ?? [])
        classes = try file.classes.map { try artifact.memory.text($0) }
        signature = Self.signature(of: file)
    }

    func predict(_ batch: borrowing Batch, _ outputs: inout Outputs) throws {
        let features = try batch.values(0, of: Float.self)
        let width = intercepts.count
        var best = [Int](repeating: 0, count: batch.rows)
        do {
            var predictions = try outputs.values(0, of: Float.self)
            var scores = [Double](repeating: 0, count: width)
            for row in 0..<batch.rows {
                score(features, row * columns, into: &scores)
                best[row] = link(&scores)
                for output in 0..<width { predictions[row * width + output] = Float(scores[output]) }
            }
        }
        if kind != .linear { try label(best, into: &outputs) }
        if impute.isEmpty { refuseMissing(features, rows: batch.rows, in: &outputs) }
    }

    private func score(_ features: Span<Float>, _ start: Int, into scores: inout [Double]) {
        let (weights, impute) = (weights.span, impute.span)
        for output in scores.indices {
            var sum = intercepts[output]
            for column in 0..<columns {
                let value = features[start + column]
                let known = value.isNaN && !impute.isEmpty ? impute[column] : Double(value)
                sum += weights[output * columns + column] * known
            }
            scores[output] = sum
        }
    }

    /// Turns scores into predictions; the index of the class they speak for.
    private func link(_ scores: inout [Double]) -> Int {
        switch kind {
        case .linear: return 0
        case .logistic:
            let score = scores[0]
            scores[0] = 1 / (1 + exp(-score))
            return score > 0 ? 1 : 0
        case .softmax:
            var best = 0
            for index in scores.indices where scores[index] > scores[best] { best = index }
            let greatest = scores[best]
            var sum = 0.0
            for index in scores.indices {
                scores[index] = exp(scores[index] - greatest)
                sum += scores[index]
            }
            for index in scores.indices { scores[index] /= sum }
            return best
        }
    }

    private func label(_ best: [Int], into outputs: inout Outputs) throws {
        if classes.isEmpty {
            var label = try outputs.values(1, of: Int64.self)
            for row in best.indices { label[row] = Int64(best[row]) }
        } else {
            var label = try outputs.values(1, of: ModelText.self)
            for row in best.indices { label[row] = classes[best[row]] }
        }
    }

    /// A row with a missing value has no answer; the rows beside it have theirs.
    private func refuseMissing(_ features: Span<Float>, rows: Int, in outputs: inout Outputs) {
        for row in 0..<rows {
            for column in 0..<columns where features[row * columns + column].isNaN {
                let name = signature.columns[column].name
                outputs.failRow(row, "\(name) is missing, and the model has no \"impute\" to stand in for it")
                break
            }
        }
    }

    private static func signature(of file: LinearFile) -> Signature {
        let names = file.features.isEmpty ? (0..<file.columns).map { "f\($0)" } : file.features
        let width = file.coefficients.count
        let label = TensorSpec(name: "label", dtype: file.classes.isEmpty ? .int64 : .bytes, shape: [-1])
        return Signature(
            inputs: [TensorSpec(name: "features", dtype: .float32, shape: [-1, file.columns])],
            outputs: [
                TensorSpec(name: "predictions", dtype: .float32, shape: file.kind == .softmax ? [-1, width] : [-1])
            ] + (file.kind == .linear ? [] : [label]),
            columns: names.map { Column(name: $0, missingAllowed: file.impute != nil) })
    }
}

@c(roost_plugin_entry) public func entry() -> UnsafeRawPointer { export(LinearModel.self, name: "linear", version: "1.0") }
