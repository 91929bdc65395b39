import Glibc
import ModelFiles
import PluginTesting
import RoostBasics
import Testing

private func read(_ numbers: [String]) throws -> (doubles: [Double], floats: [Float]) {
    let json = "{\"a\": [\(numbers.joined(separator: ","))]}"
    var (doubles, floats): ([Double], [Float]) = ([], [])
    try readValue(json) { reader throws(DocumentError) in doubles = try reader.numbers() }
    try readValue(json) { reader throws(DocumentError) in floats = try reader.floats() }
    return (doubles, floats)
}

private func expectAsTheCLibraryReads(_ numbers: [String]) throws {
    let (doubles, floats) = try read(numbers)
    for (index, text) in numbers.enumerated() {
        let (double, float) = unsafe (strtod(text, nil), strtof(text, nil))
        #expect(doubles[index].bitPattern == double.bitPattern, "\(text)")
        #expect(floats[index].bitPattern == float.bitPattern, "\(text)")
    }
}

@Test func numbersAreReadAsTheCLibraryReadsThem() throws {
    var generator = SplitMix(state: 20)
    var numbers = [
        "0", "-0", "5E-1", "1e22", "1e23", "9007199254740993", "123456789012345678901234567890", "1e400", "-1e400",
        "1e-400",
        "1.17549435E-38", "1e-45", "7e-46", "3.4028236e38", "4.9e-324",
        "0.000000000000000000000000000000000000000000001",
        // Halfway between two floats, and just beside.
        "16777217", "16777217.0000000000001", "16777216.9999999999999", "1.000000059604644775390625",
        "1.0000000596046447753906250000000001", "8589973504", "8589973504.0000001",
    ]
    for _ in 0..<20_000 {
        let float = Float(bitPattern: UInt32.random(in: 0..<0x7F80_0000, using: &generator))
        numbers.append("\(float)")
        let digits = (0..<Int.random(in: 1...20, using: &generator)).map { _ in Int.random(in: 0...9, using: &generator)
        }
        let leading = digits.drop { $0 == 0 }.map(String.init).joined()
        numbers.append("\(leading.isEmpty ? "0" : leading)e\(Int.random(in: -50...40, using: &generator))")
    }
    try expectAsTheCLibraryReads(numbers)
}

@Test(arguments: [
    "", " ", "1", "-0", "0.5,1", "1 , 2\n,-3.25E-7", "1e5,NaN,Infinity,-Infinity", "[1],{\"a\":[2]},null,\"x\"",
])
func whatIsSkippedIsStillRead(elements: String) throws {
    try readValue("{\"a\":[\(elements)]}") { reader throws(DocumentError) in try reader.skip() }
}

@Test(arguments: ["01", "1.", ".5", "-", "1e", "1e+", "1.2.3", "1 2", "1,", "0x1", "--1", "+1", "1-", "NaN1"])
func aSkippedNumberThatIsNoneIsAnError(number: String) throws {
    #expect(throws: DocumentError.self) {
        try readValue("{\"a\":[\(number)]}") { reader throws(DocumentError) in try reader.skip() }
    }
}
