import RoostJSON
import Testing

@Suite struct JSONValueTests {
    @Test func readsEveryKindAndKeepsTheOrderOfKeys() throws {
        let value = try JSONValue(
            parsing:
                #"{"z": null, "a": [true, false, -7, 1.5, 1e3], "m": {"k": "é\u00e9\n\"😀"}, "big": 9223372036854775807}"#
        )
        let object = try #require(value.objectValue)
        #expect(object.keys == ["z", "a", "m", "big"])
        #expect(value["a"] == [true, false, -7, 1.5, 1000.0])
        #expect(value["m"]?["k"] == "éé\n\"😀")
        #expect(value["big"]?.intValue == .max)
        #expect(value["z"] == .some(.null))
    }

    @Test func whatIsWrittenReadsBackEqualAndInOrder() throws {
        let value: JSONValue = [
            "text": "quote \" back \\ tab \t bell \u{7} line\n é 😀", "empty": [], "none": [:],
            "numbers": [0, -1, 0.1, 1e300, .real(.leastNonzeroMagnitude), -0.0],
            "nested": ["b": [["a": nil]], "a": true],
        ]
        for text in [value.compact, value.pretty] {
            let again = try JSONValue(parsing: text)
            #expect(again == value)
            #expect(again.compact == value.compact)
        }
        #expect(!value.compact.contains("\n"))
        #expect((["a": [1, 2], "b": [:]] as JSONValue).pretty == "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}")
    }

    @Test func nonFiniteNumbersAreWrittenAsNull() {
        #expect(JSONValue.array([.real(.nan), .real(.infinity), .real(1)]).compact == "[null,null,1.0]")
    }

    @Test(arguments: [
        ("", 1), ("{", 1), ("{\"a\": 1,}", 1), ("{\"a\": 1,\n \"a\": 2}", 2), ("[NaN]", 1), ("[1e400]", 1), ("[01]", 1),
        ("[9223372036854775808]", 1), ("[\"\\u0000\"]", 1), ("[1] x", 1), ("{\n\n  \"a\" 1}", 3), ("[\"\u{1}\"]", 1),
    ])
    func refusesWithTheLine(_ text: String, _ line: Int) throws {
        let error = try #require(throws: JSONError.self) { try JSONValue(parsing: text, source: "x.json") }
        #expect(error.place.line == line)
        #expect(error.description.hasPrefix("x.json:\(line):"))
    }

    @Test func refusesBytesThatAreNotUTF8AndDepthWithoutEnd() {
        #expect(throws: JSONError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
        #expect(throws: JSONError.self) { try JSONValue(parsing: [UInt8](repeating: 0x5B, count: 100_000)) }
    }

    @Test func membersCanBeSetAndRemoved() {
        var object = JSONObject([("a", 1), ("b", 2), ("c", 3)])
        object["b"] = nil
        object["a"] = 9
        object["d"] = 4
        object["nothing"] = nil
        #expect(object.members.map(\.key) == ["a", "c", "d"])
        #expect(object["c"] == 3)
        #expect(object["a"] == 9)
        #expect(object == JSONObject([("d", 4), ("c", 3), ("a", 9)]))
    }
}
