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
            {"task": "classification", "trained": {"rows": 569}, "columns":
             [{"name": "age", "missing": "refused", "range": [18, 99.5]}, {"name": "colour", "type": "category",
               "categories": ["red", "green"]}]}
            """
        let card = try Card(JSONDocument(parsing: text, source: "card"))
        #expect(card.task == "classification")
        #expect(card.columns.map(\.column) == [age, colour])
        #expect(card.columns[0].range == 18...99.5)
        #expect(card.json["trained"]?["rows"] == 569)
        for bad in ["[]", #"{"columns": [{"name": "a", "range": [2, 1]}]}"#, #"{"task": 1}"#] {
            #expect(throws: JSONError.self) { try Card(JSONDocument(parsing: bad, source: "card")) }
        }
    }
}
