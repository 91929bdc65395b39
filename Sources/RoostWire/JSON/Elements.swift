import RoostTensors

/// An element type that the codecs read and write.
protocol WireElement: TensorElement {
    /// What a body must hold there, for people.
    static var expectation: StaticString { get }
    /// Takes one element, or says what is wrong with it.
    static func read(_ cursor: inout JSONCursor) throws(Fault) -> Self
}

extension WireElement where Self: BinaryFloatingPoint {
    static var expectation: StaticString { "a number" }

    /// What floating-point inputs take beside numbers.
    @inline(never) static func special(_ cursor: inout JSONCursor) throws(Fault) -> Self {
        if cursor.takeWord("null") || cursor.takeWord("NaN") { return .nan }
        if cursor.takeWord("Infinity") { return .infinity }
        if cursor.takeWord("-Infinity") { return -.infinity }
        throw Fault(.type, at: cursor.at)
    }
}

extension JSONCursor {
    /// Whether a number is next.
    @inline(__always) var isAtNumber: Bool {
        current &- 0x30 < 10 || (current == UInt8(ascii: "-") && byte(at + 1) &- 0x30 < 10)
    }
}

extension Float: WireElement {
    @inline(__always) static func read(_ cursor: inout JSONCursor) throws(Fault) -> Self {
        guard cursor.isAtNumber else { return try special(&cursor) }
        let number = try cursor.number()
        guard let value = cursor.float(number) else { throw Fault(.range, at: number.start) }
        return value
    }
}

extension Double: WireElement {
    @inline(__always) static func read(_ cursor: inout JSONCursor) throws(Fault) -> Self {
        guard cursor.isAtNumber else { return try special(&cursor) }
        let number = try cursor.number()
        guard let value = cursor.double(number) else { throw Fault(.range, at: number.start) }
        return value
    }
}

extension Float16: WireElement {
    static func read(_ cursor: inout JSONCursor) throws(Fault) -> Self {
        guard cursor.isAtNumber else { return try special(&cursor) }
        let number = try cursor.number()
        guard let value = cursor.half(number) else { throw Fault(.range, at: number.start) }
        return value
    }
}

extension WireElement where Self: FixedWidthInteger {
    static var expectation: StaticString { "an integer" }

    @inline(__always) static func read(_ cursor: inout JSONCursor) throws(Fault) -> Self {
        guard cursor.isAtNumber else { throw Fault(.type, at: cursor.at) }
        let number = try cursor.number()
        guard number.isInteger else { throw Fault(.type, at: number.start) }
        // 19 digits are what `digits` holds; with 20 the text is read again, and only UInt64 has so many.
        guard number.power == 0, !number.isCut else { return try long(cursor, number) }
        guard number.digits <= UInt64(Int64.max) + 1 || !number.isNegative,
            let value = number.isNegative
                ? Self(exactly: Int64(truncatingIfNeeded: 0 &- number.digits)) : Self(exactly: number.digits)
        else { throw Fault(.range, at: number.start) }
        return value
    }

    @inline(never) private static func long(_ cursor: JSONCursor, _ number: Decimal) throws(Fault) -> Self {
        var value: UInt64 = 0
        for index in number.start + (number.isNegative ? 1 : 0)..<number.end {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(cursor.byte(index) &- 0x30))
            guard !overflow, !carry else { throw Fault(.range, at: number.start) }
            value = sum
        }
        guard !number.isNegative, let exact = Self(exactly: value) else { throw Fault(.range, at: number.start) }
        return exact
    }
}

extension UInt8: WireElement {}
extension UInt16: WireElement {}
extension UInt32: WireElement {}
extension UInt64: WireElement {}
extension Int8: WireElement {}
extension Int16: WireElement {}
extension Int32: WireElement {}
extension Int64: WireElement {}

/// BOOL, in memory one byte.
struct Truth: WireElement {
    let byte: UInt8

    static func isLayout(of dtype: DType) -> Bool { dtype == .bool }
    static var expectation: StaticString { "true or false" }

    static func read(_ cursor: inout JSONCursor) throws(Fault) -> Self {
        if cursor.takeWord("true") { return Self(byte: 1) }
        if cursor.takeWord("false") { return Self(byte: 0) }
        throw Fault(.type, at: cursor.at)
    }
}

extension BytesElement: WireElement {
    static var expectation: StaticString { "a string" }

    static func read(_ cursor: inout JSONCursor) throws(Fault) -> Self {
        guard cursor.current == .quote else { throw Fault(.type, at: cursor.at) }
        return try cursor.copy(cursor.string())
    }
}
