internal import RoostABI
internal import RoostTensors

/// Where `predict` puts its answers: memory of the host, one tensor per output of the signature.
///
/// Safe: the host checks each shape against the signature before it gives memory of that extent, which lives until
/// `predict` returns; the lifetime keeps spans within it.
@safe public struct Outputs: ~Escapable, ~Copyable {
    private let arguments: UnsafePointer<roost_predict_args>
    private let loaded: LoadedModel

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
    @_lifetime(&self)
    public mutating func values<Element: TensorElement>(
        _ index: Int, of type: Element.Type = Element.self, shape: [Int]? = nil
    ) throws(ModelError) -> MutableSpan<Element> {
        let elements: UnsafeMutableBufferPointer<Element> = try unsafe memory(index, Element.dtype, shape)
        return unsafe _overrideLifetime(MutableSpan(_unsafeElements: elements), mutating: &self)
    }

    /// Answers a BYTES output with texts made for this call. (For texts known since loading, `values(_:of:)` with
    /// `ModelText` copies nothing.)
    public mutating func setStrings(_ index: Int, _ strings: [String], shape: [Int]? = nil) throws(ModelError) {
        let elements: UnsafeMutableBufferPointer<ModelText> = try unsafe memory(index, .bytes, shape)
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

    private func memory<Element>(
        _ index: Int, _ dtype: DType, _ shape: [Int]?
    ) throws(ModelError) -> UnsafeMutableBufferPointer<Element> {
        guard loaded.outputs.indices.contains(index) else {
            throw .failed("no output \(index): the signature has \(loaded.outputs.count)")
        }
        let spec = loaded.outputs[index]
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
        return unsafe UnsafeMutableBufferPointer(start: memory.assumingMemoryBound(to: Element.self), count: count)
    }
}
