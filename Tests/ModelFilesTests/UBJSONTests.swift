import ModelFiles
import Testing

/// Bytes from texts and numbers.
private func ubjson(_ parts: [Any]) -> [UInt8] {
    parts.flatMap { part -> [UInt8] in
        switch part {
        case let text as String: Array(text.utf8)
        case let byte as Int: [UInt8(truncatingIfNeeded: byte)]
        case let bytes as [UInt8]: bytes
        default: preconditionFailure("neither text nor byte")
        }
    }
}

private func big<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
    (0..<MemoryLayout<Number>.size).reversed().map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
}

private let everyKind = ubjson([
    "{", "L", big(Int64(1)), "a", "[", "i", -3, "U", 200, "I", big(Int16(-300)), "l", big(Int32(70000)),
    "L", big(Int64(-5)), "d", big(Float(0.5).bitPattern), "D", big(Double(-0.25).bitPattern), "T", "F", "Z", "N", "]",
    "U", 1, "b", "[$d#L", big(Int64(2)), big(Float(1.5).bitPattern), big(Float(-2).bitPattern),
    "i", 1, "c", "[#U", 2, "S", "U", 2, "xy", "{}",
    "i", 1, "d", "[$U#i", 3, 1, 2, 255, "}",
])
private let everyKindOutline =
    "{a:[-3.0,200.0,-300.0,70000.0,-5.0,0.5,-0.25,true,false,null],b:[1.5,-2.0],c:['xy',{}],d:[1.0,2.0,255.0]}"

@Test func ubjsonIsReadWithEveryKindOfValue() throws {
    // A no-op stands before the end of the first array.
    let bytes = everyKind.enumerated().filter { $0.element != UInt8(ascii: "N") }.map(\.element)
    #expect(try outline(bytes) == everyKindOutline)
}

@Test func everyTruncationIsAnError() {
    for count in 1..<everyKind.count { #expect(throws: (any Error).self) { try outline(Array(everyKind[..<count])) } }
}

@Test(
    arguments: ([
        ("a count beyond the file", ["{", "i", 1, "a", "[$d#L", big(Int64.max), 0, 0, "}"]),
        ("a length beyond the file", ["{", "L", big(Int64.max), "a", "}"]),
        ("a negative length", ["{", "i", -1, "a", "Z", "}"]),
        ("elements without bytes", ["{", "i", 1, "a", "[$Z#L", big(Int64(1) << 40), "}"]),
        ("a typed array without count", ["{", "i", 1, "a", "[$d", 0, 0, 0, 0, "]}"]),
        ("a typed object", ["{", "i", 1, "a", "{$d#i", 0, "}"]),
        ("an unknown type", ["{", "i", 1, "a", "?", "}"]),
        ("a key twice", ["{", "i", 1, "a", "Z", "i", 1, "a", "Z", "}"]),
        ("bytes behind the end", ["{", "i", 1, "a", "Z", "}", 0]),
    ] as [(String, [Any])]).map { (name: $0.0, bytes: ubjson($0.1)) })
func hostileUBJSONIsRefused(name: String, bytes: [UInt8]) {
    #expect(throws: (any Error).self, "\(name)") { try outline(bytes) }
}
