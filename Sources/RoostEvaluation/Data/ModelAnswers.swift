public import RoostBasics
internal import RoostJSON

/// What a model answered, collected from replies of the predict endpoint.
public struct ModelAnswers: Hashable, Sendable {
    /// All predictions, row by row; what is no finite number is NaN.
    public private(set) var predictions: [Double] = []
    /// Predictions in each row; 1 also where they stand alone.
    public private(set) var width = 1
    /// Each row's label, as text; empty when the model gives none.
    public private(set) var labels: [String] = []
    /// Rows.
    public private(set) var count = 0
    /// Whether a label is a number.
    public private(set) var hasNumberedLabels = false

    public init() {}

    /// From the replies to `rows` in batches of `batchRows`.
    public init(_ replies: [[UInt8]], of rows: LabelledRows) throws(RoostError) {
        for (index, reply) in replies.enumerated() {
            try append(reply: reply, rows: min(rows.batchRows, rows.count - index * rows.batchRows))
        }
    }

    /// What a reply says against its request, `{"error": "…"}`; nil when it is none.
    public static func refusal(_ reply: [UInt8]) -> String? {
        (try? JSONDocument(parsing: reply, source: "the model's answer"))?.value["error"]?.stringValue
    }

    /// Takes a reply in.
    /// - Parameter rows: how many were asked about.
    /// - Throws: when the reply has another form, or other rows.
    public mutating func append(reply: [UInt8], rows: Int) throws(RoostError) {
        let value: JSONValue
        do throws(JSONError) { value = try JSONDocument(parsing: reply, source: "the model's answer").value } catch {
            throw RoostError(.pluginFailed, "\(error)")
        }
        guard let predictions = value["predictions"]?.arrayValue, predictions.count == rows else {
            throw RoostError(.pluginFailed, "the model's answer has not \(rows) predictions")
        }
        for prediction in predictions { try append(prediction) }
        count += rows
        guard let labels = value["label"]?.arrayValue else { return }
        guard labels.count == rows else { throw RoostError(.pluginFailed, "the model's answer has not \(rows) labels") }
        for label in labels {
            switch label {
            case .integer(let number):
                hasNumberedLabels = true
                self.labels.append("\(number)")
            case .string(let text): self.labels.append(text)
            default: throw RoostError(.pluginFailed, "a label is \(label.kind), neither text nor whole number")
            }
        }
    }

    private mutating func append(_ prediction: JSONValue) throws(RoostError) {
        let row = prediction.arrayValue ?? [prediction]
        if count == 0, predictions.isEmpty { width = row.count }
        guard row.count == width, width > 0 else {
            throw RoostError(.pluginFailed, "rows of \(width) and of \(row.count) predictions")
        }
        for value in row {
            guard value == .null || value.doubleValue != nil else {
                throw RoostError(.pluginFailed, "a prediction is \(value.kind), not a number")
            }
            predictions.append(value.doubleValue ?? .nan)
        }
    }

    /// The predictions of one row.
    public func row(_ row: Int) -> ArraySlice<Double> { predictions[row * width..<(row + 1) * width] }
}
