import RoostTensors

extension JSONCursor {
    /// Reads an array of elements into `room`; the cursor must stand behind its `[` and takes its `]`.
    ///
    /// - Returns: how many there were, at most `room.count`; more are a fault of kind `surplus`.
    @inline(__always) mutating func run<Element: WireElement>(
        into room: UnsafeMutableBufferPointer<Element>
    ) throws(Fault) -> Int {
        skipSpace()
        if take(.closeBracket) { return 0 }
        var count = 0
        while true {
            guard count < room.count else { throw Fault(.surplus, at: at) }
            do { unsafe room[count] = try Element.read(&self) } catch {
                var fault = error
                fault.element = count
                throw fault
            }
            count &+= 1
            // The usual separators first: `,` and `, `.
            if current == .comma {
                at &+= 1
                if current == 0x20 { at &+= 1 }
                if current <= 0x20 { skipSpace() }
            } else if try !separator(.closeBracket, "',' or ']'") {
                return count
            }
        }
    }

    /// Reads an array into the elements of `buffer` from index `first` on, `limit` of them at most.
    mutating func run<Element: WireElement>(
        _ type: Element.Type, into buffer: TensorBuffer, at first: Int, limit: Int
    ) throws(Fault) -> Int {
        precondition(Element.isLayout(of: buffer.dtype) && first >= 0 && limit >= 0 && first + limit <= buffer.count)
        let start = unsafe buffer.address.assumingMemoryBound(to: Element.self) + first
        return try unsafe run(into: UnsafeMutableBufferPointer(start: start, count: limit))
    }

    /// As above, for the element type of the buffer.
    mutating func run(into buffer: TensorBuffer, at first: Int, limit: Int) throws(Fault) -> Int {
        switch buffer.dtype {
        case .float32: try run(Float.self, into: buffer, at: first, limit: limit)
        case .float64: try run(Double.self, into: buffer, at: first, limit: limit)
        case .int64: try run(Int64.self, into: buffer, at: first, limit: limit)
        case .int32: try run(Int32.self, into: buffer, at: first, limit: limit)
        case .bytes: try run(BytesElement.self, into: buffer, at: first, limit: limit)
        case .float16: try run(Float16.self, into: buffer, at: first, limit: limit)
        case .bool: try run(Truth.self, into: buffer, at: first, limit: limit)
        case .uint8: try run(UInt8.self, into: buffer, at: first, limit: limit)
        case .uint16: try run(UInt16.self, into: buffer, at: first, limit: limit)
        case .uint32: try run(UInt32.self, into: buffer, at: first, limit: limit)
        case .uint64: try run(UInt64.self, into: buffer, at: first, limit: limit)
        case .int8: try run(Int8.self, into: buffer, at: first, limit: limit)
        case .int16: try run(Int16.self, into: buffer, at: first, limit: limit)
        }
    }

    /// Reads one element into place `index` of `buffer`.
    mutating func element(into buffer: TensorBuffer, at index: Int) throws(Fault) {
        switch buffer.dtype {
        case .float32: try put(Float.read(&self), buffer, index)
        case .float64: try put(Double.read(&self), buffer, index)
        case .int64: try put(Int64.read(&self), buffer, index)
        case .int32: try put(Int32.read(&self), buffer, index)
        case .bytes: try put(BytesElement.read(&self), buffer, index)
        case .float16: try put(Float16.read(&self), buffer, index)
        case .bool: try put(Truth.read(&self), buffer, index)
        case .uint8: try put(UInt8.read(&self), buffer, index)
        case .uint16: try put(UInt16.read(&self), buffer, index)
        case .uint32: try put(UInt32.read(&self), buffer, index)
        case .uint64: try put(UInt64.read(&self), buffer, index)
        case .int8: try put(Int8.read(&self), buffer, index)
        case .int16: try put(Int16.read(&self), buffer, index)
        }
    }

    @inline(__always) private func put<Element: WireElement>(_ value: Element, _ buffer: TensorBuffer, _ index: Int) {
        buffer.set(value, at: index)
    }
}

extension TensorBuffer {
    /// Writes one element of the buffer's own layout.
    @inline(__always) func set<Element: TensorElement>(_ value: Element, at index: Int) {
        precondition(Element.isLayout(of: dtype) && index >= 0 && index < count)
        unsafe address.assumingMemoryBound(to: Element.self)[index] = value
    }
}
