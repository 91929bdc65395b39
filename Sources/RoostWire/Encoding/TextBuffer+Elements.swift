import RoostTensors

extension TextBuffer {
    /// A copy of what was written.
    public var bytes: [UInt8] {
        withBytes { bytes in
            (0..<bytes.byteCount).map { unsafe bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
        }
    }

    /// Appends elements as JSON, with commas between.
    /// - Returns: false when one is a string that is not UTF-8.
    func list(_ tensor: TensorBuffer, _ elements: Range<Int>) -> Bool {
        switch tensor.dtype {
        case .float32: each(tensor, elements, Float.self) { $0.append(json: $1) }
        case .float64: each(tensor, elements, Double.self) { $0.append(json: $1) }
        case .float16: each(tensor, elements, Float16.self) { $0.append(json: Float($1)) }
        case .int64: each(tensor, elements, Int64.self) { $0.append(decimal: $1) }
        case .int32: each(tensor, elements, Int32.self) { $0.append(decimal: Int64($1)) }
        case .int16: each(tensor, elements, Int16.self) { $0.append(decimal: Int64($1)) }
        case .int8: each(tensor, elements, Int8.self) { $0.append(decimal: Int64($1)) }
        case .uint64: each(tensor, elements, UInt64.self) { $0.append(decimal: $1) }
        case .uint32: each(tensor, elements, UInt32.self) { $0.append(decimal: UInt64($1)) }
        case .uint16: each(tensor, elements, UInt16.self) { $0.append(decimal: UInt64($1)) }
        case .uint8: each(tensor, elements, UInt8.self) { $0.append(decimal: UInt64($1)) }
        case .bool: each(tensor, elements, UInt8.self) { $1 == 0 ? $0.append("false") : $0.append("true") }
        case .bytes:
            return tensor.withElements(BytesElement.self) { all in
                for index in elements {
                    if index > elements.lowerBound { append(.comma) }
                    guard all[index].withBytes({ JSONText.append(quoted: $0, to: self) }) else { return false }
                }
                return true
            }
        }
        return true
    }

    @inline(__always) private func each<Element: TensorElement>(
        _ tensor: TensorBuffer, _ elements: Range<Int>, _ type: Element.Type, _ write: (TextBuffer, Element) -> Void
    ) {
        tensor.withElements(type) { all in
            for index in elements {
                if index > elements.lowerBound { append(.comma) }
                write(self, all[index])
            }
        }
    }

    /// Appends `count` rows of shape `extents` as arrays within an array.
    func nested(_ tensor: TensorBuffer, _ first: Int, _ count: Int, _ extents: ArraySlice<Int>) -> Bool {
        append(.openBracket)
        if let extent = extents.first {
            let stride = extents.reduce(1, *)
            for index in 0..<count {
                if index > 0 { append(.comma) }
                guard nested(tensor, first + index * stride, extent, extents.dropFirst()) else { return false }
            }
        } else {
            guard list(tensor, first..<first + count) else { return false }
        }
        append(.closeBracket)
        return true
    }

    /// Appends elements as binary tensors have them: lowest byte first, BYTES behind their lengths in four bytes.
    func append(binary tensor: TensorBuffer, _ elements: Range<Int>) {
        guard tensor.dtype == .bytes else {
            let size = tensor.dtype.byteSize
            return tensor.withBytes { bytes in
                append(bytes.extracting(elements.lowerBound * size..<elements.upperBound * size))
            }
        }
        tensor.withElements(BytesElement.self) { all in
            for index in elements {
                let size = UInt32(truncatingIfNeeded: all[index].size)
                for shift in [0, 8, 16, 24] as [UInt32] { append(UInt8(truncatingIfNeeded: size >> shift)) }
                all[index].withBytes { append($0) }
            }
        }
    }

    /// Appends `{"index":3,"kind":"NaN"}` for each element that is not finite; indices count from `origin`.
    func nonFinite(_ tensor: TensorBuffer, _ elements: Range<Int>, from origin: Int) {
        var isFirst = true
        for index in elements {
            let value = tensor.floatingPoint(at: index)
            if value.isFinite { continue }
            if !isFirst { append(.comma) }
            isFirst = false
            append(#"{"index":"#)
            append(decimal: UInt64(index - origin))
            append(#","kind":""#)
            append(value.isNaN ? "NaN" : value > 0 ? "Infinity" : "-Infinity")
            append(#""}"#)
        }
    }
}

extension TensorBuffer {
    /// Those that these rows have.
    func elements(of rows: Range<Int>) -> Range<Int> {
        rows.lowerBound * rowElements..<rows.upperBound * rowElements
    }

    /// What these elements take as binary data; nil when one of BYTES is too long for that.
    func binaryBytes(_ elements: Range<Int>) -> Int? {
        dtype == .bytes ? binaryTextBytes(elements) : elements.count * dtype.byteSize
    }

    /// The index of the first element that is NaN or infinite.
    func firstNonFinite(_ elements: Range<Int>) -> Int? {
        guard dtype.isFloatingPoint else { return nil }
        if dtype == .float32 {
            return withElements(Float.self) { all in elements.first { !all[$0].isFinite } }
        }
        return elements.first { !floatingPoint(at: $0).isFinite }
    }

    /// The element of a floating-point tensor; 0 of any other.
    func floatingPoint(at index: Int) -> Double {
        switch dtype {
        case .float32: withElements(Float.self) { Double($0[index]) }
        case .float64: withElements(Double.self) { $0[index] }
        case .float16: withElements(Float16.self) { Double($0[index]) }
        case .bool, .uint8, .uint16, .uint32, .uint64, .int8, .int16, .int32, .int64, .bytes: 0
        }
    }
}
