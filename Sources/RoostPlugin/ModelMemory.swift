internal import RoostABI

/// Memory of the host that every instance of the model shares: filled while loading, read-only from then on.
///
/// A fork copies the page tables of ordinary memory, 25 ms for each GB; of this memory it copies nothing.
public struct ModelMemory: ~Escapable {
    private let host: Host

    @_lifetime(immortal)
    init(host: Host) { self.host = host }

    /// Takes room for `count` elements, zeroed, and has it filled. Valid for the life of the process.
    /// Throws what `fill` throws, and `ModelError.failed` above the model's memory limit.
    public func allocate<Element: BitwiseCopyable>(
        _ count: Int, of type: Element.Type = Element.self, filledBy fill: (inout MutableSpan<Element>) throws -> Void
    ) throws -> ModelArray<Element> {
        precondition(count >= 0, "a negative number of elements")
        precondition(MemoryLayout<Element>.alignment <= 64, "model memory is aligned to 64 bytes")
        guard count > 0 else { return unsafe ModelArray(UnsafeBufferPointer(start: nil, count: 0)) }
        let (size, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        guard !overflow, let memory = unsafe host.modelMemory(byteCount: size) else {
            throw ModelError.failed("the model needs \(size) more bytes than limits.model allows: raise it")
        }
        let elements = unsafe memory.bindMemory(to: Element.self, capacity: count)
        var span = unsafe MutableSpan(_unsafeStart: elements, count: count)
        try fill(&span)
        return unsafe ModelArray(UnsafeBufferPointer(start: elements, count: count))
    }

    /// A copy of `elements`.
    public func copy<Element: BitwiseCopyable>(_ elements: [Element]) throws -> ModelArray<Element> {
        try allocate(elements.count) { span in
            unsafe span.withUnsafeMutableBufferPointer { _ = unsafe $0.update(fromContentsOf: elements) }
        }
    }

    /// A text that outputs may point to, such as the name of a class.
    public func text(_ text: String) throws -> ModelText { ModelText(try copy(Array(text.utf8))) }
}

/// Elements in shared model memory or in the mapped file. Immutable, cheap to copy, never freed.
///
/// Safe: made by `ModelMemory` and `Artifact` only, over memory that stays mapped, and is not written any more, for
/// the life of the process.
@safe @frozen public struct ModelArray<Element: BitwiseCopyable>: @unchecked Sendable {
    @usableFromInline let storage: UnsafeBufferPointer<Element>

    init(_ storage: UnsafeBufferPointer<Element>) { unsafe self.storage = storage }

    @inlinable public var count: Int { unsafe storage.count }
    @inlinable public var isEmpty: Bool { unsafe storage.isEmpty }
    @inlinable public var indices: Range<Int> { unsafe 0..<storage.count }

    /// Traps when `index` is out of range.
    @inlinable public subscript(index: Int) -> Element {
        precondition(index >= 0 && index < count, "index \(index) of \(count)")
        return unsafe storage[index]
    }

    public var span: Span<Element> {
        @inlinable @_lifetime(borrow self)
        get { unsafe _overrideLifetime(Span(_unsafeElements: storage), borrowing: self) }
    }

    /// For hot kernels that have proved their indices when the model was loaded.
    @unsafe @inlinable public var buffer: UnsafeBufferPointer<Element> { unsafe storage }
}

/// A text in model memory, laid out as an element of a BYTES tensor.
///
/// Safe: its bytes are never freed (`ModelArray`), so it may be handed out at any time.
@safe public struct ModelText: BitwiseCopyable, @unchecked Sendable {
    // The only stored property: a ModelText is a roost_bytes, and a span of them is a BYTES tensor.
    private let bytes: roost_bytes

    init(_ utf8: ModelArray<UInt8>) {
        unsafe bytes = roost_bytes(data: UnsafeRawPointer(utf8.buffer.baseAddress), size: utf8.count)
    }

    init(_ borrowed: UnsafeBufferPointer<UInt8>) {
        unsafe bytes = roost_bytes(data: UnsafeRawPointer(borrowed.baseAddress), size: borrowed.count)
    }
}
