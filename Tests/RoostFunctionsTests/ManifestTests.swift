import Foundation
import RoostBasics
import RoostEvaluation
import RoostFunctions
import RoostJSON
import Testing

@Suite struct ManifestTests {
    func read(_ text: String) throws -> Manifest {
        try Manifest(JSONDocument(parsing: text, source: "functions/credit.json"))
    }

    static func gate(data: String = "x.csv", metric: String = "auc", rest: String = ", \"min\": 0.9") -> String {
        "{\"gate\": {\"data\": \"\(data)\", \"label\": \"y\", \"metric\": \"\(metric)\"\(rest)}}"
    }

    func failure(_ text: String) throws -> String {
        try #require(throws: JSONError.self) { try read(text) }.description
    }

    @Test func anEmptyManifestIsTheDefault() throws {
        let manifest = try read("{}")
        #expect(manifest == Manifest())
        #expect(manifest.timeout == .seconds(30) && manifest.scale.min == 0 && manifest.scale.queue == 1024)
        #expect(manifest.batch.maxSize == 64 && manifest.limits.openFiles == 64 && !manifest.limits.network)
        #expect(manifest.rollbackWindow == .seconds(600) && manifest.retry && manifest.traffic == nil)
    }

    @Test func everyKeyIsRead() throws {
        let manifest = try read(
            """
            {"$schema": "x", "description": "d", "owner": "o", "labels": {"team": "risk"}, "timeout": "250ms",
             "retry": false, "limits": {"memory": "1GiB", "model": "2GiB", "open_files": 128, "network": true},
             "batch": {"max_size": 8, "max_delay": "5ms"}, "scale": {"min": 1, "max": 4, "concurrency": 3, "idle": "5s", "queue": 10},
             "rollback_window": "0ms", "warm": true, "weight": 5, "threshold": 0.25, "jobs": {"share": 50},
             "gate": {"data": "sets/holdout.csv", "label": "y", "metric": "auc", "min": 0.95, "max_drop": 0.01}, "traffic": {"2": 90, "3.1": 10}}
            """)
        #expect(manifest.labels == ["team": "risk"] && manifest.description == "d" && manifest.owner == "o")
        #expect(manifest.timeout == .milliseconds(250) && !manifest.retry)
        #expect(manifest.limits.memory == ByteCount("1GiB") && manifest.limits.model == ByteCount("2GiB"))
        #expect(manifest.limits.openFiles == 128 && manifest.limits.network)
        #expect(manifest.batch.maxSize == 8 && manifest.scale.min == 1 && manifest.scale.max == 4)
        #expect(manifest.scale.concurrency == 3 && manifest.scale.idle == .seconds(5))
        #expect(manifest.scale.queue == 10 && manifest.rollbackWindow == .zero)
        #expect(manifest.traffic?.description == "2=90 3.1=10")
        #expect(manifest.jobsShare == 50)
        #expect(manifest.threshold == 0.25 && manifest.gate?.data == "sets/holdout.csv" && manifest.gate?.label == "y")
        #expect(manifest.gate?.bound == Gate(.auc, .atLeast, 0.95) && manifest.gate?.maxDrop == 0.01)
    }

    @Test func whatIsRecordedCanBeSet() throws {
        #expect(try read("{}").feedback == Manifest.Feedback() && read("{}").replay == nil)
        #expect(try read("{\"feedback\": false}").feedback == nil)
        #expect(try read("{\"feedback\": true, \"replay\": false}").feedback == Manifest.Feedback())
        let manifest = try read(
            """
            {"feedback": {"rate": 5, "keep": "7d", "max_size": "1GiB"}, "replay": {"size": "64MiB", "rate": 3},
             "private": ["ssn", "name"]}
            """)
        #expect(manifest.feedback?.rate == 5 && manifest.feedback?.keep == .seconds(7 * 86_400))
        #expect(manifest.feedback?.maxSize == ByteCount("1GiB"))
        #expect(manifest.replay?.size == ByteCount("64MiB") && manifest.replay?.rate == 3)
        #expect(manifest.privateFields == ["ssn", "name"])
        #expect(try read("{\"replay\": {\"size\": \"1MiB\"}}").replay?.rate == 10)
    }

