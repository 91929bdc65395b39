internal import RoostBasics
internal import RoostTensors

extension Signature {
    /// This signature with what a card says of its columns.
    ///
    /// Columns that the model names itself keep their order, and the card must name the same ones; else the card's are
    /// those of the input, in its order.
    /// - Throws: `.pluginFailed` when they do not fit to the model's input.
    func described(by card: [Column]) throws(RoostError) -> Signature {
        guard !card.isEmpty else { return self }
        guard inputs.count == 1, inputs[0].dtype.isFloatingPoint, inputs[0].shape.count == 2,
            inputs[0].shape[1] == card.count
        else {
            throw RoostError(
                .pluginFailed,
                "its card names \(card.count) columns: that takes one input FP32 or FP64 [-1, \(card.count)]")
        }
        var described = card
        if !columns.isEmpty {
            let named = Dictionary(card.map { ($0.name, $0) }) { first, _ in first }
            described = []
            for column in columns {
                guard let known = named[column.name] else {
                    throw RoostError(
                        .pluginFailed, "the model's column \"\(column.name)\" is not among those that its card names")
                }
                described.append(known)
            }
        }
        return Signature(inputs: inputs, outputs: outputs, columns: described)
    }
}
