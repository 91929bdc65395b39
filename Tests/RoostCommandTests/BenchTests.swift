import RoostBasics
import RoostJSON
import RoostLoad
import Testing

@testable import RoostCommand

@Suite struct BenchTests {
    /// A report of a run with a clock that stands where it is put: ten requests, 100 ms apart, each with its reply.
    private func report(
        _ replies: [Reply?], took: [UInt64]? = nil, lateBy: Instant.Span = .zero, busy: UInt64 = 0,
        interrupted: Bool = false
    ) -> BenchReport {
        let start = Instant(nanoseconds: 1_000_000_000)
        let arrivals = Arrivals(rate: 10, duration: .milliseconds(100 * UInt64(replies.count)))
        var machine = LoadMachine(arrivals, connectionsMax: 1, patience: .milliseconds(90), start: start)
        for (number, reply) in replies.enumerated() {
            let due = start + .milliseconds(100 * UInt64(number)) + lateBy
            while let action = machine.next(at: due) { if case .connect(let slot) = action { machine.connected(slot) } }
            if interrupted, number == replies.count - 1 {
                machine.interrupt()
                break
            }
            let answer = due + .microseconds(took?[number] ?? 1500)
            if let reply {
                machine.replied(0, reply, at: answer)
            } else {
                while machine.next(at: due + .milliseconds(90)) != nil {}
            }
        }
        var settings = BenchSettings(arrivals: arrivals)
        (settings.connections, settings.timeout) = (1, .milliseconds(90))
        return BenchReport(
            target: "credit", host: "http://127.0.0.1:8080", settings: settings, kind: .tensors, tally: machine.tally,
            elapsed: .milliseconds(1000), busy: .milliseconds(busy))
    }

    private func reply(_ status: Int = 200, version: String = "2", cold: Bool = false, _ message: String = "") -> Reply
    {
        var reply = Reply(status: status, version: version, message: message)
        (reply.timing.queue, reply.timing.infer) = (.microseconds(4), .microseconds(70))
        if cold { reply.timing.fork = .milliseconds(12) }
        return reply
    }

    @Test func textForPeople() {
        let replies =
            [reply(cold: true)] + (0..<8).map { _ in reply(version: "10") } + [reply(429, #"{"error": "full"}"#)]
        let took: [UInt64] = [20_000, 1500, 1500, 1500, 1500, 1500, 1500, 1500, 1500, 40]
        #expect(
            report(replies, took: took, busy: 123).text == """
                credit on http://127.0.0.1:8080: 10 requests/s for 1s, constant arrivals, 1 row each, made from the signature

                requests     10 due, 10 sent, 10 answered: 10/s
                outcomes     9 ok, 1 overload
                versions     2: 2, 10: 8
                connections  1 opened, at most 1 at once of 1
                generator    never late; 12.3 % busy

                             COUNT       P50       P90       P99     P99.9       MAX      MEAN
                latency          9   1.51 ms   20.0 ms   20.0 ms   20.0 ms   20.0 ms   3.56 ms  ok replies, from due to answered
                cold starts      1   20.0 ms   20.0 ms   20.0 ms   20.0 ms   20.0 ms   20.0 ms  those of them that had to wait for an instance
                failed           1  0.040 ms  0.040 ms  0.040 ms  0.040 ms  0.040 ms  0.040 ms  all others
                wait            10  0.000 ms  0.000 ms  0.000 ms  0.000 ms  0.000 ms  0.000 ms  from due to sent: for a connection
                queue           10  0.004 ms  0.004 ms  0.004 ms  0.004 ms  0.004 ms  0.004 ms  as the host says
                fork             1   12.0 ms   12.0 ms   12.0 ms   12.0 ms   12.0 ms   12.0 ms  as the host says
                infer           10  0.070 ms  0.070 ms  0.070 ms  0.070 ms  0.070 ms  0.070 ms  as the host says

                overload (429), once: full

                """)
    }

    @Test func whatMakesTheFiguresDoubtfulComesFirst() {
        let late = report([reply(), reply()], lateBy: .milliseconds(5))
        #expect(!late.couldKeepUp)
        #expect(
            late.text.hasPrefix(
                "warning: THE GENERATOR COULD NOT KEEP UP: 2 of 2 requests (100 %) were taken up more than 1 ms late"))
        #expect(late.text.contains("generator    2 requests taken up late, the worst by 5.00 ms; 0 % busy\n"))
        #expect(late.json["generator"]?["kept_up"] == false)
        #expect(late.json["warnings"]?.arrayValue?.isEmpty == false)

        let busy = report([reply(), reply()], busy: 870)
        #expect(!busy.couldKeepUp)
        #expect(busy.text.hasPrefix("warning: THE GENERATOR COULD NOT KEEP UP: it was at work for 87 % of the time"))
        #expect(report([reply()], busy: 790).couldKeepUp)

        let silent = report([reply(), nil])
        #expect(silent.text.hasPrefix("warning: 1 requests had no answer 90ms after they were due"))
        #expect(silent.text.contains("no_answer, once: no answer within 90ms"))
        #expect(!silent.tally.isSuccess)

        let cut = report([reply(), reply()], interrupted: true)
        #expect(cut.text.hasPrefix("warning: ended early: 1 requests were cut off\n"))
        #expect(cut.elapsed == .milliseconds(1000), "not to the end of the plan")
        #expect(cut.tally.isSuccess)
    }