    @Test(arguments: [
        ("{\n  \"tiemout\": \"30s\"\n}", "functions/credit.json:2:3: unknown key \"tiemout\""),
        ("{\"scale\": {\"idle\": 60}}", "scale.idle must be a string, got an integer"),
        ("{\"scale\": {\"concurrency\": 0}}", "scale.concurrency must be 1 to 10000"),
        ("{\"sinks\": []}", "\"sinks\" is not supported by this build"),
        (
            "{\"sticky\": \"X-User\"}",
            "sticky: expected \"header:NAME\", \"cookie:NAME\" or \"query:NAME\", got \"X-User\""
        ),
        ("{\"feedback\": {\"rate\": 0}}", "feedback.rate must be 1 to 100000, got 0"),
        ("{\"feedback\": \"no\"}", "feedback must be an object, got a string"),
        ("{\"feedback\": {\"keep\": \"1s\"}}", "feedback.keep must be 1m to"),
        ("{\"replay\": {\"rate\": 5}}", "replay needs \"size\""),
        ("{\"replay\": true}", "replay must be an object, got a boolean"),
        ("{\"private\": \"ssn\"}", "private must be an array, got a string"),
        ("{\"private\": [\"ssn\", \"ssn\"]}", "1:21: \"ssn\" is listed twice"),
        ("{\"private\": [\"\"]}", "private[0] must be the name of a column or input"),
        (
            "{\"timeout\": \"1s\", \"batch\": {\"max_delay\": \"1s\"}}",
            "1:42: batch.max_delay is 1s; it must be less than timeout, which is 1s"
        ),
        ("{\"timeout\": 30}", "1:13: timeout must be a string, got an integer"),
        ("{\"timeout\": \"30\"}", "timeout must be a duration like"),
        ("{\"timeout\": \"0ms\"}", "timeout must be 1ms to 24h"),
        ("{\"limits\": {\"memory\": \"1KiB\"}}", "limits.memory must be 1MiB to"),
        ("{\"limits\": {\"memory\": \"lots\"}}", "limits.memory must be a size like"),
        ("{\"limits\": {\"open_files\": 1}}", "limits.open_files must be 16 to 65536, got 1"),
        ("{\"limits\": {\"cores\": 1}}", "unknown key \"limits.cores\""),
        ("{\"limits\": []}", "limits must be an object, got an array"),
        ("{\"threshold\": 50}", "threshold must be 0 to 1, got 50.0"),
        ("{\"gate\": true}", "gate must be an object"), ("{\"gate\": {}}", "gate.data is missing"),
        (ManifestTests.gate(data: "/etc/passwd"), "gate.data must be a file below functions/NAME/ or data/"),
        (ManifestTests.gate(data: "../x.csv"), "gate.data must be a file below"),
        (ManifestTests.gate(data: "a/../../x"), "gate.data must be a file"),
        (ManifestTests.gate(data: "a//b"), "gate.data must be a file below"),
        (ManifestTests.gate(data: ""), "gate.data must be a file below"),
        (ManifestTests.gate(metric: "gini"), "gate.metric: unknown metric; known are accuracy, "),
        (ManifestTests.gate(rest: ""), "gate asks for nothing: give min, max or max_drop"),
        (ManifestTests.gate(rest: ", \"max\": 1"), "gate.max: auc is better when it is higher: give min"),
        (ManifestTests.gate(metric: "rmse"), "gate.min: rmse is better when it is lower: give max"),
        (ManifestTests.gate(rest: ", \"max_drop\": -0.1"), "gate.max_drop must not be negative"),
        (ManifestTests.gate(metric: "ndcg"), "gate.group is missing"),
        (ManifestTests.gate(rest: ", \"minimum\": 1"), "unknown key \"gate.minimum\""),
        ("{\"retry\": \"no\"}", "retry must be true or false, got a string"),
        ("{\"scale\": {\"min\": 5, \"max\": 2}}", "1:19: scale.min is 5, more than scale.max, which is 2"),
        ("{\"scale\": {\"max\": 0}}", "scale.max must be 1 to 10000"),
        ("{\"traffic\": {\"2\": 90}}", "traffic: shares must sum to 100, got 90"),
        ("{\"traffic\": {\"v2\": 100}}", "1:14: \"v2\" is no version number"),
        ("{\"traffic\": {\"2\": 100, \"02\": 0}}", "\"02\" is no version number"),
        ("{\"labels\": {\"team\": 1}}", "labels.team must be a string"),
        ("{\"retry\": true, \"retry\": false}", "functions/credit.json:1:"), ("[]", "the document must be an object"),
        ("{", "not valid JSON"),
    ])
    func errorsSayWhereAndWhat(_ text: String, _ words: String) throws {
        let message = try failure(text)
        #expect(message.contains(words), "\(message)")
    }

