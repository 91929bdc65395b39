/// The elements of one tensor, dense and row-major, in memory that is kept from batch to batch.
///
/// Dimension 0 grows by appending; the other extents (`trailing`) stand still while elements are there.
/// One owner, one thread: not `Sendable`.
///
/// Invariant that makes it safe: `base` is this object's own memory of `capacity` bytes, aligned to 64,
/// every byte of it initialised (new memory is zeroed), and `count * dtype.byteSize <= capacity`. All
/// element types are trivial, so that any initialised bytes are valid elements.
@safe public final class TensorBuffer {
    /// Of the address of element 0, in bytes.
    public static let alignment = 64
    /// As in the plugin ABI.
    public static let rankMax = 8
    /// Memory above this many bytes is given back by `reset`.
    public static let keptBytesMax = 4 << 20

    public let dtype: DType
    /// Extents of dimensions 1 and up.
    public var trailing: [Int] { extents }
    /// Elements in one row: the product of `trailing`.
    @inlinable public var rowElements: Int { stride }
    /// Elements that are there.
    @inlinable public var count: Int { elements }

    // Unchecked: one thread, and nothing here calls out while it changes them. Read for every element.
    @safe @exclusivity(unchecked) private var extents: [Int]
    @safe @exclusivity(unchecked) @usableFromInline var stride: Int
    @safe @exclusivity(unchecked) @usableFromInline var elements = 0
    @exclusivity(unchecked) @usableFromInline var base: UnsafeMutableRawPointer
    @safe @exclusivity(unchecked) private var capacity: Int
    private let shape: UnsafeMutablePointer<Int64>

    /// - Parameter trailing: at most `rankMax - 1` extents, none negative.
    public init(dtype: DType, trailing: [Int]) {
        self.dtype = dtype
        extents = []
        stride = 1
        capacity = 4096
        unsafe base = Self.allocate(bytes: 4096)
        unsafe shape = .allocate(capacity: Self.rankMax)
        unsafe shape.initialize(repeating: 0, count: Self.rankMax)
        reshape(trailing: trailing)
    }

    deinit {
        unsafe base.deallocate()
        unsafe shape.deallocate()
    }

    public var rank: Int { trailing.count + 1 }
    /// Complete rows that are there; 0 where a row has no elements.
    public var rows: Int { rowElements == 0 ? 0 : count / rowElements }

    /// Sets other extents for dimensions 1 and up, of a buffer that holds no elements.
    public func reshape(trailing new: [Int]) {
        precondition(count == 0, "reshaped while \(count) elements are there")
        precondition(new.count < Self.rankMax && new.allSatisfy { $0 >= 0 }, "no such shape: \(new)")
        if new != extents { extents = new }
        stride = 1
        for (index, extent) in new.enumerated() {
            stride *= extent
            unsafe shape[index + 1] = Int64(extent)
        }
    }

    /// Makes room for `more` elements behind those that are there, with unspecified values.
    /// - Returns: the index of the first of them.
    @discardableResult public func grow(by more: Int) -> Int {
        precondition(more >= 0)
        let first = elements
        let bytes = (count + more) * dtype.byteSize
        if bytes > capacity { enlarge(to: bytes) }
        elements += more
        return first
    }

    /// Forgets the elements from index `kept` on.
    public func truncate(to kept: Int) {
        precondition(kept >= 0 && kept <= count)
        elements = kept
    }

    /// Forgets all elements, and gives back memory beyond `keptBytesMax`.
    public func reset() {
        elements = 0
        guard capacity > Self.keptBytesMax else { return }
        unsafe base.deallocate()
        capacity = 4096
        unsafe base = Self.allocate(bytes: capacity)
    }

    /// Sets every byte of the elements to zero (BYTES: all empty).
    public func clear() {
        unsafe base.initializeMemory(as: UInt8.self, repeating: 0, count: count * dtype.byteSize)
    }

    /// Lends the elements for the length of the call. `Element` must be the layout of `dtype`.
    @inlinable public func withElements<Element: TensorElement, Failure: Error, Result>(
        _ type: Element.Type, _ body: (Span<Element>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(Element.isLayout(of: dtype), "elements of \(dtype.name) read as \(Element.self)")
        let start = unsafe address.assumingMemoryBound(to: Element.self)
        return try unsafe body(UnsafeBufferPointer(start: start, count: count).span)
    }

    /// Lends the elements for reading and writing. `Element` must be the layout of `dtype`.
    @inlinable public func withMutableElements<Element: TensorElement, Failure: Error, Result>(
        _ type: Element.Type, _ body: (inout MutableSpan<Element>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(Element.isLayout(of: dtype), "elements of \(dtype.name) written as \(Element.self)")
        let start = unsafe address.assumingMemoryBound(to: Element.self)
        var span = unsafe UnsafeMutableBufferPointer(start: start, count: count).mutableSpan
        return try body(&span)
    }

    /// Lends the elements as bytes in memory order.
    @inlinable public func withBytes<Failure: Error, Result>(
        _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(start: address, count: count * dtype.byteSize).bytes)
    }

    /// Element 0, aligned to 64 bytes. Valid until the buffer grows, is reset or released.
    @unsafe @inlinable public var address: UnsafeMutableRawPointer { unsafe base }

    /// `rank` extents with `rows` as the first. Valid until the next call or `reshape`.
    @unsafe public func shapeAddress(rows: Int) -> UnsafePointer<Int64> {
        unsafe shape[0] = Int64(rows)
        return unsafe UnsafePointer(shape)
    }

    private func enlarge(to bytes: Int) {
        let larger = max(bytes, capacity * 2)
        let moved = unsafe Self.allocate(bytes: larger)
        unsafe moved.copyMemory(from: base, byteCount: count * dtype.byteSize)
        unsafe base.deallocate()
        unsafe base = moved
        capacity = larger
    }

    private static func allocate(bytes: Int) -> UnsafeMutableRawPointer {
        let new = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: alignment)
        unsafe new.initializeMemory(as: UInt8.self, repeating: 0, count: bytes)
        return unsafe new
    }
}
