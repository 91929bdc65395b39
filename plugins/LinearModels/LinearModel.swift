import Glibc
import ModelFiles
public import RoostPlugin

/// Linear, logistic and softmax regression from files of docs/LINEAR.md, computed in double precision.
public struct LinearModel: Model {
    public static var formats: String? { "roost-linear .json (docs/LINEAR.md)" }

    public let signature: Signature
    private let kind: LinearFile.Kind
    /// One row per output, divided by the scale of each column.
    private let weights: ModelArray<Double>
    /// One per output; what standardisation subtracts is in it.
    private let intercepts: ModelArray<Double>
    /// Stands in for missing values; empty: they are refused.
    private let impute: ModelArray<Double>
    /// Labels: the classes' names, if they have any, and their numbers.
    private let classes: [ModelText]
    private let numbers: [Int64]
    private let columns: Int

    public init(loading artifact: borrowing Artifact) throws {
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
        numbers = Array(0..<Int64(max(2, file.coefficients.count)))
        signature = Self.signature(of: file)
    }

    public func predict(_ batch: borrowing Batch, _ outputs: inout Outputs) throws {
        let features = try batch.values(0, of: Float.self)
        var predictions = try outputs.values(0, of: Float.self)
        if kind == .linear {
            for row in 0..<batch.rows { predictions[row] = Float(score(features, row, 0)) }
        } else if classes.isEmpty {
            var labels = try outputs.values(1, of: Int64.self)
            classify(features, rows: batch.rows, as: numbers, into: &predictions, &labels)
        } else {
            var labels = try outputs.values(1, of: ModelText.self)
            classify(features, rows: batch.rows, as: classes, into: &predictions, &labels)
        }
        if impute.isEmpty { refuseMissing(features, rows: batch.rows, in: &outputs) }
    }

    private func classify<Label: TensorElement>(
        _ features: Span<Float>, rows: Int, as classes: [Label], into predictions: inout MutableSpan<Float>,
        _ labels: inout MutableSpan<Label>
    ) {
        if kind == .logistic {
            for row in 0..<rows {
                let score = score(features, row, 0)
                predictions[row] = Float(1 / (1 + exp(-score)))
                labels[row] = classes[score > 0 ? 1 : 0]
            }
            return
        }
        var scores = [Double](repeating: 0, count: intercepts.count)
        for row in 0..<rows {
            for output in scores.indices { scores[output] = score(features, row, output) }
            labels[row] = classes[Self.softmax(&scores)]
            for output in scores.indices { predictions[row * scores.count + output] = Float(scores[output]) }
        }
    }

    private func score(_ features: Span<Float>, _ row: Int, _ output: Int) -> Double {
        let (weights, impute) = (weights.span, impute.span)
        var sum = intercepts[output]
        for column in 0..<columns {
            let value = features[row * columns + column]
            let known = value.isNaN && !impute.isEmpty ? impute[column] : Double(value)
            sum += weights[output * columns + column] * known
        }
        return sum
    }

    /// Turns scores into probabilities; the first of the greatest.
    private static func softmax(_ scores: inout [Double]) -> Int {
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
