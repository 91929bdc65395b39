internal import RoostABI

/// What a model is loaded from: its file, and the memory that all its instances will share.
///
/// Safe: the pointers are the host's, checked once in `init`; the bytes stay mapped for the life of the process,
/// and the lifetime keeps everything else within `load`.
@safe public struct Artifact: ~Escapable {
    private let host: Host
    /// The model file, for engines that open it themselves; nil when the plugin carries its own model.
    public let path: String?
    private let base: UnsafePointer<UInt8>?
    private let size: Int

    @_lifetime(borrow arguments)
    init(_ arguments: UnsafePointer<roost_load_args>) {
        unsafe host = Host(pointer: arguments.pointee.host)
        unsafe path = arguments.pointee.path.map { unsafe String(cString: $0) }
        unsafe base = arguments.pointee.data?.assumingMemoryBound(to: UInt8.self)
        size = unsafe base == nil ? 0 : arguments.pointee.size
    }

    /// The file's bytes, mapped read-only; empty when the plugin carries its own model.
    public var bytes: Span<UInt8> {
        @_lifetime(copy self)
        get {
            let all = unsafe UnsafeBufferPointer(start: base, count: size)
            return unsafe _overrideLifetime(Span(_unsafeElements: all), copying: self)
        }
    }

    /// Where everything large belongs that the model makes out of its file.
    public var memory: ModelMemory {
        @_lifetime(copy self)
        get { unsafe _overrideLifetime(ModelMemory(host: host), copying: self) }
    }

    /// `count` elements of the mapped file itself, in place: no copy, no memory of its own.
    /// Throws when they do not lie within the file or not on their natural alignment.
    public func elements<Element: BitwiseCopyable>(
        at offset: Int, count: Int, of type: Element.Type = Element.self
    ) throws(ModelError) -> ModelArray<Element> {
        let stride = MemoryLayout<Element>.stride
        guard let base = unsafe base, offset >= 0, count >= 0, offset <= size, count <= (size - offset) / stride
        else {
            throw ModelError.failed(
                "\(count) elements of \(stride) bytes at \(offset) reach beyond the file of \(size)")
        }
        let start = unsafe UnsafeRawPointer(base + offset)
        guard UInt(bitPattern: start) % UInt(MemoryLayout<Element>.alignment) == 0 else {
            throw ModelError.failed("elements at \(offset) are not aligned to \(MemoryLayout<Element>.alignment) bytes")
        }
        let elements = unsafe start.assumingMemoryBound(to: Element.self)
        return unsafe ModelArray(UnsafeBufferPointer(start: elements, count: count))
    }

    /// A line for `roost logs`.
    public func log(_ level: LogLevel, _ text: String) { host.log(level, text) }
}
