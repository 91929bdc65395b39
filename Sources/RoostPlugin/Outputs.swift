internal import RoostABI
public import RoostTensors

/// Where `predict` puts its answers: memory of the host, one tensor per output of the signature.
///
/// Safe: the host checks each shape against the signature before it gives memory of that extent, which lives until
/// `predict` returns; the lifetime keeps spans within it. Each output is given once, so no two spans overlap.
@safe public struct Outputs: ~Escapable, ~Copyable {
    private let arguments: UnsafePointer<roost_predict_args>
    private let loaded: LoadedModel
    /// One bit per output.
    private var given: UInt64 = 0

    @_lifetime(borrow arguments)
    init(_ arguments: UnsafePointer<roost_predict_args>, of loaded: LoadedModel) {
        unsafe self.arguments = arguments
        self.loaded = loaded
    }

    /// The elements of an output, to be filled completely; ask once for each output.
    ///
    /// - Parameter shape: All extents, for an output whose trailing extents the signature leaves open; otherwise
    ///   they are known.
    /// Throws when the signature says another type, or leaves an extent open that is not given.
    // Inlined, so that plugins get code for their element type instead of generic code.
    @inlinable
    @_lifetime(copy self)
    public mutating func values<Element: TensorElement>(
        _ index: Int, of type: Element.Type = Element.self, shape: [Int]? = nil
    ) throws(ModelError) -> MutableSpan<Element> {
        let (start, count) = try unsafe memory(index, Element.dtype, shape)
        let elements = unsafe UnsafeMutableBufferPointer(
            start: start.assumingMemoryBound(to: Element.self), count: count)
        return unsafe _overrideLifetime(MutableSpan(_unsafeElements: elements), copying: self)
    }

    /// Answers a BYTES output with texts made for this call. (For texts known since loading, `values(_:of:)` with
    /// `ModelText` copies nothing.)
    public mutating func setStrings(_ index: Int, _ strings: [String], shape: [Int]? = nil) throws(ModelError) {
        let (start, count) = try unsafe memory(index, .bytes, shape)
        let elements = unsafe UnsafeMutableBufferPointer(
            start: start.assumingMemoryBound(to: ModelText.self), count: count)
        guard strings.count == elements.count else {
            throw .failed("output \(index) has \(elements.count) elements, \(strings.count) were given")
        }
        for place in strings.indices { unsafe elements[place] = loaded.hold(strings[place]) }
    }

    /// This row has no answer, the others do. What stands in its places of the outputs is ignored.
    public mutating func failRow(_ row: Int, _ text: String) {
        guard let failRow = unsafe arguments.pointee.fail_row, row >= 0 else { return }
        unsafe withCText(text) { unsafe failRow(arguments.pointee.call, UInt64(row), $0, $1) }
    }

    /// Memory for all elements of an output, and how many they are.
    @usableFromInline
    mutating func memory(
        _ index: Int, _ dtype: DType, _ shape: [Int]?
    ) throws(ModelError) -> (start: UnsafeMutableRawPointer, count: Int) {
        guard loaded.outputs.indices.contains(index) else {
            throw .failed("no output \(index): the signature has \(loaded.outputs.count)")
        }
        let spec = loaded.outputs[index]
        guard index < UInt64.bitWidth, given & (1 << UInt64(index)) == 0 else {
            throw .failed("output \(spec.name) was asked for before: ask once, and keep the span")
        }
        given |= 1 << UInt64(index)
        guard spec.dtype == dtype else {
            throw .failed("output \(spec.name) is \(spec.dtype.name) in the signature, not \(dtype.name)")
        }
        let extents = shape ?? spec.shape
        var full: InlineArray<8, Int64> = .init(repeating: 0)
        guard extents.count == spec.shape.count, (1...8).contains(extents.count) else {
            throw .failed("output \(spec.name) has rank \(spec.shape.count) in the signature, not \(extents.count)")
        }
        full[0] = Int64(clamping: unsafe arguments.pointee.rows)
        var count = Int(full[0])
        for dimension in 1..<extents.count {
            guard extents[dimension] >= 0 else {
                throw .failed("output \(spec.name): dimension \(dimension) is open in the signature, give the shape")
            }
            full[dimension] = Int64(extents[dimension])
            count *= extents[dimension]
        }
        let memory = unsafe full.span.withUnsafeBufferPointer { extents in
            unsafe arguments.pointee.output(
                arguments.pointee.call, UInt32(index), extents.baseAddress, UInt32(spec.shape.count))
        }
        guard let memory = unsafe memory else {
            throw .failed("the host refused the shape of output \(spec.name)")
        }
        return unsafe (memory, count)
    }
}
