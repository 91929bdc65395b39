import RoostBasics
import RoostJSON
import Testing

@testable import RoostCommand

@Suite struct HostedCommandTests {
    @Test func withoutAHostTheErrorSaysHowToStartOne() throws {
        let home = try HomeFolder()
        let (code, _, error) = roost(["status", "--home", home.path])
        #expect(code == 1)
        #expect(
            error == "roost: no host is running in \(home.path): start one with `roost serve --home \(home.path)`\n")
    }

    @Test func aSocketThatNobodyHearsIsNoHost() throws {
        let home = try HomeFolder()
        do { _ = try ScriptedHost(home: home) { _, _ in .init(body: "") } }
        #expect(roost(["status", "--home", home.path]).error.hasPrefix("roost: no host is running in \(home.path)"))
    }

    @Test func theEnvironmentNamesAHostToo() {
        let (code, _, error) = roost(["status"], variables: ["ROOST_URL": "http://127.0.0.1:1"])
        #expect(code == 1)
        #expect(error == "roost: no host listens at http://127.0.0.1:1: Connection refused\n")
    }

    @Test func errorsOfTheHostAreItsOwnWords() throws {
        let home = try HomeFolder()
        let host = try ScriptedHost(home: home) { _, _ in
            .init(status: 404, body: #"{"error": "no function \"x\": there are credit, iris"}"#)
        }
        for line in [
            ["status", "x"], ["rollback", "x"], ["traffic", "x", "latest"], ["logs", "x"], ["predict", "x", "-"],
        ] {
            let (code, output, error) = roost(line + ["--home", home.path])
            #expect((code, output, error) == (1, "", "roost: no function \"x\": there are credit, iris\n"))
        }
        #expect(host.requests.count == 5)
    }

    @Test func trafficAndRollbackSayWhatCameOfIt() throws {
        let home = try HomeFolder()
        let host = try ScriptedHost(home: home) { line, _ in
            line.hasSuffix("traffic")
                ? .init(body: #"{"origin": "set", "shares": {"2": 90, "3": 10}}"#)
                : .init(body: #"{"from": "3", "to": "2"}"#)
        }
        #expect(
            roost(["traffic", "credit", "2=90", "3=10", "--home", home.path]).output == "credit: 2=90 3=10 (set)\n")
        #expect(roost(["--home", home.path, "rollback", "credit"]).output.hasPrefix("credit: 3 → 2\n"))
        let json = roost(["traffic", "credit", "latest", "--home", home.path, "--json"]).output
        #expect(json == "{\"origin\": \"set\", \"shares\": {\"2\": 90, \"3\": 10}}\n")
        #expect(
            host.requests.map(\.line) == [
                "PUT /functions/credit/traffic", "POST /functions/credit/rollback", "PUT /functions/credit/traffic",
            ])
        #expect(host.requests.map(\.body) == [#"{"2":90,"3":10}"#, "{}", #"{"origin":"latest"}"#])
        #expect(host.requests.allSatisfy { $0.head.contains("Content-Type: application/json\r\n") })
    }

    @Test func logsAreAskedForFromWhereTheyEnded() throws {
        let home = try HomeFolder()
        let host = try ScriptedHost(home: home) { line, _ in
            line.hasSuffix("offset=6")
                ? .init(status: 503, body: "going") : .init(body: "hello\n", head: "Roost-Log-Offset: 6\r\n")
        }
        #expect(roost(["logs", "credit@3", "--home", home.path]).output == "hello\n")
        let (code, output, error) = roost(["logs", "credit@3", "-f", "--home", home.path])
        #expect((code, output, error) == (1, "hello\n", "roost: going\n"))
        #expect(host.requests.last?.line == "GET /functions/credit/logs?version=3&offset=6")
    }

    @Test func predictSendsRowsAndPrintsTheAnswer() throws {
        let home = try HomeFolder()
        let rows = try home.write("a,b\n1,2\n", to: "rows.csv")
        let host = try ScriptedHost(home: home) { _, _ in .init(body: "predictions\n0.5\n") }
        #expect(
            roost(["predict", "credit", rows, "--accept", "csv", "--home", home.path]).output == "predictions\n0.5\n")
        #expect(roost(["predict", "credit@3", "--home", home.path], input: " [[1, 2]]").code == 0)
        #expect(
            host.requests.map(\.line) == [
                "POST /functions/credit/predict", "POST /functions/credit/versions/3/predict",
            ])
        #expect(host.requests[0].head.contains("Content-Type: text/csv\r\nAccept: text/csv\r\n"))
        #expect(host.requests[1].head.contains("Content-Type: application/json\r\n"))
        #expect(host.requests.map(\.body) == ["a,b\n1,2\n", " [[1, 2]]"])
    }

    @Test func deployCopiesWaitsAndReports() throws {
        let home = try HomeFolder()
        let model = try home.write("model bytes", to: "model.ubj")
        let states = ["settling", "verifying", "ready", "serving"]
        let host = try ScriptedHost(home: home) { _, asked in
            asked == 0
                ? .init(status: 404, body: #"{"error": "none"}"#)
                : .init(
                    body:
                        #"{"traffic": {"origin": "latest"}, "versions": [{"version": "3", "state": "\#(states[min(asked - 1, 3)])"}]}"#
                )
        }
        let (code, output, error) = roost(["deploy", model, "--as", "credit@3", "--home", home.path])
        #expect((code, error) == (0, ""))
        #expect(output.wholeMatch(of: /credit@3 serving in \d+ ms\n/) != nil)
        #expect(try home.read("plugins/credit@3.ubj") == "model bytes")
        #expect(try home.files(in: "plugins") == ["credit@3.ubj"])
        #expect(host.requests.count == 5)
    }

    @Test func deployReleasesWhatIsHeldWhenItMay() throws {
        let home = try HomeFolder()
        let model = try home.write("model bytes", to: "credit@3.ubj")
        let host = try ScriptedHost(home: home) { line, asked in
            if line.hasPrefix("POST") { return .init(body: "{}") }
            let state = asked < 4 ? #""held", "reason": "column age is gone""# : #""serving""#
            return .init(body: #"{"versions": [{"version": "3", "state": \#(state)}]}"#)
        }
        let refused = roost(["deploy", model, "--home", home.path])
        #expect(refused.code == 1)
        #expect(refused.error == "roost: credit@3 is held: column age is gone; --allow-incompatible releases it\n")
        #expect(roost(["deploy", model, "--allow-incompatible", "--home", home.path]).code == 0)
        #expect(host.requests.map(\.line).contains("POST /functions/credit/versions/3/allow"))
        #expect(roost(["deploy", "credit@3", "--restart", "--home", home.path]).code == 0)
        #expect(host.requests.last?.line == "POST /functions/credit/versions/3/restart")
    }

    @Test func withoutWaitingNoHostIsNeeded() throws {
        let home = try HomeFolder()
        let model = try home.write("model bytes", to: "credit.ubj")
        let (code, output, error) = roost(["deploy", model, "--no-wait", "--home", home.path])
        #expect((code, output, error) == (0, "credit.ubj is handed over\n", ""))
        #expect(try home.read("plugins/credit.ubj") == "model bytes")
        #expect(roost(["deploy", model, "--home", home.path]).error.contains("no host is running"))
        #expect(roost(["deploy", "\(home.path)/none.ubj", "--no-wait", "--home", home.path]).code == 1)
        #expect(try home.files(in: "plugins") == ["credit.ubj"])
    }
}
