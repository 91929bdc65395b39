/// The UBJSON half of the reader (ubjson.org, draft 12, big-endian), as far as model files use it: every value but
/// single characters and high-precision numbers, plain, counted and strongly typed arrays of numbers, plain and counted objects.
extension DocumentReader {
    static func isIntegerMarker(_ byte: UInt8) -> Bool { integerSize(byte) != nil }

    private static func integerSize(_ marker: UInt8) -> Int? {
        switch marker {
        case UInt8(ascii: "i"), UInt8(ascii: "U"): 1
        case UInt8(ascii: "I"): 2
        case UInt8(ascii: "l"): 4
        case UInt8(ascii: "L"): 8
        default: nil
        }
    }

    static func numberSize(_ marker: UInt8) -> Int? {
        switch marker {
        case UInt8(ascii: "d"): 4
        case UInt8(ascii: "D"): 8
        default: integerSize(marker)
        }
    }

    mutating func peekUBJSON() throws(DocumentError) -> Kind {
        if elementMarker != nil { return .number }
        while position < bytes.count, bytes[position] == UInt8(ascii: "N") { position += 1 }
        guard position < bytes.count else { throw truncated() }
        switch bytes[position] {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "S"): return .string
        case UInt8(ascii: "T"), UInt8(ascii: "F"): return .bool
        case UInt8(ascii: "Z"): return .null
        case let marker where Self.numberSize(marker) != nil: return .number
        default: throw unexpected("the type of a value")
        }
    }

    mutating func beginUBJSON(closing: UInt8) throws(DocumentError) -> ContainerItems {
        position += 1
        var items = ContainerItems(closing: closing)
        if position < bytes.count, bytes[position] == UInt8(ascii: "$") {
            guard position + 1 < bytes.count else { throw truncated() }
            let marker = bytes[position + 1]
            guard closing == UInt8(ascii: "]"), Self.numberSize(marker) != nil else {
                throw unexpected("an untyped container: only arrays of numbers may be typed")
            }
            items.marker = marker
            position += 2
        }
        guard position < bytes.count else { throw truncated() }
        if bytes[position] == UInt8(ascii: "#") {
            position += 1
            items.remaining = try count(elementSize: items.marker.flatMap { Self.numberSize($0) } ?? 1)
        } else if items.marker != nil {
            throw unexpected("the count of a typed array")
        }
        return items
    }

    mutating func nextUBJSON(_ items: inout ContainerItems) throws(DocumentError) -> Bool {
        if let remaining = items.remaining {
            items.remaining = remaining - 1
            return remaining > 0
        }
        guard position < bytes.count else { throw truncated() }
        guard bytes[position] == items.closing else { return true }
        position += 1
        return false
    }

    /// A length or count and as many bytes (or elements) behind it: what the file cannot hold is refused here,
    /// before anything of that size is allocated.
    private mutating func count(elementSize: Int) throws(DocumentError) -> Int {
        guard position < bytes.count else { throw truncated() }
        let marker = bytes[position]
        guard let size = Self.integerSize(marker) else { throw unexpected("the type of a length") }
        position += 1
        let count = Self.signed(marker, try bits(size))
        guard count >= 0 else { throw DocumentError("a negative length at byte \(position)") }
        guard count <= Int64((bytes.count - position) / elementSize) else { throw truncated() }
        return Int(count)
    }

    /// Text without its type: a length and bytes.
    mutating func textUBJSON() throws(DocumentError) -> String {
        let count = try count(elementSize: 1)
        let start = position
        position += count
        let utf8 = (start..<position).map { bytes[$0] }
        guard let text = String(validating: utf8, as: UTF8.self) else {
            throw DocumentError("the text at byte \(start) is not UTF-8")
        }
        return text
    }

    mutating func numberUBJSON() throws(DocumentError) -> Double {
        if let elementMarker { return try numberUBJSON(elementMarker) }
        position += 1
        return try numberUBJSON(bytes[position - 1])
    }

    /// A number whose type is known.
    @inline(__always)
    mutating func numberUBJSON(_ marker: UInt8) throws(DocumentError) -> Double {
        switch marker {
        case UInt8(ascii: "d"): return Double(Float(bitPattern: try bits32()))
        case UInt8(ascii: "l"): return Double(Int32(bitPattern: try bits32()))
        case UInt8(ascii: "D"): return Double(bitPattern: try bits(8))
        default:
            guard let size = Self.integerSize(marker) else { throw unexpected("the type of a number") }
            return Double(Self.signed(marker, try bits(size)))
        }
    }

    @inline(__always)
    private mutating func bits32() throws(DocumentError) -> UInt32 {
        let place = position
        guard bytes.count - place >= 4 else { throw truncated() }
        position = place + 4
        let high = UInt32(bytes[place]) << 24 | UInt32(bytes[place + 1]) << 16
        return high | UInt32(bytes[place + 2]) << 8 | UInt32(bytes[place + 3])
    }

    private mutating func bits(_ size: Int) throws(DocumentError) -> UInt64 {
        guard bytes.count - position >= size else { throw truncated() }
        var bits: UInt64 = 0
        for place in position..<position + size { bits = bits << 8 | UInt64(bytes[place]) }
        position += size
        return bits
    }

    private static func signed(_ marker: UInt8, _ bits: UInt64) -> Int64 {
        switch marker {
        case UInt8(ascii: "U"): Int64(bits)
        case UInt8(ascii: "i"): Int64(Int8(truncatingIfNeeded: bits))
        case UInt8(ascii: "I"): Int64(Int16(truncatingIfNeeded: bits))
        case UInt8(ascii: "l"): Int64(Int32(truncatingIfNeeded: bits))
        default: Int64(truncatingIfNeeded: bits)
        }
    }
}
