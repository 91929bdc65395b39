import Glibc
import ModelFiles
import RoostBasics
import RoostJSON
import RoostTensors
import RoostWire

/// The input is a text: a number by RFC 8259 is read by all readers as the C library reads it, or refused where it does
/// not fit; whatever else it is, nobody takes it for one.
func fuzzNumber(_ input: [UInt8]) throws {
    guard input.count < 800 else { return }
    let text = String(decoding: input, as: UTF8.self)
    let isNumber = JSONNumber.matches(input)
    let isInteger = isNumber && !input.contains { $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") }
    let (double, float) = (strtod(text, nil), strtof(text, nil))
    // At the end of a body, and with enough behind it that it may be read eight bytes at a time.
    for padding in [0, 40] {
        try check(Double.self, .float64, text, padding, isNumber && double.isFinite ? double : nil)
        try check(Float.self, .float32, text, padding, isNumber && float.isFinite ? float : nil)
        try check(Int64.self, .int64, text, padding, isInteger ? Int64(text) : nil)
        try check(UInt64.self, .uint64, text, padding, isInteger ? UInt64(text == "-0" ? "0" : text) : nil)
        try check(Int8.self, .int8, text, padding, isInteger ? Int8(text) : nil)
    }
    guard isNumber else { return }
    try checkModelFile(text, double, float)
    if let value = try? JSONValue(parsing: input), case .real(let real) = value {
        try expect(real == double, "\(text) is \(real) in a document, \(double) to the C library")
    }
}

private func check<Number: TensorElement & Equatable>(
    _: Number.Type, _ dtype: DType, _ text: String, _ padding: Int, _ expected: Number?
) throws {
    let signature = Signature(inputs: [TensorSpec(name: "x", dtype: dtype, shape: [-1, 1])], outputs: [])
    let decoder = try RequestDecoder(signature: signature)
    let isSpecial = ["null", "NaN", "Infinity", "-Infinity"].contains { text.contains($0) }
    // Fields of CSV say more than numbers of JSON: there, only numbers are looked at.
    let forms: [(RequestFormat, String)] = [
        (.rows, "[[\(text)\(String(repeating: " ", count: padding))]]"),
        (.csv, "x\n\(text)\n\(String(repeating: "\n", count: padding))"),
    ]
    for (format, body) in forms where !isSpecial && (format == .rows || JSONNumber.matches(Array(text.utf8))) {
        let batch = TensorBatch(signature: signature)
        var info = RequestInfo()
        // What is more than one value in brackets is not ours to judge.
        guard format == .csv || !text.utf8.contains(where: { ",[]{}\" \t\r\n".utf8.contains($0) }) else { continue }
        do throws(RoostError) {
            _ = try decoder.decode(Array(body.utf8).bytes, as: format, into: batch, &info)
        } catch {
            try expect(expected == nil, "\(text) is refused as \(dtype.name) in \(format): \(error.message)")
            continue
        }
        let read = batch.inputs[0].withElements(Number.self) { $0[0] }
        try expect(
            read == expected, "\(text) is read as \(read) in \(format), should be \(String(describing: expected))")
    }
}

/// The runtimes' reader: beyond all range is infinite there, as to the C library.
private func checkModelFile(_ text: String, _ double: Double, _ float: Float) throws {
    let bytes = Array("{\"a\":[\(text)],\"b\":[\(text) ]}".utf8)
    guard var reader = DocumentReader(bytes.span) else { throw Broken(description: "no document") }
    try reader.object { key, reader throws(DocumentError) in
        if key == "a" {
            let numbers = try reader.numbers()
            guard numbers == [double] else { throw DocumentError("\(text) is read as \(numbers), should be \(double)") }
        } else {
            let numbers = try reader.floats()
            guard numbers == [float] else { throw DocumentError("\(text) is read as \(numbers), should be \(float)") }
        }
    }
}

/// RFC 8259, 6: `-? (0 | [1-9] digits) (. digits)? ([eE] [+-]? digits)?`
enum JSONNumber {
    static func matches(_ text: [UInt8]) -> Bool {
        var rest = text[...]
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        func digits() -> Int {
            let found = rest.prefix(while: isDigit)
            rest = rest.dropFirst(found.count)
            return found.count
        }
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let hasZero = rest.first == UInt8(ascii: "0")
        let whole = digits()
        guard whole > 0, !hasZero || whole == 1 else { return false }
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            guard digits() > 0 else { return false }
        }
        if let mark = rest.first, mark | 0x20 == UInt8(ascii: "e") {
            rest = rest.dropFirst()
            if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { rest = rest.dropFirst() }
            guard digits() > 0 else { return false }
        }
        return rest.isEmpty
    }
}