    @Test func jsonForPrograms() throws {
        let json = report([reply(cold: true), reply(500, #"{"error": "the\nmodel"}"#)]).json
        #expect(json["plan"]?["rate"] == .real(10))
        #expect(json["plan"]?["protocol"] == "v2")
        #expect(json["requests"] == ["due": 2, "sent": 2, "answered": 2])
        #expect(json["outcomes"]?["ok"] == 1)
        #expect(json["outcomes"]?["model_error"] == 1)
        #expect(json["latency_ms"]?["max"] == .real(1.5))
        #expect(json["latency_ms"]?["count"] == 1)
        #expect(json["cold_starts"]?["count"] == 1)
        #expect(json["phases_ms"]?["load"]?["p50"] == JSONValue.null)
        #expect(json["phases_ms"]?["fork"]?["p99_9"] == .real(12))
        #expect(json["versions"] == ["2": 2])
        #expect(
            json["errors"] == [["outcome": "model_error", "status": 500, "count": 1, "message": "the model"]])
        #expect(json["generator"] == ["kept_up": true, "late": 0, "late_ms_max": .real(0), "busy_share": .real(0)])
        #expect(json["warnings"] == [])
    }

    @Test(
        arguments: [
            (0, "0.000 ms"), (41_499, "0.041 ms"), (999_499, "0.999 ms"), (999_500, "1.00 ms"), (4_123_000, "4.12 ms"),
            (41_250_000, "41.3 ms"), (412_400_000, "412 ms"), (1_824_000_000, "1.82 s"), (60_000_000_000, "60.0 s"),
            (600_000_000_000, "600 s"),
        ] as [(UInt64, String)])
    func timesHaveThreeDigitsThatCount(nanoseconds: UInt64, text: String) {
        #expect(BenchReport.time(Instant.Span(nanoseconds: nanoseconds)) == text)
    }

    @Test(
        arguments: [
            (["--rate", "0"], "--rate"), (["--rate", "nan"], "--rate"), (["--rate", "1e9"], "--rate"),
            (["--for", "0s"], "--for"), (["--for", "10"], "--for"), (["--arrivals", "x"], "--arrivals"),
            (["--connections", "0"], "--connections"), (["--rows-per-request", "-1"], "--rows-per-request"),
            (["--protocol", "grpc"], "--protocol"), (["--timeout", "x"], "--timeout"), (["--seed", "-1"], "--seed"),
            (["extra"], "extra"),
        ] as [([String], String)])
    func wrongOptionsAreNamed(options: [String], name: String) {
        let (code, output, error) = roost(["bench", "credit", "--home", "/nowhere"] + options)
        #expect(code == 2 && output.isEmpty)
        #expect(error.contains(name), "\(error)")
    }

    @Test func aFileIsToBeDeployedFirst() {
        let (code, _, error) = roost(["bench", "./credit.ubj"])
        #expect(code == 2)
        #expect(error.contains("`roost deploy ./credit.ubj` first"))
        #expect(roost(["bench"]).code == 2)
        #expect(roost(["bench", "--help"]).output.contains("--rate N"))
    }

    private static let metadata = #"{"name":"f","inputs":[{"name":"x","datatype":"FP32","shape":[-1,2]}],"outputs":[]}"#

    /// Runs `roost bench` for five requests against a host that answers all of them alike.
    private func bench(
        _ arguments: [String], status: Int = 200, body: String = "{}", input: String = ""
    ) throws -> (code: Int32, output: String, error: String, requests: [ScriptedHost.Request]) {
        let home = try HomeFolder()
        let host = try ScriptedHost(home: home) { line, _ in
            line.hasPrefix("GET")
                ? .init(body: Self.metadata)
                : .init(status: status, body: body, head: "Connection: close\r\nRoost-Version: 4\r\n")
        }
        let (code, output, error) = roost(
            ["bench"] + arguments + ["--home", home.path, "--rate", "500", "--for", "10ms"], input: input)
        return (code, output, error, host.requests)
    }

    @Test func requestsAreMadeFromTheSignature() throws {
        let (code, output, _, requests) = try bench(["credit"])
        #expect(code == 0)
        #expect(output.contains("5 ok") && output.contains("versions     4: 5"))
        #expect(
            requests.map(\.line) == ["GET /v2/models/credit", ""].prefix(1)
                + Array(repeating: "POST /v2/models/credit/infer", count: 5))
        #expect(requests.dropFirst().allSatisfy { $0.body.hasPrefix(#"{"inputs":[{"name":"x","shape":[1,2],"#) })
        #expect(try bench(["credit@3"]).requests.last?.line == "POST /v2/models/credit/versions/3/infer")
        let rows = try bench(["credit", "--protocol", "predict", "--rows-per-request", "2"]).requests.last
        #expect(rows?.line == "POST /functions/credit/predict")
        #expect(rows?.body.hasPrefix("[[") == true && rows?.body.hasSuffix("]]") == true)
    }

    @Test func rowsComeFromAFileOrTheInput() throws {
        let home = try HomeFolder()
        let file = try home.write("a,b\n1,2\n3,4\n", to: "rows.csv")
        let (code, _, _, requests) = try bench(["credit@3", "--from", file])
        #expect(code == 0)
        #expect(requests.dropFirst().map(\.body) == ["1,2", "3,4", "1,2", "3,4", "1,2"].map { "a,b\n\($0)\n" })
        #expect(requests.last?.line == "POST /functions/credit/versions/3/predict")
        #expect(requests.last?.head.contains("Content-Type: text/csv\r\n") == true)
        #expect(try bench(["f", "--from", "-"], input: "[[7, 8]]").requests.last?.body == "[[7, 8]]")
        #expect(
            try bench(["f", "--from", "-"], input: #"{"inputs": []}"#).requests.last?.line == "POST /v2/models/f/infer")
        for (arguments, input, code) in [
            (["--from", "/nowhere.csv"], "", 1), (["--from", "-"], "[[1]", 1),
            (["--from", "-", "--protocol", "v2"], "[[1]]", 2),
            (["--from", "-", "--protocol", "predict"], #"{"inputs": []}"#, 2),
        ] as [([String], String, Int32)] {
            let run = try bench(["f"] + arguments, input: input)
            #expect(run.code == code && run.output.isEmpty && run.error.hasPrefix("roost: "), "\(arguments)")
            #expect(run.requests.count <= 1, "no load")
        }
    }

    @Test(arguments: [(200, 0), (429, 1), (503, 1), (400, 1), (500, 1), (504, 1)] as [(Int, Int32)])
    func theExitCodeSaysWhetherSomethingFailed(status: Int, code: Int32) throws {
        let run = try bench(["f", "--json"], status: status, body: #"{"error": "because"}"#)
        #expect(run.code == code)
        let json = try JSONValue(parsing: Array(run.output.utf8), source: "report")
        #expect(json["requests"]?["answered"] == 5)
        #expect(json["errors"]?.arrayValue?.first?["message"]?.stringValue == (status == 200 ? nil : "because"))
    }
}
