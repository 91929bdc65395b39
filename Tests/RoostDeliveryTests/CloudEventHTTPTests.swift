import RoostBasics
import RoostDelivery
import RoostJSON
import Testing

@Suite struct CloudEventHTTPTests {
    static let required = [
        ("ce-specversion", "1.0"), ("Ce-Id", "a1"), ("CE-SOURCE", "/shop"), ("ce-type", "com.example.sold"),
    ]

    func read(_ headers: [(String, String)], _ body: String = "") throws -> CloudEventMessage {
        try CloudEventMessage(headers: headers.map { (name: $0.0, value: $0.1) }, body: Array(body.utf8))
    }

    @Test func binaryModeReadsHeadersAndBody() throws {
        let message = try read(
            Self.required + [("Content-Type", "application/json; charset=utf-8"), ("ce-priority", "5"), ("Host", "x")],
            "{\"a\": 1.0}")
        let event = message.events[0]
        #expect(message.mode == .binary && message.events.count == 1)
        #expect(event.id == "a1" && event.source == "/shop" && event.extensions == ["priority": .string("5")])
        #expect(event.dataContentType == "application/json; charset=utf-8")
        #expect(event.data == .json(Array("{\"a\": 1.0}".utf8)))
        let csv = try read(Self.required + [("content-type", "text/csv")], "1,2").events[0]
        #expect(csv.data == .binary(Array("1,2".utf8)))
        #expect(try read(Self.required).events[0].data == nil)
    }

    /// The examples of the binding, and what older versions wrote.
    @Test(arguments: [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"), ("%e2%82%ac", "€"), ("100%", "100%"), ("50%-60%", "50%-60%"),
        ("\"Euro \\\"x\\\" \\\\ 1\"", "Euro \"x\" \\ 1"), ("%2541", "%41"), ("a\"b", "a\"b"), ("€", "€"), ("%22", "\""),
    ])
    func headersArePercentDecodedOnce(_ header: String, _ text: String) throws {
        let event = try read(Self.required + [("ce-subject", header)]).events[0]
        #expect(event.subject == text)
        let again = try CloudEventMessage(headers: event.binary.headers, body: []).events[0]
        #expect(again == event)
        let written = try #require(event.binary.headers.first { $0.name == "ce-subject" }?.value)
        #expect(written.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\"") })
    }

    @Test(arguments: [
        ([("ce-id", "2")], "\"id\": is there twice"), ([("ce-subject", "%FF")], "\"subject\": is not UTF-8"),
        ([("ce-da_ta", "2")], "\"da_ta\": names are"), ([("ce-data", "2")], "\"data\": names are"),
        ([("ce-datacontenttype", "text/csv")], "\"datacontenttype\": stands in Content-Type"),
        ([("ce-time", "yesterday")], "\"time\": \"yesterday\" is no RFC 3339 time"),
        ([("content-type", "application/json")], "the data of CloudEvent a1 is not JSON"),
        ([("content-type", "application/vnd.x+json")], "is not JSON"),
        ([("content-type", "nonsense")], "\"datacontenttype\": \"nonsense\" is no media type"),
    ])
    func errorsOfBinaryModeNameTheAttribute(_ headers: [(String, String)], _ words: String) throws {
        let error = try #require(throws: RoostError.self) { try read(Self.required + headers, "{") }
        #expect(error.message.contains(words), "\(error.message)")
    }

    @Test func structuredAndBatchModesAreRead() throws {
        let text = "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"s\",\"type\":\"t\",\"data\":[1.0]}"
        let one = try read([("content-type", "application/cloudevents+json; charset=UTF-8")], text)
        #expect(one.mode == .structured && one.events[0].data == .json(Array("[1.0]".utf8)))
        let batch = try read([("Content-Type", "application/cloudevents-batch+json")], "[\(text) , \(text)]")
        #expect(batch.mode == .batch && batch.events == [one.events[0], one.events[0]])
        #expect(try read([("Content-Type", "application/cloudevents-batch+json")], " [ ] ").events.isEmpty)
        let written = try read(
            [("content-type", CloudEvent.batchType)],
            String(decoding: CloudEvent.json(batch: batch.events), as: UTF8.self))
        #expect(written == batch)
    }

