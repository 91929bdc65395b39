internal import RoostBasics
internal import RoostTensors

/// What of a model's outputs stands in a line of a scored file, and what it is called there.
///
/// The first output is `prediction`, or `prediction_0` … where a row has several. With `label` beside them, several
/// are the scores of the classes: `probability_0` …, where they are asked for. The other outputs have their own names.
/// A name that a column of the input has gives way: `label_predicted`.
struct BulkOutputs {
    struct Part {
        let output: Int
        /// In JSON, with quotes and colon.
        let key: [UInt8]
        let name: String
        /// CSV: for each element of a row; nil where rows may have any number, as JSON in one field.
        let fields: [String]?
    }

    let parts: [Part]

    /// - Parameter keptNames: those of the columns of the input in front.
    init(_ plan: BulkPlan, _ signature: Signature, keptNames: [String]) throws(RoostError) {
        let hasLabel = signature.outputs.dropFirst().contains { $0.name == "label" }
        var taken = Set(keptNames)
        func unique(_ name: String) -> String {
            var name = name
            while !taken.insert(name).inserted { name += "_predicted" }
            return name
        }
        var parts: [Part] = []
        for (index, spec) in signature.outputs.enumerated() {
            let extents = spec.shape.dropFirst()
            let count = extents.contains { $0 < 0 } ? nil : extents.reduce(1, *)
            let isScores = index == 0 && hasLabel && count != 1
            if isScores, !plan.wantsProbabilities { continue }
            guard count ?? 0 <= BulkPlan.columnsMax else {
                throw RoostError(
                    .invalidArgument, "output \"\(spec.name)\" has \(count ?? 0) values a row: too many for a file")
            }
            let name = index > 0 ? spec.name : isScores ? "probability" : "prediction"
            let whole = unique(isScores ? "probabilities" : name)
            let fields = count.map { count in
                count == 1
                    ? [whole] : (0..<count).map { unique("\(name)_\(isScores ? plan.className($0) : String($0))") }
            }
            parts.append(Part(output: index, key: JSONText.quoted(whole) + [.colon], name: whole, fields: fields))
        }
        self.parts = parts
    }

    /// The names in a CSV header.
    var names: [String] { parts.flatMap { $0.fields ?? [$0.name] } }
}

extension BulkPlan {
    fileprivate func className(_ index: Int) -> String { index < classes.count ? classes[index] : String(index) }
}
