import RoostJSON
import Testing

@testable import RoostCommand

@Suite struct StatusTests {
    private static let functions = """
        {"host": {"version": "0.1.0", "listen": "127.0.0.1:8080", "uptime_seconds": 7300.2, "cores": 2, "home": "/m",
                  "warnings": ["sandbox: no Landlock here"], "connections": 1,
                  "unclear_files": [{"file": "my model.ubj", "reason": "rename it"}]},
         "functions": [
          {"name": "credit", "traffic": {"origin": "set", "shares": {"3": 90, "2": 10}, "pending": {"4": 10}},
           "notes": ["functions/credit.json:3:5: unknown key"],
           "versions": [
            {"version": "3", "state": "serving", "file": "credit@3.ubj", "share": 90, "examples": 0, "queue": 2,
             "size": 2048, "runtime": "trees", "load_ms": 8.43, "digest": "ab",
             "template": {"pid": 4711, "memory": {"private": 1048576, "shared": 3145728}},
             "instances": [{"id": 7, "pid": 4712, "outstanding": 1, "memory": {"private": 524288, "shared": 3145728}}],
             "requests": {"ok": 10, "model_error": 1, "death": 2, "timeout": 0}, "rate": 12.34,
             "latency_ms": {"p50": 0.208, "p99": 1234.5}, "last_failure": "instance #5 killed by signal 11"},
            {"version": "2", "state": "draining", "share": 10, "instances": []},
            {"version": "1", "state": "failed", "reason": "not a plugin"}]},
          {"name": "empty", "versions": []}]}
        """

