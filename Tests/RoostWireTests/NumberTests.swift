import Glibc
import RoostBasics
import RoostTensors
import RoostWire
import Testing

/// Numbers against the C library's strtof and strtod, and against the standard library's shortest texts.
@Suite struct NumberTests {
    /// Reads all of `texts` through a request and compares each with what `reference` makes of it.
    private func compare<Number: BinaryFloatingPoint & TensorElement>(
        _ texts: [String], _ dtype: DType, _ type: Number.Type, _ reference: (String) -> Number
    ) throws {
        let codec = try Codec(
            Signature(
                inputs: [TensorSpec(name: "x", dtype: dtype, shape: [-1])],
                outputs: [TensorSpec(name: "y", dtype: dtype, shape: [-1])]))
        for start in stride(from: 0, to: texts.count, by: 4096) {
            let part = Array(texts[start..<min(start + 4096, texts.count)]).filter { reference($0).isFinite }
            let data = part.joined(separator: ",")
            codec.batch.reset()
            try codec.decode(
                #"{"inputs":[{"name":"x","shape":[\#(part.count)],"datatype":"\#(dtype.name)","data":[\#(data)]}]}"#,
                .tensors)
            let wrong = codec.batch.inputs[0].withElements(Number.self) { span in
                part.indices.first { index in
                    let wanted = reference(part[index])
                    return span[index] != wanted || span[index].sign != wanted.sign
                }
            }
            if let wrong {
                Issue.record(
                    "\(dtype.name): \(part[wrong]) read as \(codec.batch.inputs[0].withElements(Number.self) { $0[wrong] })"
                )
            }
        }
    }

    private func compareAll(_ texts: [String]) throws {
        try compare(texts, .float32, Float.self) { unsafe strtof($0, nil) }
        try compare(texts, .float64, Double.self) { unsafe strtod($0, nil) }
    }

    @Test func hardDecimalsAreRoundedAsTheCLibraryDoes() throws {
        var texts = [
            "0", "-0", "0.0", "-0.0e5", "1", "-1", "16777217", "16777219", "9007199254740993", "9007199254740995",
            "0.1", "0.3", "3.4028235e38", "3.4028234663852886e38", "3.40282356e38", "3.4028235677973366e38",
            "1.1754943508222875e-38", "1.1754942807573643e-38", "1e-45", "7.006492321624085e-46",
            "7.006492321624086e-46", "7.0064923216240853546186479164495806564013097093825788587853e-46",
            "1.401298464324817e-45", "2.2250738585072011e-308", "2.2250738585072014e-308", "5e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324", "2.470328229206232720e-324", "1.7976931348623157e308", "1.7976931348623158e308",
            "179769313486231580793e289", "1e22", "1e23", "8.5e22", "123456789012345678901234567890", "1e-400",
            "0e999999999999999",
            "0.000000000000000000000000000000000000000000000000000000000000000000012345678901234567890123456789e70",
            "18446744073709551615", "18446744073709551616", "9223372036854775808", "99999999999999999999",
            "1.00000000000000000000",
            "6.631236846766476e-316", "3.2378839133029012895883524125015321748630094185e-316", "1448997445238699",
            "9e-265",
            "8.41e+21", "7.2057594037927933e+16", "2.5e-1", "1E5", "1e+5", "4503599627370496.5", "4503599627370497.5",
        ]
        // Exactly between two values, and the nearest decimals above and below, with long texts.
        var random = SplitMix(state: 1)
        for _ in 0..<400 {
            let value = Float(bitPattern: UInt32.random(in: 1..<0x7F7F_FFFF, using: &random))
            let middle = (Double(value) + Double(value.nextUp)) / 2
            let exact = exactText(middle)
            texts += [exact, exact + "0000000000000000000000001", below(exact)]
            let double = Double(bitPattern: UInt64.random(in: 1 << 52..<0x7FE0_0000_0000_0000, using: &random))
            let half = exactMiddle(double)
            texts += [
                half, half.replacing("e", with: "00000000000000000000000000000000000000000000000001e"), below(half),
            ]
        }
        texts += ["1" + String(repeating: "0", count: 300), "0." + String(repeating: "0", count: 320) + "123456789"]
        texts += ["1" + String(repeating: "0", count: 1000) + "e-1000", "0." + String(repeating: "3", count: 5000)]
        texts += [String(repeating: "9", count: 2000) + "e-1990", "1." + String(repeating: "0", count: 900) + "1"]
        try compareAll(texts)
    }

    @Test func randomDecimalsAreRoundedAsTheCLibraryDoes() throws {
        let seed: UInt64 = 20_261_121
        print("seed \(seed)")
        var random = SplitMix(state: seed)
        var texts: [String] = []
        for round in 0..<100_000 {
            let digits = String(random.next() >> UInt64.random(in: 0..<64, using: &random))
            switch round % 5 {
            case 0: texts.append("\(digits)e\(Int.random(in: -340...320, using: &random))")
            case 1: texts.append("-\(Int.random(in: 0...9999, using: &random)).\(digits)")
            case 2: texts.append("0.\(digits)\(random.next())")
            case 3: texts.append("\(Float(bitPattern: UInt32.random(in: 0..<0x7F80_0000, using: &random)))")
            default: texts.append("\(Double(bitPattern: UInt64.random(in: 0..<0x7FF0_0000_0000_0000, using: &random)))")
            }
        }
        try compareAll(texts)
    }

