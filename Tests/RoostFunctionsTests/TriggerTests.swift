import Foundation
import RoostBasics
import RoostDelivery
import RoostFunctions
import RoostJSON
import RoostTraffic
import Testing

@Suite struct TriggerTests {
    func read(_ triggers: String, rest: String = "") throws -> [TriggerSpec] {
        try Manifest(JSONDocument(parsing: "{\(rest)\"triggers\": [\(triggers)]}", source: "f.json")).triggers
    }

    @Test func aFileTriggerHasItsDefaults() throws {
        let spec = try read("{\"type\": \"file\", \"watch\": \"inbox/*.csv\"}")[0]
        guard case .file(let file) = spec.kind else { return #expect(Bool(false), "\(spec)") }
        #expect(spec.name == "file-1" && spec.retry == RetryPolicy() && spec.retry.timeout == nil)
        #expect(file.watch.folder.text == "inbox" && file.watch.name == "*.csv" && file.output.text == "outbox")
        #expect(file.after == .move(done: try DataPath("done"), failed: try DataPath("failed/")))
        #expect(file.job == JobOptions())
    }

    @Test func everyKeyOfAFileTriggerIsRead() throws {
        let spec = try read(
            """
            {"type": "file", "name": "drop", "watch": "a/b/x?.jsonl", "output": "out/", "after": "move", "done": "ok",
             "failed": "bad", "retry": {"attempts": 2, "backoff": "10ms", "max_backoff": "1s"}, "timeout": "1h",
             "format": "jsonl", "output_format": "csv", "delimiter": ";", "header": true, "id": "customer",
             "columns": ["a", "b"], "probabilities": true, "max_errors": "0.5%"}
            """)[0]
        guard case .file(let file) = spec.kind else { return #expect(Bool(false), "\(spec)") }
        #expect(spec.name == "drop" && spec.retry.attempts == 2 && spec.retry.timeout == .seconds(3600))
        #expect(spec.retry.backoff == .milliseconds(10) && spec.retry.maxBackoff == .seconds(1))
        #expect(file.after == .move(done: try DataPath("ok"), failed: try DataPath("bad")))
        #expect(file.job.format == .jsonl && file.job.outputFormat == .csv && file.job.delimiter == 0x3B)
        #expect(file.job.ids == ["customer"] && file.job.columns == .named(["a", "b"]) && file.job.header == true)
        #expect(file.job.maxErrors == .percent(0.5) && file.job.probabilities && file.output.text == "out")
        let others = try read(
            """
            {"type": "file", "watch": "in/", "after": "leave", "columns": "none", "max_errors": 7},
            {"type": "file", "watch": "*"}
            """)
        guard case .file(let left) = others[0].kind else { return #expect(Bool(false)) }
        #expect(left.after == .leave && left.job.columns == JobOptions.Columns.none && left.job.maxErrors == .rows(7))
        #expect(left.watch.name == "*" && others.map(\.name) == ["file-1", "file-2"])
    }

    @Test func aScheduleIsRead() throws {
        let required =
            "\"type\": \"schedule\", \"cron\": \"0 3 * * *\", \"input\": \"in.csv\", \"output\": \"o/{date}.csv\""
        let specs = try read(
            "{\(required)}, {\(required), \"timezone\": \"Europe/Berlin\", \"missed\": \"once\", \"force\": true}")
        guard case .schedule(let first) = specs[0].kind, case .schedule(let second) = specs[1].kind else {
            return #expect(Bool(false), "\(specs)")
        }
        #expect(first.cron.text == "0 3 * * *" && first.timeZone == .utc && first.missed == .skip)
        #expect(first.input.text == "in.csv" && first.output.path(due: 1_769_828_400, in: .utc) == "o/2026-01-31.csv")
        #expect(second.timeZone.text == "Europe/Berlin" && second.missed == .once && specs[1].name == "schedule-2")
        #expect(!first.force && second.force)
    }

    @Test func eventsAndQueuesAreRead() throws {
        let specs = try read(
            """
            {"type": "event"}, {"type": "queue", "concurrency": 2, "capacity": 5, "keep": "7d"},
            {"type": "event", "filter": {"type": "t", "prefix": {"source": "/s"}}, "input": {"file": "path"},
             "output": "scored", "sink": "http://127.0.0.1:9000/in", "emit": "x.y", "columns": "none"}
            """, rest: "\"timeout\": \"5s\", ")
        guard case .event(let plain) = specs[0].kind, case .queue(let queue) = specs[1].kind,
            case .event(let file) = specs[2].kind
        else { return #expect(Bool(false), "\(specs)") }
        #expect(plain.filter.conditions.isEmpty && plain.input == .data && plain.reply && plain.sink == nil)
        #expect(plain.emit == "roost.prediction" && plain.keep == .seconds(86_400))
        #expect(plain.limits == .init(concurrency: 16, capacity: 10_000) && specs[0].retry.timeout == .seconds(5))
        #expect(queue.limits == .init(concurrency: 2, capacity: 5) && queue.keep == .seconds(7 * 86_400))
        #expect(specs[1].retry.timeout == .seconds(5) && specs[2].retry.timeout == nil)
        var options = JobOptions()
        options.columns = JobOptions.Columns.none
        #expect(file.input == .file(member: "path", output: try DataPath("scored"), options))
        #expect(!file.reply && file.sink?.port == 9000 && file.emit == "x.y" && file.filter.conditions.count == 2)
    }

    @Test(arguments: [
        ("{\"type\": \"mail\"}", "f.json:1:24: triggers[0].type must be one of \"file\", \"schedule\", \"event\""),
        ("{}", "triggers[0].type is missing"), ("5", "triggers[0] must be an object"),
        ("{\"type\": \"file\"}", "triggers[0].watch is missing"),
        ("{\"type\": \"file\", \"wacht\": \"x\"}", "f.json:1:32: unknown key \"triggers[0].wacht\" (known: after"),
        ("{\"type\": \"queue\", \"watch\": \"x\"}", "unknown key \"triggers[0].watch\""),
        ("{\"type\": \"file\", \"watch\": \"/etc/*\"}", "triggers[0].watch: \"/etc/*\" is absolute"),
        ("{\"type\": \"file\", \"watch\": \"../x/*\"}", "triggers[0].watch: \"../x/*\" leads upwards"),
        ("{\"type\": \"file\", \"watch\": \"a//b\"}", "has an empty part"),
        ("{\"type\": \"file\", \"watch\": \"\"}", "must name something"),
        ("{\"type\": \"file\", \"watch\": \"./b\"}", "a single dot"),
        ("{\"type\": \"file\", \"watch\": \"*/b.csv\"}", "has * or ? in a folder"),
        (
            "{\"type\": \"file\", \"watch\": \"in/*\", \"output\": \"in/\"}",
            "triggers[0].output is the watched folder \"in/\""
        ),
        ("{\"type\": \"file\", \"watch\": \"done/*\"}", "triggers[0].done is the watched folder"),
        (
            "{\"type\": \"file\", \"watch\": \"a/*\", \"after\": \"delete\"}",
            "triggers[0].after must be one of \"move\", \"leave\""
        ),
        (
            "{\"type\": \"file\", \"watch\": \"a/*\", \"after\": \"leave\", \"done\": \"x\"}",
            "triggers[0].done is for after: \"move\""
        ),
        (
            "{\"type\": \"file\", \"watch\": \"a/*\", \"columns\": \"some\"}",
            "triggers[0].columns must be \"all\", \"none\" or a list"
        ),
        (
            "{\"type\": \"file\", \"watch\": \"a/*\", \"columns\": [\"x\", \"x\"]}",
            "triggers[0].columns[1]: \"x\" is there twice"
        ),
        ("{\"type\": \"file\", \"watch\": \"a/*\", \"id\": \"\"}", "triggers[0].id must name a column"),
        ("{\"type\": \"file\", \"watch\": \"a/*\", \"force\": true}", "unknown key \"triggers[0].force\""),
        ("{\"type\": \"file\", \"watch\": \"a/*\", \"delimiter\": \"|\"}", "triggers[0].delimiter must be one of"),
        ("{\"type\": \"file\", \"watch\": \"a/*\", \"max_errors\": -1}", "triggers[0].max_errors must be 0 to"),
        (
            "{\"type\": \"file\", \"watch\": \"a/*\", \"max_errors\": \"101%\"}",
            "must be a number of rows or a percentage"
        ),
        ("{\"type\": \"file\", \"watch\": \"a/*\", \"max_errors\": true}", "triggers[0].max_errors must be an integer"),
        (
            "{\"type\": \"file\", \"watch\": \"a/*\", \"retry\": {\"attempts\": 0}}",
            "triggers[0].retry.attempts must be 1 to 100"
        ),
        (
            "{\"type\": \"file\", \"watch\": \"a/*\", \"retry\": {\"tries\": 0}}",
            "unknown key \"triggers[0].retry.tries\""
        ),
        (
            "{\"type\": \"queue\", \"retry\": {\"backoff\": \"2s\", \"max_backoff\": \"1s\"}}",
            "backoff is 2s, more than max_backoff"
        ),
        ("{\"type\": \"queue\", \"timeout\": \"0s\"}", "triggers[0].timeout must be 1ms to"),
        ("{\"type\": \"queue\", \"capacity\": 0}", "triggers[0].capacity must be 1 to"),
        ("{\"type\": \"queue\", \"name\": \"a b\"}", "triggers[0].name must be letters"),
        ("{\"type\": \"queue\"}, {\"type\": \"queue\"}", "triggers[1] is a second queue"),
        (
            "{\"type\": \"event\", \"name\": \"x\"}, {\"type\": \"queue\", \"name\": \"x\"}",
            "two triggers are called \"x\""
        ),
        (
            "{\"type\": \"event\", \"filter\": {\"prefix\": {\"type\": 1}}}",
            "triggers[0].filter.prefix.type must be a string"
        ),
        ("{\"type\": \"event\", \"sink\": \"https://x/\"}", "triggers[0].sink: \"https://x/\" is no URL"),
        ("{\"type\": \"event\", \"input\": \"rows\"}", "triggers[0].input must be \"data\" or {\"file\""),
        ("{\"type\": \"event\", \"input\": {\"file\": \"\"}}", "triggers[0].input.file must name"),
        ("{\"type\": \"event\", \"format\": \"csv\"}", "triggers[0].format is for files"),
        ("{\"type\": \"event\", \"output\": \"x\"}", "triggers[0].output is for files"),
        ("{\"type\": \"event\", \"emit\": \"\"}", "triggers[0].emit must not be empty"),
        (
            TriggerTests.schedule("\"cron\": \"0 25 * * *\""),
            "triggers[0].cron: \"0 25 * * *\": hour \"25\": must be 0 to 23"
        ),
        (
            TriggerTests.schedule("\"timezone\": \"../etc\""),
            "triggers[0].timezone: \"../etc\" is no name of a time zone"
        ),
        (TriggerTests.schedule("\"missed\": \"all\""), "triggers[0].missed must be one of \"skip\", \"once\""),
        (
            TriggerTests.schedule("\"output\": \"{day}.csv\""),
            "triggers[0].output: \"{day}.csv\" has braces around something"
        ),
        (TriggerTests.schedule("\"output\": \"out/\""), "triggers[0].output: \"out/\" is a folder"),
        (TriggerTests.schedule("\"output\": \"in.csv\""), "triggers[0].output is the input"),
    ])
    func errorsSayWhereAndWhat(_ triggers: String, _ words: String) throws {
        let error = try #require(throws: JSONError.self) { try read(triggers) }
        #expect(error.description.contains(words), "\(error)")
    }

    /// A good schedule but for one member.
    static func schedule(_ member: String) -> String {
        var members = ["cron": "0 3 * * *", "input": "in.csv", "output": "out.csv"]
        let key = member.split(separator: "\"")[0]
        members[String(key)] = nil
        let rest = members.sorted { $0.key < $1.key }.map { ", \"\($0.key)\": \"\($0.value)\"" }.joined()
        return "{\"type\": \"schedule\", \(member)\(rest)}"
    }

    @Test func editsStartStopAndChangeByName() throws {
        let old = try read(
            """
            {"type": "file", "watch": "a/*"}, {"type": "event", "name": "e"}, {"type": "queue", "name": "q"},
            {"type": "event", "name": "same"}
            """)
        let new = try read(
            """
            {"type": "event", "name": "same"}, {"type": "file", "watch": "b/*"}, {"type": "event", "name": "q"},
            {"type": "schedule", "cron": "@daily", "input": "x", "output": "y"}
            """)
        let changes = TriggerChanges(from: old, to: new)
        #expect(changes.started.map(\.name) == ["q", "schedule-1"] && changes.stopped == ["e", "q"])
        #expect(changes.changed.map(\.name) == ["file-1"])
        #expect(TriggerChanges(from: new, to: new).isEmpty && !changes.isEmpty)
    }

    @Test func schemaAndCodeAgreeOnTheKeysOfTriggers() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/manifest.schema.json")
        let schema = try JSONValue(parsing: [UInt8](try Data(contentsOf: path)), source: "manifest.schema.json")
        let definitions = try #require(schema["$defs"])
        let items = schema["properties"]?["triggers"]?["items"]?["oneOf"]?.arrayValue
        #expect(
            items?.compactMap { $0["$ref"]?.stringValue }
                == TriggerSpec.TypeName.allCases.map { "#/$defs/\($0)_trigger" })
        for (type, keys) in TriggerSpec.keysByType {
            let definition = definitions["\(type.rawValue)_trigger"]
            #expect(definition?["properties"]?.objectValue?.keys.sorted() == keys.sorted(), "\(type)")
            #expect(definition?["additionalProperties"] == false)
            #expect(definition?["properties"]?["type"]?["const"]?.stringValue == type.rawValue)
        }
        let retry = definitions["retry"]?["properties"], policy = RetryPolicy()
        #expect(retry?.objectValue?.keys.sorted() == TriggerSpec.retryKeys.sorted())
        #expect(retry?["attempts"]?["default"] == .integer(policy.attempts))
        #expect(retry?["backoff"]?["default"] == .string(policy.backoff.description))
        #expect(retry?["max_backoff"]?["default"] == .string(policy.maxBackoff.description))
        let queue = definitions["queue_trigger"]?["properties"], limits = DeliveryQueue.Limits()
        #expect(queue?["concurrency"]?["default"] == .integer(limits.concurrency))
        #expect(queue?["capacity"]?["default"] == .integer(limits.capacity))
        let spec = try read("{\"type\": \"file\", \"watch\": \"a/*\"}")[0]
        guard case .file(let file) = spec.kind else { return #expect(Bool(false)) }
        #expect(definitions["file_trigger"]?["properties"]?["output"]?["default"] == .string(file.output.text))
    }
}
