internal import RoostABI
public import RoostTensors

/// The rows of one `predict`, as tensors in the order of the signature.
///
/// Safe: the host keeps arguments and tensors alive until `predict` returns, and the lifetime keeps spans within it;
/// element types are checked against the tensors' own.
@safe public struct Batch: ~Escapable {
    private let arguments: UnsafePointer<roost_predict_args>
    /// Extent of dimension 0 of every input and output.
    public let rows: Int

    @_lifetime(borrow arguments)
    init(_ arguments: UnsafePointer<roost_predict_args>) {
        unsafe self.arguments = arguments
        rows = Int(clamping: unsafe arguments.pointee.rows)
    }

    /// The extents of an input; the first is `rows`.
    public func shape(_ index: Int) throws(ModelError) -> [Int] {
        let tensor = try unsafe self.tensor(index)
        return unsafe (0..<Int(tensor.rank)).map { Int(unsafe tensor.shape[$0]) }
    }

    /// The elements of an input, dense and row-major. Throws when the input is of another type.
    // Inlined, so that plugins get code for their element type instead of generic code.
    @inlinable
    @_lifetime(copy self)
    public func values<Element: TensorElement>(
        _ index: Int, of type: Element.Type = Element.self
    ) throws(ModelError) -> Span<Element> {
        let (start, count) = try unsafe elements(index, dtype: Element.dtype)
        let elements = unsafe UnsafeBufferPointer(start: start?.assumingMemoryBound(to: Element.self), count: count)
        return unsafe _overrideLifetime(Span(_unsafeElements: elements), copying: self)
    }

    /// The elements of a BYTES input as text; ill-formed UTF-8 is repaired.
    public func strings(_ index: Int) throws(ModelError) -> [String] {
        let (start, count) = try unsafe elements(index, dtype: .bytes)
        let elements = unsafe UnsafeBufferPointer(start: start?.assumingMemoryBound(to: roost_bytes.self), count: count)
        return unsafe elements.map { element in
            unsafe String(decoding: UnsafeRawBufferPointer(start: element.data, count: element.size), as: UTF8.self)
        }
    }

    /// The request's parameters, a JSON object; nil when it has none.
    public var parameters: String? {
        guard let text = unsafe arguments.pointee.parameters else { return nil }
        let bytes = unsafe UnsafeRawBufferPointer(start: text, count: arguments.pointee.parameters_size)
        return unsafe String(decoding: bytes, as: UTF8.self)
    }

    /// When the callers stop waiting, in nanoseconds of CLOCK_MONOTONIC; nil when they do not. The host enforces it.
    public var deadlineNS: UInt64? {
        let deadline = unsafe arguments.pointee.deadline_ns
        return deadline == 0 ? nil : deadline
    }

    /// A line for `roost logs`.
    public func log(_ level: LogLevel, _ text: String) {
        unsafe Host(pointer: arguments.pointee.host).log(level, text)
    }

    private func tensor(_ index: Int) throws(ModelError) -> roost_host_tensor {
        let count = unsafe arguments.pointee.input_count
        guard index >= 0, index < count else { throw .failed("no input \(index): the batch has \(count)") }
        return unsafe arguments.pointee.inputs[index]
    }

    /// Where the elements of an input begin, and how many they are.
    @usableFromInline
    func elements(_ index: Int, dtype: DType) throws(ModelError) -> (start: UnsafeRawPointer?, count: Int) {
        let tensor = try unsafe self.tensor(index)
        guard unsafe tensor.dtype == dtype.rawValue else {
            let name = DType(rawValue: unsafe tensor.dtype)?.name ?? "unknown"
            throw .failed("input \(index) is \(name), not \(dtype.name)")
        }
        var count = 1
        for dimension in 0..<Int(unsafe tensor.rank) { unsafe count *= Int(tensor.shape[dimension]) }
        return unsafe (tensor.data, count)
    }
}

/// A Swift type that is the element of a tensor.
public protocol TensorElement: BitwiseCopyable, Sendable {
    static var dtype: DType { get }
}

extension UInt8: TensorElement { public static var dtype: DType { .uint8 } }
extension UInt16: TensorElement { public static var dtype: DType { .uint16 } }
extension UInt32: TensorElement { public static var dtype: DType { .uint32 } }
extension UInt64: TensorElement { public static var dtype: DType { .uint64 } }
extension Int8: TensorElement { public static var dtype: DType { .int8 } }
extension Int16: TensorElement { public static var dtype: DType { .int16 } }
extension Int32: TensorElement { public static var dtype: DType { .int32 } }
extension Int64: TensorElement { public static var dtype: DType { .int64 } }
extension Float16: TensorElement { public static var dtype: DType { .float16 } }
extension Float: TensorElement { public static var dtype: DType { .float32 } }
extension Double: TensorElement { public static var dtype: DType { .float64 } }
/// One byte, 0 or 1, as the host checks it.
extension Bool: TensorElement { public static var dtype: DType { .bool } }
/// For outputs; a BYTES input is read by `Batch.strings`.
extension ModelText: TensorElement { public static var dtype: DType { .bytes } }
