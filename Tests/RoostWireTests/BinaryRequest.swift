import RoostBasics
import RoostTensors
import RoostWire

/// A request with binary tensors as it is sent: JSON, then data.
struct BinaryRequest {
    var json: String
    var data: [UInt8] = []

    var bytes: [UInt8] { Array(json.utf8) + data }
    var jsonBytes: Int { json.utf8.count }

    /// One tensor in binary, as JSON.
    static func tensor(_ name: String, _ shape: [Int], _ dtype: DType, bytes: Int) -> String {
        let extents = shape.map(String.init).joined(separator: ",")
        return
            #"{"name":"\#(name)","shape":[\#(extents)],"datatype":"\#(dtype.name)","parameters":{"binary_data_size":\#(bytes)}}"#
    }

    /// A request of such tensors alone.
    init(_ tensors: [(name: String, shape: [Int], dtype: DType, data: [UInt8])], more: String = "") {
        let inputs = tensors.map { Self.tensor($0.name, $0.shape, $0.dtype, bytes: $0.data.count) }
        json = #"{"inputs":[\#(inputs.joined(separator: ","))]\#(more)}"#
        data = tensors.flatMap(\.data)
    }

    init(json: String, data: [UInt8]) { (self.json, self.data) = (json, data) }
}

/// Values as binary tensors have them, lowest byte first.
func littleEndian<Value: BitwiseCopyable>(_ values: [Value]) -> [UInt8] {
    unsafe values.withUnsafeBytes { unsafe Array($0) }
}

func binaryTexts(_ texts: [[UInt8]]) -> [UInt8] { texts.flatMap { littleEndian([UInt32($0.count)]) + $0 } }

extension Codec {
    @discardableResult
    func decode(_ request: BinaryRequest) throws(RoostError) -> Decoded {
        try decode(request.bytes, jsonBytes: request.jsonBytes)
    }

    @discardableResult
    func decode(_ bytes: [UInt8], jsonBytes: Int?) throws(RoostError) -> Decoded {
        try decoder.decode(bytes.bytes, as: .tensors, into: batch, &request, jsonBytes: jsonBytes)
    }

    /// The message of the error that a request gets, or nil when it is taken.
    func complaint(_ request: BinaryRequest, jsonBytes: Int? = nil) -> String? {
        do throws(RoostError) {
            _ = try decode(request.bytes, jsonBytes: jsonBytes ?? request.jsonBytes)
            return nil
        } catch { return error.message }
    }

    func inputBytes(_ index: Int = 0) -> [UInt8] {
        batch.inputs[index].withBytes { span in
            var bytes: [UInt8] = []
            bytes.append(span)
            return bytes
        }
    }
}
