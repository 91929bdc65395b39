import RoostEvaluation
import RoostFunctions
import RoostJSON
import RoostTensors
import Testing

@Suite struct CardsTests {
    let age = Column(name: "age", missingAllowed: false)
    let colour = Column(name: "colour", kind: .category, categories: ["red", "green"])

    func signature(
        _ columns: [Column] = [], width: Int = 2, dtype: DType = .float32, outputs: [TensorSpec]? = nil
    ) -> Signature {
        Signature(
            inputs: [TensorSpec(name: "features", dtype: dtype, shape: [-1, width])],
            outputs: outputs ?? [TensorSpec(name: "predictions", dtype: .float32, shape: [-1])], columns: columns)
    }

    @Test func signaturesSurviveTheirText() throws {
        let signature = signature([age, colour, Column(name: "note", kind: .text)])
        let text = signature.json.compact
        #expect(text.contains(#""columns":[{"name":"age","type":"number","missing":"refused"}"#))
        #expect(text.hasPrefix(#"{"inputs":[{"name":"features","datatype":"FP32","shape":[-1,2]}]"#))
        #expect(try Signature(JSONDocument(parsing: text, source: "template").root) == signature)
    }

    @Test(arguments: [
        "[]", "{}", #"{"inputs": [], "outputs": {}}"#, #"{"inputs": [{"name": "x"}], "outputs": []}"#,
        #"{"inputs": [{"name": "", "datatype": "FP32", "shape": [-1]}], "outputs": []}"#,
        #"{"inputs": [{"name": "x", "datatype": "FP33", "shape": [-1]}], "outputs": []}"#,
        #"{"inputs": [{"name": "x", "datatype": "FP32", "shape": []}], "outputs": []}"#,
        #"{"inputs": [{"name": "x", "datatype": "FP32", "shape": [-2]}], "outputs": []}"#,
        #"{"inputs": [], "outputs": [], "columns": [{"name": "a"}, {"name": "a"}]}"#,
        #"{"inputs": [], "outputs": [], "columns": [{"name": "a", "missing": "maybe"}]}"#,
        #"{"inputs": [], "outputs": [], "columns": [{"name": "a", "type": "colour"}]}"#,
    ])
    func aTemplatesNonsenseIsRefused(_ text: String) {
        #expect(throws: JSONError.self) { try Signature(JSONDocument(parsing: text, source: "template").root) }
    }

    @Test func additiveChangesPass() {
        let serving = signature([age, colour])
        let label = TensorSpec(name: "label", dtype: .int64, shape: [-1])
        let wider = Column(name: "colour", kind: .category, categories: ["red", "green", "blue"])
        let laxer = Column(name: "age", missingAllowed: true)
        #expect(serving.incompatibility(with: serving) == nil)
        #expect(signature([laxer, wider], outputs: serving.outputs + [label]).incompatibility(with: serving) == nil)
        #expect(serving.incompatibility(with: signature()) == nil)
        #expect(signature(width: -1).incompatibility(with: signature()) == nil)
    }

    @Test func whateverACallerWouldNoticeIsNamed() {
        let serving = signature([age, colour])
        let cases: [(Signature, String)] = [
            (signature([age], width: 1), "column \"colour\" is gone"),
            (signature([age, colour, Column(name: "income")], width: 3), "column \"income\" is new"),
            (signature([colour, age]), "another order"),
            (signature(), "column \"age\" is gone"),
            (signature([age, Column(name: "colour")]), "is of type number, the serving version's is category"),
            (signature([age, Column(name: "colour", kind: .category, categories: ["red"])]), "category \"green\""),
            (signature([age, colour], dtype: .float64), "input \"features\" is FP64, the serving version's is FP32"),
            (signature([age, colour], outputs: []), "output \"predictions\" is gone"),
        ]
        for (candidate, words) in cases {
            #expect(candidate.incompatibility(with: serving)?.contains(words) == true, "\(words)")
        }
        #expect(signature(width: 3).incompatibility(with: signature())?.contains("[-1, 3]") == true)
        #expect(
            signature([Column(name: "age", missingAllowed: false)]).incompatibility(
                with: signature([Column(name: "age")]))
                == "column \"age\" may no longer be empty")
        let vague = [TensorSpec(name: "predictions", dtype: .float32, shape: [-1, -1])]
        #expect(signature(outputs: vague).incompatibility(with: signature())?.contains("output") == true)
    }

    @Test func cardsKeepWhatTheyDoNotKnow() throws {
        let text = """
            {"task": "binary", "classes": ["no", 1], "positive": 1, "trained": {"rows": 569}, "columns":
             [{"name": "age", "missing": "refused", "range": [18, 99.5]}, {"name": "colour", "type": "category",
               "categories": ["red", "green"]}]}
            """
        let card = try Card(JSONDocument(parsing: text, source: "card"))
        #expect(card.task == TaskDescription(.binary, classes: ["no", "1"], positive: "1"))
        #expect(card.columns.map(\.column) == [age, colour])
        #expect(card.columns[0].range == 18...99.5)
        #expect(card.json["trained"]?["rows"] == 569)
        #expect(try Card(JSONDocument(parsing: "{}", source: "card")).task == nil)
        for bad in ["[]", #"{"columns": [{"name": "a", "range": [2, 1]}]}"#, #"{"task": 1}"#] {
            #expect(throws: JSONError.self) { try Card(JSONDocument(parsing: bad, source: "card")) }
        }
    }

    @Test(arguments: [
        (#"{"task": "magic"}"#, "task must be one of binary, multiclass, regression, ranking"),
        (#"{"classes": ["a", "b"]}"#, "classes says nothing without \"task\""),
        (#"{"task": "binary", "classes": ["a"]}"#, "classes of a binary model are two, got 1"),
        (#"{"task": "binary", "classes": ["a", "a"]}"#, "class \"a\" is named twice"),
        (#"{"task": "regression", "classes": ["a", "b"]}"#, "a regression model has no classes"),
        (#"{"task": "multiclass", "classes": ["a", "b"], "positive": "a"}"#, "positive is for binary models"),
        (#"{"task": "binary", "classes": ["a", "b"], "positive": "c"}"#, "positive is \"c\", which is none of classes"),
        (#"{"task": "binary", "classes": [true, "b"]}"#, "classes[0] must be a string, got a boolean"),
    ])
    func tasksThatCannotBeAreRefused(text: String, words: String) throws {
        let error = try #require(throws: JSONError.self) { try Card(JSONDocument(parsing: text, source: "card")) }
        #expect(error.description.contains(words), "\(error)")
    }
}
