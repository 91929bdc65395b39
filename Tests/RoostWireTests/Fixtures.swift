import RoostBasics
import RoostTensors
import RoostWire

/// One model's codec with a batch, as an instance has them.
final class Codec {
    let signature: Signature
    let decoder: RequestDecoder
    let encoder: ReplyEncoder
    let batch: TensorBatch
    var request = RequestInfo()

    init(_ signature: Signature) throws {
        self.signature = signature
        decoder = try RequestDecoder(signature: signature)
        encoder = ReplyEncoder(signature: signature, function: "credit", version: "3")
        batch = TensorBatch(signature: signature)
    }

    /// A model with one FP32 matrix.
    convenience init(columns: [Column] = [], width: Int = 3, dtype: DType = .float32) throws {
        try self.init(
            Signature(
                inputs: [
                    TensorSpec(name: "features", dtype: dtype, shape: [-1, columns.isEmpty ? width : columns.count])
                ],
                outputs: [
                    TensorSpec(name: "predictions", dtype: .float32, shape: [-1]),
                    TensorSpec(name: "label", dtype: .int64, shape: [-1]),
                ], columns: columns))
    }

    @discardableResult
    func decode(_ text: String, _ format: RequestFormat = .rows) throws(RoostError) -> Decoded {
        try decode(Array(text.utf8), format)
    }

    @discardableResult
    func decode(_ bytes: [UInt8], _ format: RequestFormat) throws(RoostError) -> Decoded {
        try unsafe decoder.decode(bytes.span.bytes, as: format, into: batch, &request)
    }

    /// The message of the error that `text` gets, or nil when it is taken.
    func complaint(_ text: String, _ format: RequestFormat = .rows) -> String? {
        do throws(RoostError) {
            _ = try decode(text, format)
            return nil
        } catch { return error.message }
    }

    func input<Element: TensorElement>(_ index: Int = 0, as: Element.Type) -> [Element] {
        batch.inputs[index].withElements(Element.self) { span in span.indices.map { span[$0] } }
    }

    var floats: [Float] { input(as: Float.self) }

    func texts(_ index: Int = 0) -> [String] {
        batch.inputs[index].withElements(BytesElement.self) { span in span.indices.map { span[$0].text } }
    }

    func give<Element: TensorElement>(_ index: Int, _ values: [Element], trailing: [Int64] = []) throws {
        let shape = [Int64(batch.rows)] + trailing
        try batch.prepareOutput(index, shape: shape.span).withMutableElements(Element.self) { span in
            for (place, value) in values.enumerated() { span[place] = value }
        }
    }

    func reply(_ write: (ReplyEncoder, TextBuffer) throws(RoostError) -> Void) throws(RoostError) -> String {
        let buffer = TextBuffer(capacity: 1)
        try write(encoder, buffer)
        return String(decoding: buffer.bytes, as: UTF8.self)
    }
}

extension BytesElement {
    var text: String {
        withBytes { span in
            String(
                decoding: (0..<span.byteCount).map { unsafe span.unsafeLoad(fromByteOffset: $0, as: UInt8.self) },
                as: UTF8.self)
        }
    }
}
