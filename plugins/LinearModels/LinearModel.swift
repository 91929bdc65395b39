import Glibc
import ModelFiles
public import RoostPlugin

/// Linear, logistic and softmax regression from files of docs/LINEAR.md, computed in double precision.
public struct LinearModel: Model {
    public static var formats: String? { "roost-linear .json (docs/LINEAR.md)" }

    public let signature: Signature
    private let kind: LinearFile.Kind
    /// One row per output, divided by the scale of each column.
    let weights: ModelArray<Double>
    /// One per output; what standardisation subtracts is in it.
    let intercepts: ModelArray<Double>
    /// Stands in for missing values; empty: they are refused.
    let impute: ModelArray<Double>
    /// Labels: the classes' names, if they have any, and their numbers.
    private let classes: [ModelText]
    private let numbers: [Int64]
    let columns: Int

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
            for first in stride(from: 0, to: batch.rows, by: Self.lanes) {
                let count = min(Self.lanes, batch.rows - first)
                let scores = scores(features, first, count, 0)
                for lane in 0..<count { predictions[first + lane] = Float(scores[lane]) }
            }
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
        let outputs = intercepts.count
        var block = [Double](repeating: 0, count: kind == .softmax ? Self.lanes * outputs : 0)
        for first in stride(from: 0, to: rows, by: Self.lanes) {
            let count = min(Self.lanes, rows - first)
            if kind == .logistic {
                let scores = scores(features, first, count, 0)
                for lane in 0..<count {
                    predictions[first + lane] = Float(1 / (1 + exp(-scores[lane])))
                    labels[first + lane] = classes[scores[lane] > 0 ? 1 : 0]
                }
                continue
            }
            for output in 0..<outputs {
                let scores = scores(features, first, count, output)
                for lane in 0..<count { block[lane * outputs + output] = scores[lane] }
            }
            for lane in 0..<count {
                let row = lane * outputs..<(lane + 1) * outputs
                labels[first + lane] = classes[Self.softmax(&block, row)]
                for place in row { predictions[first * outputs + place] = Float(block[place]) }
            }
        }
    }

    /// Turns a row's scores into probabilities; the first of the greatest, counted within the row.
    private static func softmax(_ scores: inout [Double], _ row: Range<Int>) -> Int {
        var best = row.lowerBound
        for index in row where scores[index] > scores[best] { best = index }
        let greatest = scores[best]
        var sum = 0.0
        for index in row {
            scores[index] = exp(scores[index] - greatest)
            sum += scores[index]
        }
        for index in row { scores[index] /= sum }
        return best - row.lowerBound
    }

    /// A row with a missing value has no answer; the rows beside it have theirs.
    private func refuseMissing(_ features: Span<Float>, rows: Int, in outputs: inout Outputs) {
        // Mostly nothing is missing at all, which is quickly seen.
        guard Self.hasMissing(features) else { return }
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