    @Test func schemaAndCodeAgreeOnTheKeys() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/manifest.schema.json")
        let schema = try JSONValue(parsing: [UInt8](try Data(contentsOf: path)), source: "manifest.schema.json")
        for (object, keys) in Manifest.keysByObject {
            let part = object.isEmpty ? schema : schema["properties"]?[object]
            #expect(part?["properties"]?.objectValue?.keys.sorted() == keys.sorted(), "\(object)")
            #expect(part?["additionalProperties"] == false)
        }
        let defaults = Manifest()
        #expect(schema["properties"]?["timeout"]?["default"] == .string(defaults.timeout.description))
        #expect(schema["properties"]?["rollback_window"]?["default"] == .string(defaults.rollbackWindow.description))
        let scale = schema["properties"]?["scale"]?["properties"]
        #expect(scale?["idle"]?["default"]?.stringValue.flatMap { Instant.Span($0) } == defaults.scale.idle)
        #expect(schema["properties"]?["retry"]?["default"] == .bool(defaults.retry))
        for (object, key, value) in [
            ("limits", "open_files", defaults.limits.openFiles), ("batch", "max_size", defaults.batch.maxSize),
            ("scale", "min", defaults.scale.min), ("scale", "concurrency", defaults.scale.concurrency),
            ("scale", "queue", defaults.scale.queue),
        ] {
            #expect(schema["properties"]?[object]?["properties"]?[key]?["default"] == .integer(value))
        }
    }

    @Test func aGateJudgesAgainstItsBoundAndTheServingVersion() throws {
        let gate = try #require(
            try read(Self.gate(rest: ", \"min\": 0.95, \"max_drop\": 0.01")).gate)
        #expect(gate.objection(to: 0.95, serving: nil) == nil)
        #expect(gate.objection(to: 0.941, serving: nil) == "auc 0.941 < 0.95")
        #expect(gate.objection(to: 0.96, serving: ("credit@2", 0.965)) == nil)
        #expect(
            gate.objection(to: 0.96, serving: ("credit@2", 0.98))
                == "auc 0.96 is worse than credit@2's 0.98 by 0.02, more than max_drop, which is 0.01")
        let loss = try #require(try read(Self.gate(metric: "rmse", rest: ", \"max_drop\": 0.5")).gate)
        #expect(loss.objection(to: 99, serving: nil) == nil)
        #expect(loss.objection(to: 3, serving: ("a@1", 4)) == nil)
        #expect(loss.objection(to: 4, serving: ("a@1", 3))?.hasPrefix("rmse 4 is worse than a@1's 3 by 1,") == true)
    }
}
