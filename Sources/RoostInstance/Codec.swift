internal import RoostBasics
internal import RoostPlugins
internal import RoostTensors
internal import RoostWire

/// Decoder, batch and encoder of one version: made and used once in the template, so that its forks find all first-use
/// costs paid.
final class Codec {
    let decoder: RequestDecoder
    let encoder: ReplyEncoder
    let batch: TensorBatch
    let reply = TextBuffer()

    /// - Parameter label: `credit@3`.
    init(_ signature: Signature, label: String) throws(RoostError) {
        decoder = try RequestDecoder(signature: signature)
        let parts = label.split(separator: "@", maxSplits: 1).map(String.init)
        encoder = ReplyEncoder(signature: signature, function: parts.first ?? "", version: parts.last ?? "")
        batch = TensorBatch(signature: signature)
    }

    /// Goes once through everything that reads and writes, for a model that does not exist: tables are filled and types
    /// are looked up before there is anybody to fork.
    static func warmUpProcess() {
        let signature = Signature(
            inputs: [TensorSpec(name: "features", dtype: .float32, shape: [-1, 2])],
            outputs: [
                TensorSpec(name: "predictions", dtype: .float32, shape: [-1]),
                TensorSpec(name: "label", dtype: .int64, shape: [-1]),
            ], columns: [Column(name: "a"), Column(name: "b")])
        (try? Codec(signature, label: "nobody@1"))?.warmUp()
        _ = SignatureText.json(signature)
    }

    /// Reads and writes one made-up row, without the model: a prediction of nonsense could have effects.
    func warmUp() {
        guard !batch.signature.inputs.isEmpty else { return }
        var info = RequestInfo()
        do throws(RoostError) {
            let body = Self.zeros(batch.signature)
            guard try decoder.decode(body.bytes, as: .tensors, into: batch, &info) == .appended else { return }
            for (index, spec) in batch.signature.outputs.enumerated() {
                let shape = spec.shape.map { Int64(max(1, $0)) }
                do throws(ShapeMismatch) { _ = try batch.prepareOutput(index, shape: shape.span) } catch { break }
            }
            try encoder.tensors(0..<1, of: batch, info, into: reply)
            try encoder.rows(0..<1, of: batch, into: reply)
        } catch {
            // A signature that no row of zeros fits is warm enough.
        }
        reply.removeAll()
        batch.reset()
    }

    /// A v2 request of one row, all zeros.
    private static func zeros(_ signature: Signature) -> [UInt8] {
        let inputs = signature.inputs.map { spec in
            let shape = [1] + spec.shape.dropFirst().map { max(1, $0) }
            let zero = spec.dtype == .bytes ? "\"0\"" : spec.dtype == .bool ? "false" : "0"
            let data = Array(repeating: zero, count: min(4096, shape.reduce(1, *))).joined(separator: ",")
            let extents = shape.map(String.init).joined(separator: ",")
            return
                "{\"name\":\"\(spec.name)\",\"shape\":[\(extents)],\"datatype\":\"\(spec.dtype.name)\",\"data\":[\(data)]}"
        }
        return Array("{\"inputs\":[\(inputs.joined(separator: ","))]}".utf8)
    }
}
