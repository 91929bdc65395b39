import RoostJSON
import Testing

@Suite struct JSONDocumentTests {
    /// Lines and columns below are counted in this text.
    static let text = """
        {
          "timeout": "30s",
          "limits": {"mémory": "1GiB", "näme": [1, [2, "x,]}\\"", 3], {"deep": true}]},
          "last": -12
        }
        """

    func root() throws -> JSONCursor {
        try JSONDocument(parsing: Self.text, source: "functions/credit.json").root
    }

    @Test func unknownKeyIsReportedAtTheKey() throws {
        let root = try root()
        let error = try #require(throws: JSONError.self) { try root.object(known: ["timeout", "last"]) }
        #expect(error.place == JSONPlace(line: 3, column: 3))
        #expect(
            error.description
                == #"functions/credit.json:3:3: unknown key "limits" (known: last, timeout)"#)
    }

    @Test func nestedUnknownKeySaysItsPath() throws {
        let limits = try #require(try root()["limits"])
        let error = try #require(throws: JSONError.self) { try limits.object(known: ["mémory"]) }
        #expect(error.place == JSONPlace(line: 3, column: 32))
        #expect(error.message.contains("\"limits.näme\""))
    }

    @Test func wrongTypeIsReportedAtTheValue() throws {
        let root = try root()
        let number = try #require(throws: JSONError.self) { try root["timeout"]?.number() }
        #expect(number.description == "functions/credit.json:2:14: timeout must be a number, got a string")
        let range = try #require(throws: JSONError.self) { try root["last"]?.integer(in: 0...9) }
        #expect(range.description == "functions/credit.json:4:11: last must be 0 to 9, got -12")
        let elements = try #require(try root["limits"]?["näme"]?.elements())
        let deep = try #require(throws: JSONError.self) { try elements[2]["deep"]?.string() }
        #expect(deep.place == JSONPlace(line: 3, column: 71))
        #expect(deep.message == "limits.näme[2].deep must be a string, got a boolean")
        let inner = try #require(throws: JSONError.self) { try elements[1].elements()[2].bool() }
        #expect(inner.place == JSONPlace(line: 3, column: 58))
    }

    @Test func whatFitsIsRead() throws {
        let root = try root()
        #expect(try root["timeout"]?.string() == "30s")
        #expect(try root["last"]?.integer(in: -20...20) == -12)
        #expect(try root["last"]?.number() == -12)
        #expect(try root["limits"]?["näme"]?.elements()[2]["deep"]?.bool() == true)
        #expect(root["absent"]?.value == nil)
        #expect(root.path == "")
    }

    @Test func aDocumentThatIsNoObjectSaysSo() throws {
        let root = try JSONDocument(parsing: "  [1]", source: "").root
        let error = try #require(throws: JSONError.self) { try root.members() }
        #expect(error.description == "line 1, column 3: the document must be an object, got an array")
    }
}
