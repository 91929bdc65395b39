/// Elements as the binary tensor extension of the protocol has them: row-major, without gaps, lowest byte first; BOOL
/// as one byte; each of BYTES behind its length in four bytes. All machines that this runs on have the lowest byte
/// first, too, so that elements of fixed size are copied as they are.
extension TensorBuffer {
    /// Writes elements of fixed size to the places from index `first` on, which must be there.
    public func assign(binary bytes: RawSpan, at first: Int) {
        let size = dtype.byteSize
        precondition(dtype != .bytes && bytes.byteCount % size == 0)
        precondition(first >= 0 && first + bytes.byteCount / size <= count)
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            unsafe (address + first * size).copyMemory(from: start, byteCount: source.count)
        }
    }

    /// Writes `elements` BYTES elements to the places from index `first` on, which must be there. Their bytes are
    /// copied to `arena`, as a whole.
    public func assign(
        binaryTexts bytes: RawSpan, at first: Int, count elements: Int, in arena: ByteArena
    ) throws(BinaryTextFault) {
        precondition(dtype == .bytes && first >= 0 && elements >= 0 && first + elements <= count)
        let kept = arena.store(bytes)
        let places = unsafe address.assumingMemoryBound(to: BytesElement.self) + first
        var at = 0
        for index in 0..<elements {
            guard let start = unsafe kept.data, kept.size - at >= 4 else { throw .cutOff(element: index) }
            let size = unsafe Int(
                UInt32(littleEndian: UnsafeRawPointer(start + at).loadUnaligned(as: UInt32.self)))
            at += 4
            guard size <= kept.size - at else { throw .cutOff(element: index) }
            unsafe places[index] = BytesElement(data: start + at, size: size)
            at += size
        }
        guard at == kept.size else { throw .surplus(bytes: kept.size - at) }
    }

    /// What `elements` BYTES elements take: each its length and four bytes; nil when one is longer than those can say.
    public func binaryTextBytes(_ elements: Range<Int>) -> Int? {
        withElements(BytesElement.self) { all in
            var total = 0
            for index in elements {
                guard all[index].size <= Int(UInt32.max) else { return nil }
                total += 4 + all[index].size
            }
            return total
        }
    }
}

/// Binary data that is not as many BYTES elements as it has to be.
public enum BinaryTextFault: Error, Hashable, Sendable {
    /// The length of an element, or what it announces, goes beyond the end.
    case cutOff(element: Int)
    /// So many bytes are left behind the last element.
    case surplus(bytes: Int)
}

extension DType {
    /// Element `index` of binary data of this type, which must be there; of BOOL and BYTES there is none.
    public func number(in bytes: RawSpan, at index: Int) -> BinaryNumber? {
        precondition(index >= 0 && (index + 1) * byteSize <= bytes.byteCount)
        let offset = index * byteSize
        return switch self {
        case .uint8: .whole(Int128(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self)))
        case .uint16: .whole(Int128(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self)))
        case .uint32: .whole(Int128(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self)))
        case .uint64: .whole(Int128(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)))
        case .int8: .whole(Int128(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Int8.self)))
        case .int16: .whole(Int128(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Int16.self)))
        case .int32: .whole(Int128(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Int32.self)))
        case .int64: .whole(Int128(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Int64.self)))
        case .float16: .floating(Double(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Float16.self)))
        case .float32: .floating(Double(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Float.self)))
        case .float64: .floating(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Double.self))
        case .bool, .bytes: nil
        }
    }
}

/// A number of any type but BOOL, exactly.
public enum BinaryNumber: Hashable, Sendable {
    case whole(Int128)
    case floating(Double)

    /// The nearest one; infinite where it is out of range.
    public var double: Double {
        switch self {
        case .whole(let number): Double(number)
        case .floating(let number): number
        }
    }

    /// Nil when it is no whole number.
    public var integer: Int128? {
        switch self {
        case .whole(let number): number
        case .floating(let number): Int128(exactly: number)
        }
    }
}