    @Test func statusIsATableWithWarningsFirstAndReasonsBeneath() throws {
        let home = try HomeFolder()
        let host = try ScriptedHost(home: home) { _, _ in .init(body: Self.functions) }
        let (code, output, error) = roost(["status", "--home", home.path])
        #expect((code, error) == (0, ""))
        #expect(
            output == """
                warning: sandbox: no Landlock here
                not understood: plugins/my model.ubj: rename it
                roost 0.1.0 on http://127.0.0.1:8080, up 2 h, 2 cores, 1 connection, home /m

                FUNCTION  VERSION  STATE     SHARE  FROM  INSTANCES  QUEUE   MEMORY    RATE      P50    P99  FAILED
                credit    3        serving   90 %   set           1      2  4.5 MiB  12.3/s  0.21 ms  1.2 s       3
                    3: last failure: instance #5 killed by signal 11
                    3: 0 examples: answers not checked
                          2        draining  10 %   set           0      0        -     0/s        -      -       0
                          1        failed    -      -             -      -        -       -        -      -       0
                    1: failed: not a plugin
                    version 4 has a share in the manifest and is not there yet
                    functions/credit.json:3:5: unknown key
                empty     none

                """)
        #expect(host.requests.map(\.line) == ["GET /functions"])
    }

    @Test func oneVersionIsShownInDetailAndAsJSON() throws {
        let home = try HomeFolder()
        let credit = try #require(try JSONValue(parsing: Self.functions)["functions"]?.arrayValue?.first)
        let host = try ScriptedHost(home: home) { _, _ in .init(body: credit.compact) }
        let text = roost(["status", "credit@3", "--home", home.path]).output
        for line in [
            "file: credit@3.ubj", "runtime: trees", "sha256: ab", "size: 2 KiB", "loaded in 8.4 ms",
            "template: pid 4711",
            "instance #7: pid 4712, 1 request in hand", "requests: ok 10, model_error 1, death 2, timeout 0",
        ] { #expect(text.contains("    \(line)\n")) }
        let json = try JSONValue(parsing: roost(["status", "credit@2", "--json", "--home", home.path]).output)
        #expect(json["state"] == "draining")
        #expect(
            roost(["status", "credit@9", "--home", home.path]).error
                == "roost: credit has no version 9: it has 3, 2, 1\n")
        #expect(host.requests.allSatisfy { $0.line == "GET /functions/credit" })
    }

    @Test func anEmptyHostSaysWhatToDo() throws {
        let home = try HomeFolder()
        let host = try ScriptedHost(home: home) { _, _ in .init(body: #"{"host": {}, "functions": []}"#) }
        #expect(roost(["status", "--home", home.path]).output.contains("drop a model file into plugins/"))
        #expect(host.requests.count == 1)
    }

    @Test(arguments: [
        (0.0, "0.00 ms"), (0.0042, "0.00 ms"), (0.208, "0.21 ms"), (0.999, "1 ms"), (1.0, "1 ms"), (12.34, "12.3 ms"),
        (1234.5, "1.2 s"),
    ])
    func latenciesShowTheDigitsThatCount(_ number: Double, _ wanted: String) {
        #expect(Figure.milliseconds(number) == wanted)
    }

    @Test func figuresAreForPeople() {
        #expect(Figure.plain(90) == "90" && Figure.plain(12.34) == "12.3" && Figure.plain(-0.25) == "-0.3")
        #expect(Figure.plain(.nan) == "?" && Figure.plain(1e300) == "1e+300")
        #expect(Figure.bytes(1023) == "1023 B" && Figure.bytes(1536) == "1.5 KiB" && Figure.bytes(5e12) == "4.5 TiB")
        #expect(Figure.seconds(12.5) == "12 s" && Figure.seconds(200) == "3 min" && Figure.seconds(1e6) == "11 d")
    }

    @Test func whatLabelsHaveSaidIsALineForEachVersion() throws {
        let credit = """
            {"name": "credit", "versions": [{"version": "3", "state": "serving"}], "quality": {"windows": {
              "1h": {"versions": {}},
              "24h": {"versions": {"3": {"coverage": {"labelled": 0, "text": "0 of 9 labelled"}}}},
              "7d": {"versions": {
                "3": {"coverage": {"labelled": 312, "text": "312 of 40,112 labelled, median delay 3.2 d"},
                      "metrics": {"accuracy": 0.9, "auc": 0.9406}},
                "2": {"coverage": {"labelled": 2, "text": "2 of 9 labelled"}, "metrics": {"rmse": 12.05}},
                "1": {"coverage": {"labelled": 0, "text": "0 of 9 labelled"}}},
               "comparisons": [{"version": "2", "verdict": null, "reason": "coverage differs: x"},
                               {"version": "1", "verdict": null, "reason": "there are no labels of both"}]}}}}
            """
        let home = try HomeFolder()
        let host = try ScriptedHost(home: home) { _, _ in .init(body: credit) }
        let lines = roost(["status", "credit", "--home", home.path]).output.split(separator: "\n")
            .filter { $0.contains("quality") }.map { $0.drop { $0 == " " } }
        #expect(
            lines == [
                "quality of 3 (7d): auc 0.941, 312 of 40,112 labelled, median delay 3.2 d",
                "quality of 2 (7d): rmse 12.050, 2 of 9 labelled", "quality of 2: no verdict, coverage differs: x",
            ])
        _ = host
    }

    @Test func triggersHaveALineEach() throws {
        let credit = """
            {"name": "credit", "versions": [{"version": "3", "state": "serving"}], "triggers": [
              {"name": "inbox", "type": "file", "watches": "data/inbox/*.csv", "done": 12, "dead": 1, "waiting": 0,
               "running": 1, "last_job": "t6-x", "problem": "the disk is full",
               "last": {"outcome": "dead", "id": "4", "at": 1769828400, "reason": "no rows"}},
              {"name": "nightly", "type": "schedule", "cron": "0 3 * * *", "timezone": "Europe/Berlin", "done": 0,
               "dead": 0, "waiting": 0, "running": 0, "next_run": "2026-01-31T03:00:00+01:00"}]}
            """
        let home = try HomeFolder()
        let host = try ScriptedHost(home: home) { _, _ in .init(body: credit) }
        let lines = roost(["status", "credit", "--home", home.path]).output.split(separator: "\n")
            .filter { $0.contains("trigger") }.map { $0.drop { $0 == " " } }
        #expect(
            lines == [
                "trigger inbox: file data/inbox/*.csv; 12 done, 1 failed, 0 waiting, 1 running; "
                    + "last dead at 2026-01-31T03:00:00Z, job t6-x: no rows",
                "trigger inbox: the disk is full",
                "trigger nightly: schedule 0 3 * * * Europe/Berlin; 0 done, 0 failed, 0 waiting, 0 running; "
                    + "next 2026-01-31T03:00:00+01:00",
            ])
        _ = host
    }
}
