/// The element type of a tensor, by the names of the Open Inference Protocol v2.
/// Raw values are those of `roost_dtype` in the plugin ABI and never change.
public enum DType: UInt32, Hashable, Sendable, CaseIterable {
    case bool = 1
    case uint8 = 2
    case uint16 = 3
    case uint32 = 4
    case uint64 = 5
    case int8 = 6
    case int16 = 7
    case int32 = 8
    case int64 = 9
    case float16 = 10
    case float32 = 11
    case float64 = 12
    /// Strings of bytes of any length.
    case bytes = 13

    /// `FP32`, `INT64`, `BYTES`, ….
    public var name: String {
        switch self {
        case .bool: "BOOL"
        case .uint8: "UINT8"
        case .uint16: "UINT16"
        case .uint32: "UINT32"
        case .uint64: "UINT64"
        case .int8: "INT8"
        case .int16: "INT16"
        case .int32: "INT32"
        case .int64: "INT64"
        case .float16: "FP16"
        case .float32: "FP32"
        case .float64: "FP64"
        case .bytes: "BYTES"
        }
    }

    public init?(name: some StringProtocol) {
        guard let found = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    /// Bytes per element in memory. For `bytes`, that of one `roost_bytes` (pointer and length).
    public var byteSize: Int {
        switch self {
        case .bool, .uint8, .int8: 1
        case .uint16, .int16, .float16: 2
        case .uint32, .int32, .float32: 4
        case .uint64, .int64, .float64: 8
        case .bytes: 16
        }
    }

    public var isFloatingPoint: Bool {
        switch self {
        case .float16, .float32, .float64: true
        case .bool, .uint8, .uint16, .uint32, .uint64, .int8, .int16, .int32, .int64, .bytes: false
        }
    }
}
