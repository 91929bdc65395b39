/// Memory for tensors: 64-byte aligned, reused from call to call, growing but never shrinking.
///
/// Safe: the memory lives as long as the object, and spans borrow it.
@safe public final class TensorBuffer {
    private var start: UnsafeMutableRawPointer
    private var capacity: Int
    /// How much of it is in use.
    public private(set) var byteCount = 0

    public init() {
        capacity = 4096
        unsafe start = .allocate(byteCount: capacity, alignment: 64)
    }

    deinit { unsafe start.deallocate() }

    /// Makes room for exactly `count` bytes. What was there is lost when it grows.
    public func resize(_ count: Int) {
        if count > capacity {
            unsafe start.deallocate()
            capacity = max(count, capacity * 2)
            unsafe start = .allocate(byteCount: capacity, alignment: 64)
        }
        byteCount = count
    }

    public func withBytes<Result, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result
    {
        try body(unsafe RawSpan(_unsafeStart: start, byteCount: byteCount))
    }

    /// `body` writes; nobody else may touch the buffer meanwhile.
    public func withMutableBytes<Result, Failure: Error>(
        _ body: (inout MutableRawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        var span = unsafe MutableRawSpan(_unsafeStart: start, byteCount: byteCount)
        return try body(&span)
    }

    /// For floors that may handle addresses: valid until the next `resize`.
    @unsafe public var address: UnsafeMutableRawPointer { unsafe start }
}
