import RoostBasics
import RoostDelivery
import RoostJSON
import Testing

@Suite struct CloudEventTests {
    static func event(_ members: String) throws -> CloudEvent {
        let required = "\"specversion\": \"1.0\", \"id\": \"a1\", \"source\": \"/shop\", \"type\": \"com.example.sold\""
        return try CloudEvent(json: Array("{\(required)\(members.isEmpty ? "" : ", \(members)")}".utf8))
    }

    @Test func everyAttributeIsRead() throws {
        let event = try Self.event(
            """
            "subject": "käse", "time": "2026-01-31T03:00:00.5+01:00", "datacontenttype": "application/json",
            "dataschema": "https://example.com/s", "priority": 5, "urgent": true, "region": "\\u0065u", "note": null,
            "data": {"rows": [[1.10, 12345678901234567890, 1e5]], "b": "\\u00e4"}
            """)
        #expect(event.id == "a1" && event.source == "/shop" && event.type == "com.example.sold")
        #expect(event.subject == "käse" && event.time == "2026-01-31T03:00:00.5+01:00")
        #expect(event.dataContentType == "application/json" && event.dataSchema == "https://example.com/s")
        #expect(event.extensions == ["priority": .integer(5), "urgent": .boolean(true), "region": .string("eu")])
        #expect(event["priority"] == "5" && event["urgent"] == "true" && event["note"] == nil)
        #expect(event["specversion"] == "1.0" && event["datacontenttype"] == "application/json")
    }

