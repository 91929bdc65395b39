import RoostBasics
import RoostJSON
import RoostTraffic
import Testing

@Suite struct RolloutPlanTests {
    @Test func trueIsTheStandardPlanAndFalseNone() throws {
        let plan = try RolloutPlan("true", bake: .seconds(7))
        #expect(plan == .standard(bake: .seconds(7)) && plan.shares == [1, 5, 25, 50, 100])
        #expect((plan.interval, plan.minSamples, plan.maxDuration) == (.seconds(60), 200, .seconds(86_400)))
        #expect((plan.withoutTraffic, plan.onNewer, plan.gates) == (.wait, .queue, []))
        #expect(try RolloutPlan("{}", bake: .seconds(7)) == plan)
        let document = try JSONDocument(parsing: "false", source: "")
        #expect(try RolloutPlan(document.root, bake: .zero) == nil)
    }

    @Test func everyKeyIsReadAndWritten() throws {
        let plan = try RolloutPlan(
            """
            {"steps": [1, 5, {"pause": "10m"}, 25, {"pause": true}, 100], "interval": "90s", "min_samples": 50,
             "max_duration": "2d", "without_traffic": "replay", "on_newer": "supersede",
             "analysis": {"errors": {"margin": "0.5%"}, "alpha": 0.01},
             "gates": [{"url": "http://[::1]:9000/ok?x=1", "at": "before-step", "timeout": "2500ms"},
                       {"url": "http://ci"}]}
            """, bake: .seconds(3600))
        #expect(
            plan.steps == [.share(1), .share(5), .pause(.seconds(600)), .share(25), .pause(nil), .share(100)])
        #expect((plan.interval, plan.minSamples, plan.maxDuration) == (.seconds(90), 50, .seconds(172_800)))
        #expect((plan.withoutTraffic, plan.onNewer, plan.bake) == (.replay, .supersede, .seconds(3600)))
        #expect((plan.analysis.errorsMargin, plan.analysis.alpha, plan.analysis.samplesMin) == (0.005, 0.01, 50))
        let gate = plan.gates[0], other = plan.gates[1]
        #expect((gate.url.host, gate.url.port, gate.url.path) == ("::1", 9000, "/ok?x=1"))
        #expect((gate.moment, gate.timeout) == (.beforeStep, .milliseconds(2500)))
        #expect((other.url.host, other.url.port, other.url.path) == ("ci", 80, "/"))
        #expect((other.moment, other.timeout) == (.beforePromotion, .seconds(10)))
        #expect(try RolloutPlan(plan.json.compact, bake: .seconds(3600)) == plan)
    }

    @Test func theAnalysisMayHaveASmallestNumberOfItsOwn() throws {
        let plan = try RolloutPlan("{\"min_samples\": 50, \"analysis\": {\"min_samples\": 70}}")
        #expect((plan.minSamples, plan.analysis.samplesMin) == (50, 70))
        #expect(try RolloutPlan("{\"min_samples\": 50}").analysis.samplesMin == 50)
    }

    static let refusals: [(String, String)] = [
        ("3", "1:13: rollout must be true, false or an object, got an integer"),
        ("{\"step\": []}", "unknown key \"rollout.step\""),
        ("{\"steps\": 5}", "rollout.steps must be an array, got an integer"),
        ("{\"steps\": []}", "rollout.steps must end at 100, got no steps"),
        ("{\"steps\": [1, 50]}", "1:27: rollout.steps must end at 100, got 50"),
        ("{\"steps\": [1, 100, {\"pause\": true}]}", "rollout.steps must end at 100, got {\"pause\":true}"),
        ("{\"steps\": [100]}", "must begin with a share below 100"),
        ("{\"steps\": [5, 5, 100]}", "rollout.steps[1] must be more than the share before it, which is 5: got 5"),
        ("{\"steps\": [25, 5, 100]}", "1:28: rollout.steps[1] must be more than the share before it"),
        ("{\"steps\": [0, 100]}", "rollout.steps[0] must be 1 to 100, got 0"),
        ("{\"steps\": [1, 101]}", "rollout.steps[1] must be 1 to 100, got 101"),
        ("{\"steps\": [1.5, 100]}", "must be a whole percentage or {\"pause\": …}, got a number"),
        ("{\"steps\": [{\"pause\": true}, 1, 100]}", "rollout.steps[0] must be a share"),
        ("{\"steps\": [1, {\"pause\": false}, 100]}", "or true to wait for a person; got false"),
        ("{\"steps\": [1, {\"pause\": \"0s\"}, 100]}", "rollout.steps[1].pause must be 1s to 720h, got \"0s\""),
        ("{\"steps\": [1, {\"pause\": \"soon\"}, 100]}", "rollout.steps[1].pause must be a duration"),
        ("{\"steps\": [1, {\"wait\": \"1s\"}, 100]}", "unknown key \"rollout.steps[1].wait\""),
        ("{\"steps\": [1, {}, 100]}", "rollout.steps[1].pause is missing"),
        ("{\"interval\": \"0s\"}", "rollout.interval must be 1s to 24h, got \"0s\""),
        ("{\"min_samples\": 0}", "rollout.min_samples must be 1 to 1000000000, got 0"),
        ("{\"max_duration\": \"4m\"}", "its pauses and one interval for each step take 4m, and max_duration is 4m"),
        ("{\"steps\": [1, {\"pause\": \"24h\"}, 100]}", "rollout cannot finish"),
        (
            "{\"without_traffic\": \"hope\"}",
            "must be one of \"wait\", \"replay\", \"promote\", \"abort\", got \"hope\""
        ),
        ("{\"on_newer\": 1}", "rollout.on_newer must be a string"),
        ("{\"analysis\": {\"alpha\": 2}}", "rollout.analysis.alpha must be"),
        ("{\"gates\": [{}]}", "rollout.gates[0].url is missing"),
        ("{\"gates\": [{\"url\": \"http://a\", \"at\": \"end\"}]}", "must be one of \"start\", \"before-step\""),
        ("{\"gates\": [{\"url\": \"https://a\"}]}", "the host speaks no TLS"),
        ("{\"gates\": [{\"url\": \"http://\"}]}", "it names no host"),
        ("{\"gates\": [{\"url\": \"http://a:0/\"}]}", "\":0\" is no port"),
        ("{\"gates\": [{\"url\": \"http://a:99999\"}]}", "is no port"),
        ("{\"gates\": [{\"url\": \"http://[::1\"}]}", "\"[\" has no \"]\""),
        ("{\"gates\": [{\"url\": \"http://a b\"}]}", "percent-encoded"),
        ("{\"gates\": [{\"url\": \"http://a/\\r\\nX: 1\"}]}", "percent-encoded"),
        ("{\"gates\": [{\"url\": \"http://me:pw@a\"}]}", "user and password"),
        ("{\"gates\": [{\"url\": \"http://a/#b\"}]}", "fragment"),
    ]

    @Test(arguments: refusals)
    func refused(_ text: String, _ expected: String) {
        let error = #expect(throws: JSONError.self) { try RolloutPlan(text) }
        #expect(error?.description.contains(expected) == true, "\(error?.description ?? "")")
    }

    @Test func atMostAHundredSteps() throws {
        let shares = (1...99).map(String.init).joined(separator: ", ")
        #expect(try RolloutPlan("{\"steps\": [\(shares), 100]}").steps.count == 100)
        let error = #expect(throws: JSONError.self) {
            try RolloutPlan("{\"steps\": [\(shares), {\"pause\": true}, 100]}")
        }
        #expect(error?.message.contains("at most 100 elements, got 101") == true)
    }

    @Test func aForecastCountsWhatWasGathered() throws {
        let plan = try RolloutPlan(
            "{\"steps\": [1, {\"pause\": \"10m\"}, 10, {\"pause\": true}, 50, 100]}", bake: .seconds(3600))
        let needed = [10: 300, 50: 2000, 100: 2500]
        let forecast = plan.forecast(rate: 100) { needed[$0] }
        #expect(forecast.map(\.share) == [1, 10, 50, 100])
        // 300 at 1/s are 5 looks, then the pause, which brings 600 more; 1100 are left at 10/s, and
        // two looks bring 1200.
        #expect(forecast.map(\.requests) == [300, 1100, 400, 0])
        #expect(forecast.map(\.duration) == [.seconds(900), .seconds(120), .seconds(60), .seconds(3600)])
        #expect(forecast.map(\.needsPerson) == [false, true, false, false])
    }

    @Test(arguments: [0, -1, .nan, .infinity, 1e-9])
    func aForecastWithoutTrafficHasNoEnd(_ rate: Double) {
        let forecast = RolloutPlan.standard().forecast(rate: rate) { _ in Int.max }
        #expect(forecast.map(\.duration) == [nil, nil, nil, nil, .zero])
    }

    @Test func aForecastOfWhatCannotBeProvenHasNoEnd() {
        let forecast = RolloutPlan.standard().forecast(rate: 1000) { $0 == 50 ? nil : 200 }
        #expect(forecast.map { $0.duration == nil } == [false, false, true, false, false])
    }
}
