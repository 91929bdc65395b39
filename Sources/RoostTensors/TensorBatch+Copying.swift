extension TensorBatch {
    /// Appends and commits a copy of committed rows of another batch of the same signature. BYTES elements stay in
    /// the other's memory, so it must not be reset while this batch is in use.
    public func append(rows range: Range<Int>, of other: TensorBatch) {
        precondition(range.upperBound <= other.rows)
        for (input, source) in zip(inputs, other.inputs) {
            if rows == 0 { input.reshape(trailing: source.trailing) }
            input.append(
                elements: range.lowerBound * source.rowElements..<range.upperBound * source.rowElements, of: source)
        }
        commit(rows: range.count)
    }
}

extension TensorBuffer {
    /// Appends a copy of elements of another buffer of the same dtype.
    func append(elements range: Range<Int>, of other: TensorBuffer) {
        precondition(other.dtype == dtype && range.upperBound <= other.count)
        let first = grow(by: range.count)
        let size = dtype.byteSize
        unsafe (address + first * size).copyMemory(
            from: other.address + range.lowerBound * size, byteCount: range.count * size)
    }
}
