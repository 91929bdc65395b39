import RoostJSON
import Testing

/// `roost evaluate`, with a model that answers each row with its first cell.
@Suite struct EvaluateTests {
    static let rows = "score,y\n0.9,1\n0.8,1\n0.6,0\n0.4,1\n0.2,0\n0.1,0\n"

    func evaluate(_ text: String, _ more: String...) throws -> (code: Int32, output: String, error: String) {
        let home = try HomeFolder()
        let file = try home.write(text, to: "rows.csv")
        return roost(["evaluate", "m.ubj", file, "--label", "y"] + more)
    }

    @Test func theTableShowsMetricsGatesAndTheConfusionMatrix() throws {
        let said = try evaluate(Self.rows, "--gate", "auc>=0.88", "--gate", "recall > 0.5")
        #expect(said.code == 0 && said.error.isEmpty)
        let lines = said.output.split(separator: "\n").map { $0.split(separator: " ").joined(separator: " ") }
        #expect(lines[0].hasPrefix("6 rows of ") && lines[0].hasSuffix(", label y; 95 % intervals by bootstrap"))
        #expect(lines.contains { $0.hasPrefix("auc 0.8889 [") } && lines.contains { $0.hasPrefix("recall 0.6667 [") })
        #expect(lines.contains("size 2 KiB") && lines.contains("auc>=0.88: met") && lines.contains("recall>0.5: met"))
        #expect(lines.suffix(5).prefix(3) == ["is \\ decided 0 1", "0 2 1", "1 1 2"])
        // Gates choose the metrics whose change is shown; the model refuses rows with holes, if there are any.
        #expect(
            lines.contains { $0.hasPrefix("auc, 1 % noise ") }
                && lines.contains { $0.hasPrefix("recall, 5 % missing ") })
    }

    @Test func aMissedGateIsTheExitCode() throws {
        let said = try evaluate(Self.rows, "--gate", "auc>=0.95", "--json")
        #expect(said.code == 1)
        #expect(said.error == "roost: m.ubj misses auc>=0.95: auc 0.8889 < 0.95\n")
        let report = try JSONValue(parsing: Array(said.output.utf8), source: "report")
        #expect(report["passed"] == false)
        let model = try #require(report["models"]?.arrayValue?.first)
        #expect(model["gates"]?.arrayValue?.first?["miss"] == "auc 0.8889 < 0.95")
        #expect(model["confusion_matrix"]?["counts"] == [[2, 1], [1, 2]])
        #expect(model["metrics"]?["accuracy"]?["value"] == .real(4.0 / 6))
    }

    @Test func whatIsWrongWithTheDataIsOneLine() throws {
        let said = try evaluate("score,z\n1,2\n")
        #expect(said.code == 1 && said.output.isEmpty)
        #expect(said.error.hasSuffix("rows.csv: line 1: there is no label column \"y\"; the columns are score, z\n"))
        let refused = try evaluate("score,y\n0.5,1\n,0\n")
        #expect(refused.code == 1 && refused.error.contains("m.ubj: ") && refused.error.contains("score is missing"))
    }

    @Test(arguments: [
        (["evaluate", "m.ubj"], "TARGET… DATA.csv is missing"),
        (["evaluate", "m.ubj", "x.csv"], "--label COLUMN is missing"),
        (["evaluate", "m.ubj", "x.csv", "--label", "y", "--gate", "auc=1"], "expected METRIC>=NUMBER"),
        (
            ["evaluate", "m.ubj", "x.csv", "--label", "y", "--task", "x"],
            "--task must be binary, multiclass, regression"
        ),
        (["evaluate", "m.ubj", "x.csv", "--label", "y", "--threshold", "x"], "--threshold must be a number"),
        (["diff", "m.ubj"], "OLD NEW [ROWS] is missing"),
    ])
    func wrongUsage(arguments: [String], words: String) {
        let said = roost(arguments)
        #expect(said.code == 2 && said.error.contains(words), "\(said.error)")
    }

    @Test func aFileThatCannotBeLoadedSaysWhy() throws {
        let home = try HomeFolder()
        let file = try home.write(Self.rows, to: "rows.csv")
        #expect(roost(["evaluate", "bad.so", file, "--label", "y"]).error == "roost: bad.so: not a plugin\n")
    }
}
