import RoostBasics
import RoostTensors
import RoostWire
import Testing

/// JSON Lines in.
@Suite struct BulkJSONTests {
    private func file(_ change: (inout BulkPlan) -> Void = { _ in }) throws -> BulkFile {
        var plan = BulkPlan(input: .jsonLines, output: .jsonLines)
        change(&plan)
        return try BulkFile(plan)
    }

    @Test(arguments: [
        (#"{"b":2,"a":1,"c":3}"#, #"{"b":2,"a":1,"c":3,"prediction":6.0,"label":0}"#),
        (
            #" {"id":"x\u00e9","a":1,"b":2,"c":null,"more":{"k":[1, 2]}} "#,
            #"{"id":"x\u00e9","a":1,"b":2,"c":null,"more":{"k":[1, 2]},"prediction":3.0,"label":0}"#
        ),
        ("[1, 2,3]", #"{"row":[1, 2,3],"prediction":6.0,"label":0}"#),
        ("[[1,2,3]]", #"{"row":[[1,2,3]],"prediction":6.0,"label":0}"#),
        (
            #"{"id":7,"inputs":[{"name":"features","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}"#,
            #"{"id":7,"inputs":[{"name":"features","shape":[1,3],"datatype":"FP32","data":[1,2,3]}],"prediction":6.0,"label":0}"#
        ),
        (
            #"{"a":1,"b":2,"c":3,"label":5,"prediction":9}"#,
            #"{"a":1,"b":2,"c":3,"label":5,"prediction":9,"prediction_predicted":6.0,"label_predicted":0}"#
        ),
    ])
    func rowsOfEachFormAreTaken(_ row: String, _ output: String) throws {
        let text = row.contains(#""id":7"#) ? row.replacing(#""id":7"#, with: #""id":"7""#) : row
        let wanted = row.contains(#""id":7"#) ? output.replacing(#""id":7"#, with: #""id":"7""#) : output
        let scored = try file().score("\n" + text + "\r\n\r\n[1,2,4]")
        #expect(scored.output == wanted + "\n" + #"{"row":[1,2,4],"prediction":7.0,"label":0}"# + "\n", "\(scored)")
        #expect(scored.badRows == 0)
    }

    @Test(arguments: [
        (#"{"a":1,"b":2}"#, #"column \"c\" is absent"#),
        (#"{"a":1,"b":"x","c":3}"#, #"column \"b\": expected a number, got \"x\""#),
        ("[1,2]", "expected 3 values, got 2"), ("[[1,2,3],[4,5,6]]", "a line holds one row, got 2"),
        ("[]", "the request has no rows"), ("17", "expected rows, an array or an object, got 17"),
        (#"{"a":1,"#, "not JSON at byte 7: expected a key in quotes, got the end of the body"),
        ("[1,2,3] 4", "not JSON at byte 8: expected the end"),
        ("  ", "expected rows, an array or an object, got the end of the body"),
        (#"{"a":1,"b":2,"c":3,"c":4}"#, #"column \"c\" appears twice"#),
        (
            #"{"inputs":[{"name":"features","shape":[2,3],"datatype":"FP32","data":[1,2,3,4,5,6]}]}"#,
            "a line holds one row, got 2"
        ),
        (
            #"{"inputs":[{"name":"features","shape":[1,3],"datatype":"FP32","data":[1,2,3]}],"parameters":{"k":1}}"#,
            #"\"parameters\" hold for a whole batch: they are not taken with a row"#
        ),
    ])
    func badRowsAreToldOf(_ row: String, _ reason: String) throws {
        let scored = try file { $0.passThrough = .none }.score("[1,2,3]\n\(row)\n[1,2,4]\n", line: 7)
        #expect(scored.output.split(separator: "\n").count == 2 && scored.badRows == 1)
        let quoted = String(decoding: JSONText.quoted(row), as: UTF8.self)
        #expect(scored.errors == #"{"line":8,"reason":"\#(reason)","row":\#(quoted)}"# + "\n")
    }

    @Test func membersAreChosenByName() throws {
        let file = try file { ($0.ids, $0.passThrough) = (["id"], .named(["why", "id"])) }
        let rows =
            #"{"why":[1],"a":1,"b":2,"c":3,"id":"x,\"y\""}"# + "\n[1,2,3]\n" + #"{"a":1,"b":2,"c":3,"why":null,"id":5}"#
        #expect(
            try file.score(rows).lines == [
                #"{"id":"x,\"y\"","why":[1],"prediction":6.0,"label":0}"#,
                #"{"id":null,"why":null,"prediction":6.0,"label":0}"#,
                #"{"id":5,"why":null,"prediction":6.0,"label":0}"#,
            ])
        file.plan.output = .csv
        #expect(
            try file.score(rows, wantsHeader: true).output
                == "id,why,prediction,label\n\"x,\"\"y\"\"\",[1],6.0,0\n,,6.0,0\n5,,6.0,0\n")
        file.plan.passThrough = .all
        #expect(throws: RoostError.self) { _ = try file.score(rows) }
    }

    @Test func rowsOfAnyLengthRunApart() throws {
        let signature = Signature(
            inputs: [TensorSpec(name: "features", dtype: .float32, shape: [-1, -1])],
            outputs: [TensorSpec(name: "y", dtype: .float32, shape: [-1])])
        var plan = BulkPlan(input: .jsonLines, output: .csv)
        plan.passThrough = .none
        let file = try BulkFile(signature, plan)
        let scored = try file.score("[1,2]\n[3,4]\n[1]\n{}\n[1,2,3]\n", wantsHeader: true)
        #expect(scored.output == "prediction\n3.0\n7.0\n1.0\n6.0\n" && scored.badRows == 1 && file.batches == 3)
    }

    @Test func theColumnOfABadCellIsCounted() throws {
        let scored = try file { $0.passThrough = .none }.score("[1,\"x\",3]\n[1,null,3]\n")
        #expect(scored.report.columns.map(\.refused) == [0, 1, 0])
        #expect(scored.report.columns.map(\.missing) == [0, 1, 0])
    }
}
