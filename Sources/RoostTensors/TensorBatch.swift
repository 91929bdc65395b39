/// What one predict call takes and gives: the rows of one or more requests, joined.
///
/// A decoder takes a `mark`, appends rows to every input, and `commit`s them, or rolls back to the mark;
/// rows of earlier requests are never touched. Memory is kept from batch to batch.
public final class TensorBatch {
    /// The state before a request's rows were appended.
    public struct Mark: Hashable, Sendable {
        /// The index of the request's first row.
        public let rows: Int
        fileprivate let text: ByteArena.Mark
    }

    public let signature: Signature
    /// In the order of the signature.
    public let inputs: [TensorBuffer]
    /// In the order of the signature; filled by predict.
    public let outputs: [TensorBuffer]
    /// Owns the bytes of BYTES inputs.
    public let text = ByteArena()
    /// Rows that are committed.
    public private(set) var rows = 0

    private var isGiven: [Bool]

    public init(signature: Signature) {
        self.signature = signature
        let empty = { (spec: TensorSpec) in
            TensorBuffer(dtype: spec.dtype, trailing: spec.shape.dropFirst().map { max($0, 0) })
        }
        inputs = signature.inputs.map(empty)
        outputs = signature.outputs.map(empty)
        isGiven = signature.outputs.map { _ in false }
    }

    public var mark: Mark { Mark(rows: rows, text: text.mark) }

    /// Takes back everything that was appended since `mark`, committed or not.
    public func rollback(to mark: Mark) {
        precondition(mark.rows <= rows)
        rows = mark.rows
        for input in inputs { input.truncate(to: min(input.count, rows * input.rowElements)) }
        text.rollback(to: mark.text)
    }

    /// Declares `more` rows complete: every input must hold exactly the elements of `rows + more` rows.
    public func commit(rows more: Int) {
        rows += more
        for input in inputs { precondition(input.count == rows * input.rowElements, "an input lacks rows") }
    }

    /// Forgets inputs and outputs.
    public func reset() {
        rows = 0
        for input in inputs { input.reset() }
        text.reset()
        resetOutputs()
    }

    /// Forgets outputs; to be called before each predict.
    public func resetOutputs() {
        for (index, output) in outputs.enumerated() {
            output.reset()
            isGiven[index] = false
        }
    }

    /// Makes output `index` ready to be filled with `rows` rows of `shape`, all bytes zero for BYTES.
    /// - Throws: `ShapeMismatch` when there is no such output, it was given before, or `shape` contradicts
    ///   the signature or the number of rows.
    public func prepareOutput(_ index: Int, shape: Span<Int64>) throws(ShapeMismatch) -> TensorBuffer {
        guard outputs.indices.contains(index) else {
            throw ShapeMismatch(message: "output \(index): the signature has \(outputs.count)")
        }
        let spec = signature.outputs[index]
        guard !isGiven[index] else { throw ShapeMismatch(message: "output \"\(spec.name)\" given twice") }
        var fits = shape.count == spec.shape.count && shape.count > 0 && shape[0] == Int64(rows)
        var elements = 1
        for position in shape.indices where fits && position > 0 {
            let extent = shape[position]
            fits = extent >= 0 && (spec.shape[position] < 0 || Int64(spec.shape[position]) == extent)
            let (product, overflow) = elements.multipliedReportingOverflow(by: Int(truncatingIfNeeded: extent))
            fits = fits && !overflow && product <= Self.rowElementsMax
            elements = product
        }
        guard fits else {
            let got = shape.indices.map { String(shape[$0]) }.joined(separator: ", ")
            let expected = ([rows] + spec.shape.dropFirst()).map(String.init).joined(separator: ", ")
            throw ShapeMismatch(message: "output \"\(spec.name)\": expected shape [\(expected)], got [\(got)]")
        }
        let output = outputs[index]
        output.reset()
        let isSame = output.trailing.indices.allSatisfy { Int64(output.trailing[$0]) == shape[$0 + 1] }
        if !isSame { output.reshape(trailing: (1..<shape.count).map { Int(shape[$0]) }) }
        output.grow(by: rows * output.rowElements)
        if spec.dtype == .bytes { output.clear() }
        isGiven[index] = true
        return output
    }

    /// The first output that predict did not give.
    public var missingOutput: String? {
        isGiven.firstIndex(of: false).map { signature.outputs[$0].name }
    }

    /// Elements in one row of an output, at most.
    public static let rowElementsMax = 1 << 28
}

/// An output that contradicts the signature.
public struct ShapeMismatch: Error, Hashable, Sendable {
    public let message: String
}