    @Test(arguments: [
        ("application/cloudevents+xml", "", RoostError.Code.unsupported, "application/cloudevents+xml is not read"),
        ("application/cloudevents+json; charset=latin1", "", .unsupported, "charset latin1"),
        ("application/json", "{}", .invalidArgument, "there are no ce- headers"),
        ("application/cloudevents-batch+json", "{}", .invalidArgument, "a batch is a JSON array"),
        ("application/cloudevents-batch+json", "[{}]", .invalidArgument, "event 1 of the batch: CloudEvent attribute"),
        ("application/cloudevents-batch+json", "[1]", .invalidArgument, "event 1 of the batch: no CloudEvent"),
        ("application/cloudevents-batch+json", "[{}", .invalidArgument, "a batch is a JSON array"),
    ])
    func whatIsNoEventIsRefused(_ type: String, _ body: String, _ code: RoostError.Code, _ words: String) throws {
        let error = try #require(throws: RoostError.self) { try read([("content-type", type)], body) }
        #expect(error.code == code && error.message.contains(words), "\(error.message)")
    }

    @Test func aBatchHasALimit() throws {
        let body = Array(("[" + Array(repeating: "{}", count: 5).joined(separator: ",") + "]").utf8)
        let headers = [(name: "content-type", value: CloudEvent.batchType)]
        let error = try #require(throws: RoostError.self) {
            try CloudEventMessage(headers: headers, body: body, eventsMax: 4)
        }
        #expect(error.code == .tooLarge && error.message == "the batch has 5 events, the most is 4")
    }

    /// Attributes of any letters come back through each mode.
    @Test func eventsSurviveEachMode() throws {
        var dice = SplitMix(state: 77)
        let letters = Array("aZ09 \"\\%é€😀~{}/:?#'")
        for _ in 0..<500 {
            var event = CloudEvent(id: "i", source: "urn:x:1", type: "t")
            func text() -> String {
                String(
                    (0..<Int.random(in: 1...12, using: &dice)).map { _ in letters.randomElement(using: &dice) ?? "a" })
            }
            (event.id, event.type, event.subject) = ("i\(text())", text(), text())
            event.extensions = ["one": .string("x\(text())"), "two": .string(text())]
            event.data = .json(Array("{\"a\":  1.000}".utf8))
            event.dataContentType = "application/json"
            #expect(try CloudEvent(json: event.json) == event)
            #expect(try CloudEventMessage(headers: event.binary.headers, body: event.binary.body).events == [event])
        }
    }
}

@Suite struct EventFilterTests {
    func filter(_ text: String) throws -> EventFilter {
        try EventFilter(JSONDocument(parsing: text, source: "f").root)
    }

    @Test(arguments: [
        ("{}", true), ("{\"type\": \"com.example.sold\"}", true), ("{\"type\": \"com.example.Sold\"}", false),
        ("{\"type\": \"com.example\"}", false), ("{\"prefix\": {\"type\": \"com.example.\"}}", true),
        ("{\"suffix\": {\"type\": \".sold\"}}", true), ("{\"suffix\": {\"type\": \".bought\"}}", false),
        ("{\"exact\": {\"type\": \"com.example.sold\", \"source\": \"/shop\"}}", true),
        ("{\"exact\": {\"type\": \"com.example.sold\", \"source\": \"/other\"}}", false),
        (
            "{\"type\": \"com.example.sold\", \"prefix\": {\"source\": \"/sh\"}, \"suffix\": {\"subject\": \"se\"}}",
            true
        ),
        ("{\"priority\": \"5\"}", true), ("{\"priority\": \"50\"}", false), ("{\"urgent\": \"true\"}", true),
        ("{\"prefix\": {\"missing\": \"x\"}}", false), ("{\"subject\": \"k\u{61}\u{308}se\"}", false),
        ("{\"specversion\": \"1.0\"}", true),
    ])
    func everyConditionMustHold(_ text: String, _ isTaken: Bool) throws {
        let event = try CloudEventTests.event("\"subject\": \"käse\", \"priority\": 5, \"urgent\": true")
        #expect(try filter(text).matches(event) == isTaken)
    }

    @Test(arguments: [
        ("[]", "must be an object"), ("{\"type\": 5}", "f:1:10: type must be a string"),
        ("{\"prefix\": \"x\"}", "prefix must be an object"),
        ("{\"prefix\": {\"type\": \"\"}}", "prefix.type must not be empty"),
        ("{\"Type\": \"x\"}", "f:1:2: Type: attributes of events have names"),
        ("{\"suffix\": {\"data\": \"x\"}}", "suffix.data"),
    ])
    func whatIsNoFilterIsRefused(_ text: String, _ words: String) throws {
        let error = try #require(throws: JSONError.self) { try filter(text) }
        #expect(error.description.contains(words), "\(error)")
    }
}
