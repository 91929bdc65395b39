/// Arrays of numbers are nearly all that large model files hold: they have a way of their own, without a closure, a
/// look ahead and a type for each element.
extension DocumentReader {
    public mutating func numbers() throws(DocumentError) -> [Double] {
        var elements: [Double] = []
        try numberArray { number throws(DocumentError) in elements.append(number.double) }
        return elements
    }

    public mutating func floats() throws(DocumentError) -> [Float] {
        var elements: [Float] = []
        try numberArray { number throws(DocumentError) in elements.append(number.float) }
        return elements
    }

    public mutating func integers(in range: ClosedRange<Int>) throws(DocumentError) -> [Int] {
        var elements: [Int] = []
        try numberArray { number throws(DocumentError) in
            elements.append(try Self.integer(number.double, in: range))
        }
        return elements
    }

    /// Reads and forgets an array, whatever it holds.
    mutating func skipArray() throws(DocumentError) {
        try numberArray(skippingOthers: true) { _ throws(DocumentError) in }
    }

    /// - Parameter skippingOthers: Whether elements that are no numbers are passed over; else they are errors.
    @inline(__always)
    private mutating func numberArray(
        skippingOthers: Bool = false, _ body: (Decimal) throws(DocumentError) -> Void
    ) throws(DocumentError) {
        try expect(.array)
        try descend()
        var index = 0
        do {
            switch format {
            case .json: try jsonNumbers(&index, skippingOthers, body)
            case .ubjson: try ubjsonNumbers(&index, skippingOthers, body)
            }
        } catch { throw error.inside(index: index) }
        ascend()
    }

    @inline(__always)
    private mutating func jsonNumbers(
        _ index: inout Int, _ skippingOthers: Bool, _ body: (Decimal) throws(DocumentError) -> Void
    ) throws(DocumentError) {
        position += 1
        skipSpace()
        if position < bytes.count, bytes[position] == UInt8(ascii: "]") {
            position += 1
            return
        }
        while true {
            if skippingOthers {
                // Half of a large file is read to be forgotten: most of its bytes pass here.
                if !skipPlainNumber() { try skip() }
            } else if try peekJSON() == .number {
                try body(try decimal())
            } else {
                try expect(.number)
            }
            skipSpace()
            guard position < bytes.count else { throw truncated() }
            let byte = bytes[position]
            guard byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") else { throw unexpected("a comma") }
            position += 1
            if byte == UInt8(ascii: "]") { return }
            index += 1
        }
    }

    @inline(__always)
    private mutating func ubjsonNumbers(
        _ index: inout Int, _ skippingOthers: Bool, _ body: (Decimal) throws(DocumentError) -> Void
    ) throws(DocumentError) {
        var items = try beginUBJSON(closing: UInt8(ascii: "]"))
        if let marker = items.marker, let count = items.remaining {
            // beginUBJSON has made sure that the file holds them all.
            if skippingOthers {
                position += count * (Self.numberSize(marker) ?? 0)
                return
            }
            while index < count {
                let number = try numberUBJSON(marker)
                try body(Decimal(double: number, float: Float(number)))
                index += 1
            }
            return
        }
        while try nextUBJSON(&items) {
            if try peekUBJSON() == .number {
                let number = try numberUBJSON()
                try body(Decimal(double: number, float: Float(number)))
            } else if skippingOthers {
                try skip()
            } else {
                try expect(.number)
            }
            index += 1
        }
    }
}
