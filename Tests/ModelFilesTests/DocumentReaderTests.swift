import ModelFiles
import Testing

/// Reads a whole document and tells what it saw, so that JSON and UBJSON can be compared.
func outline(_ bytes: [UInt8]) throws -> String {
    guard var reader = DocumentReader(bytes.span) else { throw DocumentError("no document") }
    let text = try describe(&reader)
    try reader.end()
    return text
}

private func describe(_ reader: inout DocumentReader) throws(DocumentError) -> String {
    switch try reader.peek() {
    case .object:
        var parts: [String] = []
        try reader.object { key, reader throws(DocumentError) in parts.append("\(key):\(try describe(&reader))") }
        return "{\(parts.joined(separator: ","))}"
    case .array:
        let parts = try reader.list { reader throws(DocumentError) in try describe(&reader) }
        return "[\(parts.joined(separator: ","))]"
    case .string: return "'\(try reader.string())'"
    case .number: return "\(try reader.number())"
    case .bool: return "\(try reader.bool())"
    case .null:
        try reader.null()
        return "null"
    }
}

func outline(_ json: String) throws -> String { try outline(Array(json.utf8)) }

/// Reads the value of the one key of an object.
func readValue(_ json: String, _ body: (inout DocumentReader) throws(DocumentError) -> Void) throws {
    let bytes = Array(json.utf8)
    guard var reader = DocumentReader(bytes.span) else { throw DocumentError("no document") }
    try reader.object { _, reader throws(DocumentError) in try body(&reader) }
}

@Test func jsonIsReadWithEveryKindOfValue() throws {
    #expect(
        try outline(#" {"a": [1, -2.5e3, 0.1, true, false, null, NaN, -Infinity], "b": {"c": "d"}, "e": [] } "#)
            == "{a:[1.0,-2500.0,0.1,true,false,null,nan,-inf],b:{c:'d'},e:[]}")
    #expect(try outline(#"{"\u00e9\n\"\\\/\ud83d\ude00": "ä"}"#) == "{é\n\"\\/😀:'ä'}")
}

@Test(arguments: [
    ("{", "the file ends early, at byte 1: truncated?"),
    (#"{"a": 1,}"#, "expected a key in quotes, found '}' at byte 8"),
    (#"{"a" 1}"#, "expected a colon, found '1' at byte 5"),
    (#"{"a": [1 2]}"#, "a: expected a comma, found '2' at byte 9"),
    (#"{"a": [1,]}"#, "a[1]: expected a value, found ']' at byte 9"),
    (#"{"a": 01}"#, "a: a number with leading zeros at byte 6"),
    (#"{"a": 1.}"#, "a: expected a digit, found '}' at byte 8"),
    (#"{"a": -}"#, "a: expected a digit, found '}' at byte 7"),
    (#"{"a": 1e+}"#, "a: expected a digit, found '}' at byte 9"),
    (#"{"a": nul}"#, "a: expected null, found '}' at byte 9"),
    (#"{"a": "\x"}"#, "a: an unknown escape at byte 7"),
    (#"{"a": "\ud800x"}"#, "a: expected \\u, found 'x' at byte 13"),
    (#"{"a": "\udc00"}"#, "a: half a surrogate pair at byte 13"),
    ("{\"a\": \"\n\"}", "a: a control character within a text at byte 7"),
    (#"{"a": 1, "a": 2}"#, "the key \"a\" comes twice"),
    (#"{"a": {"b": [{}, {"c": tru}]}}"#, "a.b[1].c: expected true, found '}' at byte 26"),
    (#"{"a": 1} x"#, "1 bytes follow the document's end at byte 9"),
])
func brokenJSONSaysWhatAndWhere(json: String, message: String) {
    #expect(throws: (any Error).self) { try outline(json) }
    do { _ = try outline(json) } catch { #expect("\(error)" == message) }
}

@Test(arguments: ["", " ", "[1]", "17", "\"a\"", "\u{80}\u{4}pickle", "{x", "PK", "<html>"])
func whatIsNoObjectIsNoDocument(text: String) {
    let bytes = Array(text.utf8)
    let isDocument = DocumentReader(bytes.span) != nil
    #expect(!isDocument)
}

@Test func textThatIsNotUTF8IsRefused() {
    #expect(throws: DocumentError.self) { try outline(Array(#"{"a": ""#.utf8) + [0xFF] + Array("\"}".utf8)) }
    #expect(throws: DocumentError.self) { try outline([0x7B, 0x55, 1, 0xFF, 0x5A, 0x7D]) }
}

@Test func nestingIsLimited() throws {
    let deep = DocumentReader.depthMax - 1
    let fits = "{\"a\":" + String(repeating: "[", count: deep) + String(repeating: "]", count: deep) + "}"
    _ = try outline(fits)
    #expect(throws: DocumentError.self) { try outline("{\"a\":" + String(repeating: "[", count: 100_000)) }
    let ubjson = Array("{U".utf8) + [1, 0x61] + [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
    #expect(throws: DocumentError.self) { try outline(ubjson) }
}

@Test func askingForAnotherKindIsAnError() {
    do {
        try readValue(#"{"a": "1"}"#) { reader throws(DocumentError) in _ = try reader.number() }
        Issue.record("a text was read as a number")
    } catch { #expect("\(error)" == "a: expected number, found string at byte 6") }
}

@Test func integersMustBeWholeAndInRange() {
    for (text, fits) in [("3", true), ("3.0", true), ("3.5", false), ("-1", false), ("11", false), ("1e300", false)] {
        let read: Void? = try? readValue("{\"a\": [\(text)]}") { reader throws(DocumentError) in
            _ = try reader.integers(in: 0...10)
        }
        #expect((read != nil) == fits, "\(text)")
    }
}