    @Test func halfPrecisionIsRoundedOnceFromTheText() throws {
        var texts: [String] = []
        for bits in stride(from: UInt16(0), to: 0x7BFF, by: 17) {
            let value = Double(Float16(bitPattern: bits))
            let middle = (value + Double(Float16(bitPattern: bits + 1))) / 2
            texts += [exactText(value), exactText(middle), exactText(middle) + "00000000000000000000000001"]
        }
        try compare(texts, .float16, Float16.self) { text in
            // The text with its tail is above the middle by less than any Double can say: round up then.
            let value = unsafe strtod(text, nil)
            let half = Float16(value)
            return text.hasSuffix("0001") && Double(half) < value ? half.nextUp : half
        }
    }

    @Test func printedNumbersAreShortestAndReadBackTheSame() {
        let seed: UInt64 = 7
        print("seed \(seed)")
        var random = SplitMix(state: seed)
        let buffer = TextBuffer()
        var wrong = 0
        func check(_ text: String, _ isSame: Bool, _ reference: String) {
            if !isSame || digits(text) != digits(reference) {
                wrong += 1
                if wrong < 10 { Issue.record("printed \(text), shortest is \(reference)") }
            }
        }
        func check(_ value: Float) {
            buffer.removeAll()
            buffer.append(json: value)
            let text = String(decoding: buffer.bytes, as: UTF8.self)
            check(text, Float(text)?.bitPattern == value.bitPattern, value.description)
        }
        func check(_ value: Double) {
            buffer.removeAll()
            buffer.append(json: value)
            let text = String(decoding: buffer.bytes, as: UTF8.self)
            check(text, Double(text)?.bitPattern == value.bitPattern, value.description)
        }
        for exponent in 0..<255 as Range<UInt32> {
            for fraction in [0, 1, 2, 0x7F_FFFF, 0x40_0000] as [UInt32] {
                check(Float(bitPattern: exponent << 23 | fraction))
            }
        }
        for exponent in 0..<2047 as Range<UInt64> {
            for fraction in [0, 1, 2, 0xF_FFFF_FFFF_FFFF] as [UInt64] {
                check(Double(bitPattern: exponent << 52 | fraction))
            }
        }
        for power in -45...38 { check(Float("1e\(power)") ?? 0) }
        for power in -323...308 { check(Double("1e\(power)") ?? 0) }
        for _ in 0..<25_000 {
            check(Float(bitPattern: UInt32.random(in: 0..<0x7F80_0000, using: &random)))
            check(-Double(bitPattern: UInt64.random(in: 0..<0x7FF0_0000_0000_0000, using: &random)))
            check(Double(Int.random(in: -1_000_000...1_000_000, using: &random)) / 1000)
            check(Float(Int.random(in: -1_000_000...1_000_000, using: &random)) / 100)
        }
    }

    @Test(
        arguments: [
            (0, "0.0"), (-0.0, "-0.0"), (1, "1.0"), (-2.5, "-2.5"), (0.0001, "0.0001"), (0.00001, "1e-5"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e16"), (1.5e300, "1.5e300"), (123456.75, "123456.75"), (.nan, "null"), (-.infinity, "null"),
            (100, "100.0"),
        ] as [(Double, String)])
    func numbersArePrintedAsPeopleWriteThem(_ value: Double, _ text: String) {
        let buffer = TextBuffer()
        buffer.append(json: value)
        #expect(String(decoding: buffer.bytes, as: UTF8.self) == text)
    }

    @Test func integersArePrintedWhole() {
        let buffer = TextBuffer()
        var value: UInt64 = 1
        for _ in 0..<20 {
            for number in [value - 1, value, value &+ 1] {
                buffer.removeAll()
                buffer.append(decimal: number)
                #expect(String(decoding: buffer.bytes, as: UTF8.self) == "\(number)")
            }
            value = value &* 10
        }
        for number in [Int64.min, -1, 0, Int64.max] {
            buffer.removeAll()
            buffer.append(decimal: number)
            #expect(String(decoding: buffer.bytes, as: UTF8.self) == "\(number)")
        }
    }

    /// All decimal digits of a Double.
    private func exactText(_ value: Double) -> String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1200) { room in
            let size = unsafe withVaList([value]) { unsafe vsnprintf(room.baseAddress, 1200, "%.1100f", $0) }
            var text = unsafe String(decoding: room[..<Int(size)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            while text.hasSuffix("0"), !text.hasSuffix(".0") { text.removeLast() }
            return text
        }
    }

    /// The decimal exactly between `value` and the next one: the odd multiple of half a unit, exact as
    /// `(2 × significand + 1) × 2^(exponent - 1)`, printed through the exact text of its two halves' sum.
    private func exactMiddle(_ value: Double) -> String {
        // Scaled into a range where the middle has an 80-bit form.
        let middle = (Float80(value) + Float80(value.nextUp)) / 2
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1200) { room in
            let size = unsafe withVaList([middle]) { unsafe vsnprintf(room.baseAddress, 1200, "%.1150Le", $0) }
            return unsafe String(decoding: room[..<Int(size)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// A decimal a little below: the last digit that is not 0 one smaller, and nines behind it.
    private func below(_ text: String) -> String {
        var bytes = Array(text.utf8)
        let end = bytes.firstIndex(of: UInt8(ascii: "e")) ?? bytes.count
        guard let last = bytes[..<end].lastIndex(where: { (0x31...0x39).contains($0) }) else { return text }
        bytes[last] -= 1
        bytes.insert(contentsOf: [0x39, 0x39, 0x39], at: end)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The significant digits of a number's text.
    private func digits(_ text: String) -> String {
        let mantissa = text.prefix { $0 != "e" }.filter(\.isNumber)
        return String(mantissa.drop { $0 == "0" }.reversed().drop { $0 == "0" }.reversed())
    }
}
