import Glibc
import RoostBasics
import RoostBench
import RoostClient
import RoostLoad
import Testing

@Suite struct LoadGeneratorTests {
    private static let fine =
        "HTTP/1.1 200 OK\r\nRoost-Version: 3\r\nServer-Timing: queue;dur=0.5, fork;dur=2\r\nContent-Length: 2\r\n\r\n{}"

    private func plan(_ port: UInt16, requests: UInt64 = 50) throws -> LoadPlan {
        let rows = (0..<3).map { #"["row \#($0)", "end"]"# }.joined(separator: ",")
        return LoadPlan(
            address: .tcp(host: "127.0.0.1", port: port), path: "/functions/f/predict",
            bodies: try RequestBodies(json: Array("[\(rows)]".utf8)),
            arrivals: Arrivals(rate: 2000, duration: .microseconds(500 * requests)))
    }

    @Test func everyRequestIsSentAndItsReplyUnderstood() throws {
        let server = try Server { _ in Self.fine }
        let generator = try LoadGenerator(try plan(server.port))
        let tally = try generator.run()
        #expect(generator.busy > .zero)
        #expect(tally.due == 50 && tally.sent == 50 && tally[.ok] == 50)
        #expect(tally.versions == ["3": 50])
        #expect(tally[PhaseTimes.Phase.queue].max == .microseconds(500))
        #expect(tally.coldLatency.count == 50)
        let requests = server.requests
        #expect(requests.count == 50)
        for (number, request) in requests.prefix(1).enumerated() {
            #expect(
                request
                    == "POST /functions/f/predict HTTP/1.1\r\nHost: 127.0.0.1:\(server.port)\r\n"
                    + "Content-Type: application/json\r\nContent-Length: 18\r\n\r\n[[\"row \(number)\", \"end\"]]")
        }
        #expect(Set(requests).count == 3)
    }

    @Test func refusalsBrokenConnectionsAndNonsenseAreToldApart() throws {
        let server = try Server { number in
            switch number % 5 {
            case 0: "HTTP/1.1 400 Bad\r\nContent-Length: 5\r\n\r\nwrong"
            case 1: "HTTP/1.1 429 Many\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            case 2: nil
            case 3: "HTTP/1.1 oops\r\n\r\n"
            default: Self.fine
            }
        }
        let tally = try LoadGenerator(try plan(server.port)).run()
        #expect(Outcome.allCases.map { tally[$0] } == [10, 10, 0, 10, 0, 0, 20, 0, 0])
        #expect(tally.faults.contains { $0.status == 400 && $0.message == "wrong" && $0.count == 10 })
        let broken = tally.faults.filter { $0.outcome == .connectionError }
        #expect(broken.map(\.count).reduce(0, +) == 20)
        #expect(broken.contains { $0.message == "the answer is no HTTP: \"HTTP/1.1 oops\"" && $0.count == 10 })
    }

    @Test func aHostThatDoesNotAnswerIsGivenUp() throws {
        let server = try Server { _ in "" }
        var plan = try plan(server.port)
        (plan.connectionsMax, plan.patience) = (4, .milliseconds(30))
        let tally = try LoadGenerator(plan).run()
        #expect(tally[.noAnswer] == 50)
        #expect(tally.connectionsPeak == 4)
        #expect(tally.failedLatency.percentile(0) ?? .zero >= .milliseconds(30))
    }

    @Test func whereNobodyListensEveryRequestFails() throws {
        let port = try Server { _ in nil }.port
        let tally = try LoadGenerator(try plan(port == 1 ? 2 : 1)).run()
        #expect(tally[.connectionError] == 50)
        #expect(tally.faults.first?.message.contains("connection refused") == true)
    }

    @Test func progressIsToldAndASignalEnds() throws {
        let server = try Server { _ in Self.fine }
        var plan = try plan(server.port)
        plan.arrivals = Arrivals(rate: 100, duration: .seconds(1000))
        var told: [UInt64] = []
        let tally = try LoadGenerator(plan).run(endingAt: [SIGUSR2]) { elapsed, tally in
            told.append(tally[.ok])
            #expect(elapsed >= .milliseconds(990), "a second, as exactly as timers ring")
            kill(getpid(), SIGUSR2)
        }
        #expect(told.count == 1)
        #expect(tally.isInterrupted)
        #expect(tally[.ok] > 0)
        #expect(tally.due < 100_000)
    }
}