    /// Digits, spaces and escapes of the data stay what they were.
    @Test(arguments: [
        "{\"rows\": [[1.10, 12345678901234567890, 1e5, -0.0]], \"b\": \"\\u00e4\"}", "[ 1 , 2 ]", "\"text\"", "1.50",
        "true", "{}", "[]", "[[[]], {\"a\": {}}]", "1E400",
    ])
    func dataIsPassedOnByteForByte(_ data: String) throws {
        let event = try Self.event("\"data\": \(data) ")
        #expect(event.data == .json(Array(data.utf8)))
        #expect(try CloudEvent(json: event.json) == event)
        let binary = event.binary
        #expect(
            binary.body == Array(data.utf8) && binary.headers.contains { $0 == ("content-type", "application/json") })
        let again = try CloudEventMessage(headers: binary.headers, body: binary.body)
        #expect(again.mode == .binary && again.events[0].data == event.data)
    }

    @Test func dataThatIsNoJSONKeepsItsForm() throws {
        let text = try Self.event("\"datacontenttype\": \"text/csv\", \"data\": \"a,b\\n1,2\\n\"")
        #expect(text.data == .text(Array("a,b\n1,2\n".utf8)) && text.data?.bytes.count == 8)
        let binary = try Self.event("\"datacontenttype\": \"image/png\", \"data_base64\": \"AP8QIA==\"")
        #expect(binary.data == .binary([0, 255, 16, 32]))
        let jsonAsBytes = try Self.event("\"data_base64\": \"e30=\"")
        #expect(jsonAsBytes.data == .binary(Array("{}".utf8)))
        let nothing = try Self.event("\"data\": null")
        #expect(nothing.data == nil)
        for event in [text, binary, jsonAsBytes, nothing] {
            #expect(try CloudEvent(json: event.json) == event)
            #expect(try JSONValue(parsing: event.json)["id"] == "a1")
        }
    }

    @Test(arguments: [
        ("\"subject\": \"\"", "\"subject\": must not be empty"), ("\"subject\": 5", "\"subject\": must be a string"),
        ("\"time\": \"2026-02-30T00:00:00Z\"", "\"time\": \"2026-02-30T00:00:00Z\" is no RFC 3339 time"),
        ("\"time\": \"2026-01-01 00:00:00Z\"", "\"time\""), ("\"time\": \"2026-01-01T00:00:00\"", "\"time\""),
        ("\"time\": \"2026-01-01T00:00:00.Z\"", "\"time\""), ("\"time\": \"2026-01-01T00:00:00+0100\"", "\"time\""),
        ("\"time\": \"2026-01-01T24:00:00Z\"", "\"time\""), ("\"time\": \"2026\"", "\"time\""),
        ("\"dataschema\": \"/relative\"", "\"dataschema\": \"/relative\" is no URI with a scheme"),
        ("\"datacontenttype\": \"json\"", "\"datacontenttype\": \"json\" is no media type"),
        ("\"Priority\": 1", "\"Priority\": names are lower-case letters and digits"),
        ("\"pri_ority\": 1", "\"pri_ority\": names are"), ("\"x\": 1.5", "\"x\": must be a string, an integer"),
        ("\"x\": 4294967296", "\"x\": must be a string, an integer of 32 bits"), ("\"x\": {}", "\"x\": must be"),
        ("\"x\": []", "\"x\": must be"), ("\"x\": \"\\u0007\"", "\"x\": has a control character"),
        ("\"x\": 1, \"x\": 2", "\"x\": is there twice"), ("\"id\": \"again\"", "\"id\": is there twice"),
        ("\"data\": 1, \"data_base64\": \"e30=\"", "data or data_base64, not both"),
        ("\"data_base64\": \"e30\"", "data_base64 is not Base64"), ("\"data\": tru", "it is no JSON object"),
        ("\"data\": [1,]", "it is no JSON object"), ("\"data\": {\"a\" 1}", "no JSON"), ("\"data\": 01", "no JSON"),
        ("\"data\": \"\\x\"", "no JSON"), ("\"data\": [}", "no JSON"), ("\"data\": 1.", "no JSON"),
        ("\"data\": -", "no JSON"), ("\"data\": \"a\u{1}\"", "no JSON"), ("\"data\": {1: 2}", "no JSON"),
    ])
    func errorsNameTheAttribute(_ members: String, _ words: String) throws {
        let error = try #require(throws: RoostError.self) { try Self.event(members) }
        #expect(error.message.contains(words) && error.code == .invalidArgument, "\(error.message)")
    }

    @Test(arguments: [
        ("{\"specversion\": \"1.0\", \"id\": \"1\", \"source\": \"a\"}", "\"type\": is missing"),
        ("{\"id\": \"1\", \"source\": \"a\", \"type\": \"t\"}", "\"specversion\": is missing"),
        ("{\"specversion\": \"0.3\", \"id\": \"1\"}", "\"0.3\" is not spoken here: 1.0 is"),
        ("{\"specversion\": \"1.0\", \"id\": \"\"}", "\"id\": must not be empty"),
        ("{\"specversion\": \"1.0\", \"id\": null, \"source\": \"a\", \"type\": \"t\"}", "\"id\": is missing"),
        ("{\"specversion\": \"1.0\", \"source\": \"a b\"}", "\"source\": \"a b\" is no URI reference"),
        ("{\"specversion\": \"1.0\", \"source\": \"%zz\"}", "\"source\": \"%zz\" is no URI"),
        ("[]", "no JSON object"), ("", "no JSON object"), ("{} {}", "no JSON object"), ("{", "no JSON object"),
    ])
    func whatEveryEventHasMustBeThere(_ text: String, _ words: String) throws {
        let error = try #require(throws: RoostError.self) { try CloudEvent(json: Array(text.utf8)) }
        #expect(error.message.contains(words), "\(error.message)")
    }

    @Test func whatIsNoUTF8IsRefused() throws {
        let error = try #require(throws: RoostError.self) { try CloudEvent(json: [0x7B, 0xFF, 0x7D]) }
        #expect(error.message == "no CloudEvent: it is not UTF-8")
    }

    /// A hundred thousand brackets, and text cut or changed anywhere: an answer, never a trap.
    @Test func damagedTextDoesNoHarm() throws {
        let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        #expect(try Self.event("\"data\": \(deep)").data?.bytes.count == 200_000)
        let text = try Self.event("\"x\": \"\\u00e4\\\\\", \"data\": [1.5e-3, {\"a\": [null, true]}, \"\\\"\"]").json
        for count in 0..<text.count { #expect(throws: RoostError.self) { try CloudEvent(json: Array(text[..<count])) } }
        var dice = SplitMix(state: 6)
        for _ in 0..<20_000 {
            var damaged = text
            damaged[Int.random(in: 0..<text.count, using: &dice)] = .random(in: 0x20...0x7F, using: &dice)
            // What is read as JSON here is JSON for the library too, but for its limits on numbers and surrogates.
            guard let event = try? CloudEvent(json: damaged), case .json(let data) = event.data,
                !data.contains(where: { "eEu".utf8.contains($0) })
            else { continue }
            #expect(throws: Never.self) { try JSONValue(parsing: data) }
        }
    }

    @Test func sourceAndIdAreTheKey() throws {
        var one = CloudEvent(id: "c", source: "a\",\"b", type: "t"),
            other = CloudEvent(id: "b\",\"c", source: "a", type: "t")
        #expect(one.key != other.key)
        (one.source, one.id, other.source, other.id) = ("x", "y", "x", "y")
        other.type = "u"
        #expect(one.key == other.key && one.key == "[\"x\",\"y\"]")
    }

    @Test func base64IsReadAndWritten() throws {
        var dice = SplitMix(state: 8)
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            var event = CloudEvent(id: "1", source: "s", type: "t")
            event.data = .binary(Array(bytes.utf8))
            #expect(try JSONValue(parsing: event.json)["data_base64"]?.stringValue == text)
        }
        for count in 0..<70 {
            var event = CloudEvent(id: "1", source: "s", type: "t")
            event.data = .binary((0..<count).map { _ in .random(in: 0...255, using: &dice) })
            #expect(try CloudEvent(json: event.json) == event)
        }
        for text in ["Zg=", "Zg", "Z===", "Zh==", "Zm9=", "Zm 9v", "Zm9v=", "====", "Zg==Zg=="] {
            #expect(throws: RoostError.self, "\(text)") { try Self.event("\"data_base64\": \"\(text)\"") }
        }
    }
}
