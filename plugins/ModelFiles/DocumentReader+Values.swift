extension DocumentReader {
    public mutating func string() throws(DocumentError) -> String {
        try expect(.string)
        switch format {
        case .json: return try stringJSON()
        case .ubjson:
            position += 1
            return try textUBJSON()
        }
    }

    public mutating func bool() throws(DocumentError) -> Bool {
        try expect(.bool)
        switch format {
        case .json:
            let isTrue = bytes[position] == UInt8(ascii: "t")
            try word(isTrue ? "true" : "false")
            return isTrue
        case .ubjson:
            position += 1
            return bytes[position - 1] == UInt8(ascii: "T")
        }
    }

    public mutating func null() throws(DocumentError) {
        try expect(.null)
        if format == .json { try word("null") } else { position += 1 }
    }

    /// A number as the double nearest to it.
    public mutating func number() throws(DocumentError) -> Double {
        try expect(.number)
        switch format {
        case .json: return try decimal().double
        case .ubjson: return try numberUBJSON()
        }
    }

    /// A number as the float32 nearest to it, as `strtof` rounds.
    public mutating func float() throws(DocumentError) -> Float {
        try expect(.number)
        switch format {
        case .json: return try decimal().float
        case .ubjson: return Float(try numberUBJSON())
        }
    }

    /// A number without fraction within `range`.
    public mutating func integer(in range: ClosedRange<Int>) throws(DocumentError) -> Int {
        let number = try self.number()
        return try Self.integer(number, in: range)
    }

    @inline(__always)
    static func integer(_ number: Double, in range: ClosedRange<Int>) throws(DocumentError) -> Int {
        guard let integer = Int(exactly: number), range.contains(integer) else {
            throw DocumentError("\(number) is no whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }

    public mutating func strings() throws(DocumentError) -> [String] {
        try list { reader throws(DocumentError) in try reader.string() }
    }

    /// An array whose elements `read` reads.
    public mutating func list<Element>(
        _ read: (inout DocumentReader) throws(DocumentError) -> Element
    ) throws(DocumentError) -> [Element] {
        var elements: [Element] = []
        try array { _, reader throws(DocumentError) in elements.append(try read(&reader)) }
        return elements
    }
}
