import RoostBasics
import RoostEvaluation
import RoostJSON
import RoostTraffic
import Testing

@Suite struct AnalysisCodingTests {
    func settings(_ text: String) throws -> AnalysisSettings {
        try AnalysisSettings(JSONDocument(parsing: text, source: "credit.json").root)
    }

    @Test func leftOutIsDefault() throws {
        let settings = try settings("{}")
        #expect(settings == AnalysisSettings())
        #expect(settings.errorsMargin == 0.002 && settings.latencyMargin == 0.2 && settings.alpha == 0.05)
        #expect(settings.flips == 0.05 && settings.collapse == 0.25 && settings.samplesMin == 200)
        #expect(settings.quality.metric == .auc && settings.quality.margin == 0.01 && !settings.quality.isRequired)
    }

    @Test func percentagesAndNumbersAreTheSame() throws {
        let one = try settings(
            """
            {"errors": {"margin": "0.5%"}, "latency": {"p99_margin": "150%"},
             "agreement": {"flips": "2%", "collapse": "10%"},
             "quality": {"metric": "log_loss", "margin": 0.02, "labels": "required"}, "alpha": "1%", "min_samples": 50}
            """)
        let other = try settings(
            """
            {"errors": {"margin": 0.005}, "latency": {"p99_margin": 1.5}, "agreement": {"flips": 0.02, "collapse": 0.1},
             "quality": {"metric": "log_loss", "margin": 0.02, "labels": "required"}, "alpha": 0.01, "min_samples": 50}
            """)
        #expect(one == other && one.quality.isRequired && one.quality.metric == .logLoss)
        #expect(try settings(one.json.compact) == one)
        #expect(try settings(AnalysisSettings().json.compact) == AnalysisSettings())
    }

    @Test func aLargerMarginOfFlipsTakesTheCollapseWithIt() throws {
        #expect(try settings(#"{"agreement": {"flips": "40%"}}"#).collapse == 0.4)
    }

    @Test(arguments: [
        (#"{"errors": {"margin": "0.2"}}"#, "must be a percentage like \"0.2%\""),
        (#"{"errors": {"margin": "much%"}}"#, "must be a percentage"),
        (#"{"errors": {"margin": 0}}"#, "errors.margin must be more than 0"),
        (#"{"errors": {"margin": "nan%"}}"#, "errors.margin must be more than 0"),
        (#"{"errors": {"margin": "101%"}}"#, "at most 1.0"),
        (#"{"errors": {"margins": 0.1}}"#, "unknown key \"errors.margins\""),
        (#"{"latency": {"p95_margin": "20%"}}"#, "unknown key"),
        (#"{"agreement": {"flips": "30%", "collapse": "20%"}}"#, "less than flips"),
        (#"{"quality": {"metric": "auk"}}"#, "unknown metric \"auk\" (known: accuracy"),
        (#"{"quality": {"metric": "average_precision"}}"#, "how sure a value of average_precision is cannot be told"),
        (#"{"quality": {"margin": -0.1}}"#, "quality.margin must be more than 0"),
        (#"{"quality": {"labels": "maybe"}}"#, "\"optional\" or \"required\""),
        (#"{"alpha": 0.6}"#, "alpha must be"), (#"{"alpha": true}"#, "alpha must be a number"),
        (#"{"min_samples": 0}"#, "min_samples must be 1"), (#"{"speed": 1}"#, "unknown key \"speed\""),
        ("[]", "object"),
    ])
    func wrongSettingsAreRefusedInWords(_ text: String, _ words: String) throws {
        let error = try #require(throws: JSONError.self) { try settings(text) }
        #expect(error.description.contains(words), "\(error)")
        #expect(error.description.hasPrefix("credit.json:1:"))
    }

    @Test func evidenceComesBackExactly() throws {
        var random = SplitMix(state: 11)
        var evidence = Evidence()
        for step in 0..<4 {
            for number in 0..<2000 {
                let latency = Instant.Span(nanoseconds: UInt64.random(in: 1000...20_000_000_000, using: &random))
                let rows = Int.random(in: 1...100, using: &random)
                let cluster = step == 2 ? UInt32.random(in: 0...9999, using: &random) : nil
                let isError = Int.random(in: 0..<50, using: &random) == 0
                let isCanary = number.isMultiple(of: 7)
                if isCanary {
                    evidence.canary.add(
                        isError: isError, latency: latency, rows: rows, cluster: cluster, paysForStart: false)
                } else {
                    evidence.stable.add(
                        isError: isError, latency: latency, rows: rows, cluster: cluster, paysForStart: false)
                }
            }
            evidence.pairs.add(isFlip: step == 1, difference: 1.0 / Double(step + 3))
            evidence.beginStratum()
        }
        evidence.labels.stable = Labels.OfVersion(
            recorded: 900, labelled: 300, estimate: MetricEstimate(value: 0.1 + 0.2, variance: 1e-17, count: 300))
        evidence.labels.canary.recorded = 5
        let document = try JSONDocument(parsing: evidence.json.compact, source: "record")
        let read = try Evidence(document.root)
        #expect(read == evidence)
        let settings = AnalysisSettings()
        let verdict = Analysis.judge(read, settings, nextShare: 50)
        #expect(verdict == Analysis.judge(evidence, settings, nextShare: 50))
    }

    @Test func anArmInUseIsSmall() {
        var evidence = Evidence()
        for number in 0..<100_000 {
            evidence.stable.add(
                isError: false, latency: .microseconds(UInt64(1000 + number % 3000)), rows: 1, cluster: UInt32(number),
                paysForStart: false)
        }
        #expect(evidence.json.compact.utf8.count < 8000)
    }

    @Test(arguments: [
        #"{}"#, #"{"strata": [], "pairs": {}, "labels": {}}"#,
        #"{"strata": [{"stable": {}, "canary": {}}], "pairs": {}, "labels": {}}"#,
    ])
    func whatIsNoEvidenceIsRefused(_ text: String) throws {
        let document = try JSONDocument(parsing: text, source: "record")
        #expect(throws: JSONError.self) { try Evidence(document.root) }
    }

    @Test(arguments: [
        ("\"errors\":1", "\"errors\":9999"), ("\"latency\":{\"1\":[", "\"latency\":{\"1\":[1537,"),
        ("\"latency\":{\"1\":[", "\"latency\":{\"1\":[5,"), ("\"warm_up_left\":0", "\"warm_up_left\":-1"),
    ])
    func impossibleCountsAreRefused(_ right: String, _ wrong: String) throws {
        var evidence = Evidence(Stratum(stable: Arm(warmUpLeft: 0), canary: Arm(warmUpLeft: 0)))
        for isError in [true, false, false] {
            evidence.stable.add(isError: isError, latency: .milliseconds(2), rows: 1, cluster: 3, paysForStart: false)
        }
        let text = evidence.json.compact
        #expect(text.contains(right))
        let document = try JSONDocument(parsing: text.replacing(right, with: wrong), source: "record")
        #expect(throws: JSONError.self) { try Evidence(document.root) }
    }
}
