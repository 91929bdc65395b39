import RoostTensors

extension JSONCursor {
    /// Whether an array is next whose first element is an array.
    var isNested: Bool {
        var probe = self
        guard probe.take(.openBracket) else { return false }
        probe.skipSpace()
        return probe.current == .openBracket
    }

    func moved(to place: Int) -> Self {
        var moved = self
        moved.at = place
        return moved
    }

    /// How many elements the array has that is next.
    func elementCount() -> Result<Int, Fault> {
        var probe = self
        do {
            try probe.expect(.openBracket, "'['")
            probe.skipSpace()
            if probe.take(.closeBracket) { return .success(0) }
            var count = 0
            repeat {
                try probe.skipValue()
                count += 1
            } while try probe.separator(.closeBracket, "',' or ']'")
            return .success(count)
        } catch { return .failure(error) }
    }

    /// Bytes `[start, stop)` of the body itself.
    func slice(_ start: Int, _ stop: Int) -> BytesElement {
        precondition(start >= 0 && start <= stop && stop <= end)
        return unsafe BytesElement(data: base + start, size: stop - start)
    }

    /// Takes an integer that `dtype` can hold.
    mutating func takeInteger(_ dtype: DType) throws(Fault) {
        switch dtype {
        case .uint8: _ = try UInt8.read(&self)
        case .uint16: _ = try UInt16.read(&self)
        case .uint32: _ = try UInt32.read(&self)
        case .uint64: _ = try UInt64.read(&self)
        case .int8: _ = try Int8.read(&self)
        case .int16: _ = try Int16.read(&self)
        case .int32: _ = try Int32.read(&self)
        case .int64: _ = try Int64.read(&self)
        case .bool, .float16, .float32, .float64, .bytes: throw Fault(.type, at: at)
        }
    }
}

extension TensorBuffer {
    /// Writes a NaN or a small whole number as an element of whatever numeric type the buffer has.
    func set(number: Double, at index: Int) {
        switch dtype {
        case .float32: set(Float(number), at: index)
        case .float64: set(number, at: index)
        case .float16: set(Float16(number), at: index)
        case .uint8: set(UInt8(clamping: Int(number)), at: index)
        case .uint16: set(UInt16(clamping: Int(number)), at: index)
        case .uint32: set(UInt32(clamping: Int(number)), at: index)
        case .uint64: set(UInt64(clamping: Int(number)), at: index)
        case .int8: set(Int8(clamping: Int(number)), at: index)
        case .int16: set(Int16(clamping: Int(number)), at: index)
        case .int32: set(Int32(clamping: Int(number)), at: index)
        case .int64: set(Int64(number), at: index)
        case .bool, .bytes: break  // no matrix has them
        }
    }
}
