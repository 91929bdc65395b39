/// A Swift type that elements of some dtypes have in memory.
public protocol TensorElement: BitwiseCopyable {
    /// Whether a tensor of `dtype` holds its elements as this type.
    static func isLayout(of dtype: DType) -> Bool
}

/// One BYTES element: any bytes, no terminator. Laid out as `roost_bytes` of the plugin ABI.
///
/// Invariant: `data` is valid for `size` bytes as long as the batch that it belongs to is not reset or
/// rolled back (inputs), or until the plugin's next call (outputs). It is nil only when `size` is 0.
@safe public struct BytesElement: TensorElement {
    public let data: UnsafePointer<UInt8>?
    public let size: Int

    @inlinable public init(data: UnsafePointer<UInt8>?, size: Int) {
        unsafe self.data = data
        self.size = size
    }

    /// Lends the bytes for the length of the call.
    @inlinable public func withBytes<Failure: Error, Result>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(start: data, count: size).bytes)
    }

    @inlinable public static func isLayout(of dtype: DType) -> Bool { dtype == .bytes }
}

/// Also the layout of BOOL: 0 or 1.
extension UInt8: TensorElement {
    @inlinable public static func isLayout(of dtype: DType) -> Bool { dtype == .uint8 || dtype == .bool }
}
extension UInt16: TensorElement {
    @inlinable public static func isLayout(of dtype: DType) -> Bool { dtype == .uint16 }
}
extension UInt32: TensorElement {
    @inlinable public static func isLayout(of dtype: DType) -> Bool { dtype == .uint32 }
}
extension UInt64: TensorElement {
    @inlinable public static func isLayout(of dtype: DType) -> Bool { dtype == .uint64 }
}
extension Int8: TensorElement {
    @inlinable public static func isLayout(of dtype: DType) -> Bool { dtype == .int8 }
}
extension Int16: TensorElement {
    @inlinable public static func isLayout(of dtype: DType) -> Bool { dtype == .int16 }
}
extension Int32: TensorElement {
    @inlinable public static func isLayout(of dtype: DType) -> Bool { dtype == .int32 }
}
extension Int64: TensorElement {
    @inlinable public static func isLayout(of dtype: DType) -> Bool { dtype == .int64 }
}
extension Float16: TensorElement {
    @inlinable public static func isLayout(of dtype: DType) -> Bool { dtype == .float16 }
}
extension Float: TensorElement {
    @inlinable public static func isLayout(of dtype: DType) -> Bool { dtype == .float32 }
}
extension Double: TensorElement {
    @inlinable public static func isLayout(of dtype: DType) -> Bool { dtype == .float64 }
}
