internal import RoostEvaluation
internal import Testing

struct GateTests {
    @Test(arguments: [
        ("auc>=0.95", Gate(.auc, .atLeast, 0.95)), ("rmse<=3.2", Gate(.rmse, .atMost, 3.2)),
        ("f1_macro>0.9", Gate(.f1Macro, .above, 0.9)), (" log_loss < 1e-1 ", Gate(.logLoss, .below, 0.1)),
        ("r2 >= -0.5", Gate(.r2, .atLeast, -0.5)),
    ])
    func readsExpressions(text: String, gate: Gate) throws {
        #expect(try Gate(parsing: text) == gate)
    }

    @Test(arguments: [
        ("auc", "expected METRIC>=NUMBER"), ("auc=0.9", "expected METRIC>=NUMBER"), ("", "expected METRIC>=NUMBER"),
        ("gini>=0.9", "unknown metric \"gini\"; known are accuracy, "), (">=0.9", "unknown metric \"\""),
        ("auc>=high", "\"high\" is not a number"), ("auc>=", "\"\" is not a number"), ("auc>=nan", "is not a number"),
        ("auc>==0.9", "\"=0.9\" is not a number"), ("auc>=inf", "is not a number"),
    ])
    func refusesOthersWithTheRemedy(text: String, words: String) throws {
        let error = try #require(throws: GateError.self) { try Gate(parsing: text) }
        #expect(error.description.contains(words), "\(error)")
        #expect(error.description.contains("\"\(text)\""))
    }

    @Test func namesEveryKnownMetric() throws {
        let error = try #require(throws: GateError.self) { try Gate(parsing: "gini>=0.9") }
        for metric in QualityMetric.allCases { #expect(error.description.contains(metric.name)) }
    }

    @Test(arguments: [
        ("auc>=0.95", 0.941, "auc 0.941 < 0.95"), ("rmse<=3.2", 3.25, "rmse 3.25 > 3.2"),
        ("auc>0.95", 0.95, "auc 0.95 <= 0.95"), ("mae<2", 2.0, "mae 2 >= 2"),
        // So near that four digits would say "0.95 < 0.95".
        ("auc>=0.95", 0.949999, "auc 0.949999 < 0.95"), ("mse<=28735", 28735.123, "mse 28735.1 > 28735"),
    ])
    func saysWhatIsMissed(text: String, value: Double, words: String) throws {
        #expect(try Gate(parsing: text).miss(value) == words)
    }

    @Test(arguments: [("auc>=0.95", 0.95), ("rmse<=3.2", 3.2), ("auc>0.95", 0.9500001), ("mae<2", 1.99)])
    func aBoundIsMet(text: String, value: Double) throws {
        #expect(try Gate(parsing: text).miss(value) == nil)
    }

    @Test func aMissingNumberMeetsNothing() throws {
        for text in ["auc>=0", "auc<=0", "auc>0", "auc<0"] { #expect(!(try Gate(parsing: text).isMet(by: .nan))) }
    }

    @Test(arguments: [
        (0.9412345, "0.9412"), (28734.4, "28734"), (3.0, "3"), (0, "0"), (-0.00012345, "-0.0001235"), (1, "1"),
        (0.99999, "1"), (12.3456, "12.35"),
    ])
    func writesFourDigits(value: Double, text: String) {
        #expect(metricText(value) == text)
    }
}
