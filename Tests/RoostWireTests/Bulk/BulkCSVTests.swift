import RoostBasics
import RoostTensors
import RoostWire
import Testing

/// CSV in, CSV and JSON out.
@Suite struct BulkCSVTests {
    private func file(_ change: (inout BulkPlan) -> Void = { _ in }, header: String = "id,a,b,c") throws -> BulkFile {
        var plan = BulkPlan(input: .csv, output: .csv)
        change(&plan)
        try plan.takeFirstRecord(Array(header.utf8).bytes)
        return try BulkFile(plan)
    }

    @Test(arguments: [
        ("x,1,2,3\n", "x,1,2,3,6.0,0\n"), ("x,1,2,3", "x,1,2,3,6.0,0\n"), ("x,1,2,3\r\n", "x,1,2,3,6.0,0\n"),
        ("x,1,2,3\r", "x,1,2,3,6.0,0\n"), ("\n\r\nx,1,2,3\n\n", "x,1,2,3,6.0,0\n"),
        ("\"a, \"\"b\"\"\n\",1,\"2\",3\n", "\"a, \"\"b\"\"\n\",1,\"2\",3,6.0,0\n"),
        (" x , 1 ,\t2,3e0 \n", " x , 1 ,\t2,3e0 ,6.0,0\n"), ("5\" pipe,1,2,3\n", "5\" pipe,1,2,3,6.0,0\n"),
        ("x,,NaN,\"\"\n", "x,,NaN,\"\",0.0,0\n"), ("ü,1,2,3\n", "ü,1,2,3,6.0,0\n"),
        ("x,1234567.25,-0.5,1e-3\n", "x,1234567.25,-0.5,1e-3,1234566.8,1\n"),
        ("x,99,0,0\ny,98,0,0\n", "x,99,0,0,,1\ny,98,0,0,inf,1\n"),
    ])
    func rowsGoOnAsTheyStand(_ text: String, _ output: String) throws {
        let scored = try file().score(text)
        #expect(scored.output == output && scored.badRows == 0 && scored.errors.isEmpty, "\(scored)")
    }

    @Test(arguments: [
        ("x,1,2\n", "expected 4 columns, got 3"), ("x,1,2,3,4,\n", "expected 4 columns, got 6"),
        ("x,1,y,3\n", #"column \"b\": expected a number, got \"y\""#),
        ("x,1,\"2\"5,3\n", "expected ',' or the end of the line behind a closing quote"),
        ("x,1,1e99,3\n", #"column \"b\": number out of range: 1e99 does not fit FP32"#),
        ("x,1,2,\"3\n", "expected a closing quote"), ("x,1,2\r,3\n", "expected 4 columns, got 3"),
        ("x,1,2,3\r4\n", "a carriage return without a line feed behind it"), ("x\0,1,2,3\n", "a NUL byte: no text"),
        ("x,1,2\0,3\n", #"column \"b\": expected a number, got \"2\u0000\""#),
        ("x,1,\"2\n2\",3\n", #"column \"b\": expected a number, got \"2\n2\""#),
    ])
    func badRowsAreToldOfAndTheOthersGoOn(_ text: String, _ reason: String) throws {
        let isCut = text.contains("\"3\n")
        let scored = try file().score("w,1,2,3\n\n" + text + (isCut ? "" : "z,1,2,4\n"), line: 10)
        #expect(scored.output == "w,1,2,3,6.0,0\n" + (isCut ? "" : "z,1,2,4,7.0,0\n"))
        let row = isCut ? text : String(text.dropLast())
        let quoted = String(decoding: JSONText.quoted(row), as: UTF8.self)
        #expect(scored.errors == #"{"line":12,"reason":"\#(reason)","row":\#(quoted)}"# + "\n")
        #expect(scored.badRows == 1 && scored.rows == (isCut ? 1 : 2) && scored.report.badRows == 1)
    }

    @Test func textThatIsNotUTF8IsABadRowWhereItIsNeeded() throws {
        let text = Array("x,1,2,3,".utf8) + [0xFF, 0x0A] + Array("y,1,2,4,é\n".utf8)
        let kept = try file(header: "id,a,b,c,d").score(text)
        #expect(kept.output == "y,1,2,4,é,7.0,0\n" && kept.badRows == 1)
        #expect(kept.errors == #"{"line":1,"reason":"the text is not UTF-8","row":"x,1,2,3,\#u{FFFD}"}"# + "\n")
        let ids = try file({ $0.passThrough = .named(["id", "d"]) }, header: "id,a,b,c,d").score(text)
        #expect(ids.errors.contains(#""reason":"column \"d\": the text is not UTF-8""#) && ids.rows == 1)
        let none = try file({ $0.passThrough = .none }, header: "id,a,b,c,d").score(text)
        #expect(none.output == "6.0,0\n7.0,0\n" && none.badRows == 0)
    }

    @Test func linesAreCountedThroughQuotes() throws {
        let scored = try file().score("\"a\nb\",1,2,3\nx,y,2,3\n\"c\n\nd\",1,2,\"3\n\ne,z,1,2\n", line: 1)
        #expect(scored.rows == 1 && scored.badRows == 2)
        #expect(scored.errors.contains(#"{"line":3,"#) && scored.errors.contains(#"{"line":4,"#), "\(scored.errors)")
    }

    @Test func longRowsAreShownInPart() throws {
        let scored = try file().score(String(repeating: "é", count: 40_000) + ",1\n")
        #expect(scored.errors.utf8.count > 60_000 && scored.errors.utf8.count < 66_000)
        #expect(!scored.errors.contains("\u{FFFD}") && scored.errors.hasSuffix("é\"}\n"))
    }

    @Test func otherDelimitersSeparateInAndOut() throws {
        let scored = try file({ $0.delimiter = UInt8(ascii: ";") }, header: "id;a;b;c").score(
            "x,y;1;2;\"3\"\n", wantsHeader: true)
        #expect(scored.output == "id;a;b;c;prediction;label\nx,y;1;2;\"3\";6.0;0\n")
        let tabs = try file({ ($0.delimiter, $0.passThrough) = (9, .none) }, header: "a\tb\tc").score("1\t2\t\"3\"\n")
        #expect(tabs.output == "6.0\t0\n")
    }

    @Test func csvBecomesObjects() throws {
        let file = try file({ $0.output = .jsonLines }, header: "id,a,b,c,\"say \"\"x\"\"\",prediction")
        let scored = try file.score("007,1,\"2\",3e0,\"a\"\"\n\",\n 8 ,1,,3,-0.50, p \n", wantsHeader: true)
        #expect(
            scored.output
                == #"{"id":"007","a":1,"b":"2","c":3e0,"say \"x\"":"a\"\n","prediction":null,"prediction_predicted":6.0,"label":0}"#
                + "\n"
                + #"{"id":8,"a":1,"b":null,"c":3,"say \"x\"":-0.50,"prediction":"p","prediction_predicted":4.0,"label":0}"#
                + "\n")
        file.plan.passThrough = .none
        #expect(try file.score("1,99,0,0,,\n").output == #"{"prediction":null,"label":1}"# + "\n")
    }

    @Test func aThresholdDecidesTheLabel() throws {
        let file = try file { ($0.passThrough, $0.threshold) = (.none, 6) }
        #expect(try file.score("x,1,2,3\ny,1,2,4\n").output == "6.0,0\n7.0,1\n")
    }

    @Test func rowsThatTheModelRefusesAreBadRows() throws {
        let file = try file { $0.passThrough = .none }
        file.refused = 7
        let scored = try file.score("x,1,2,4\nx,1,2,y\nx,1,2,3\nx,2,2,3\n")
        #expect(
            scored.output == "6.0,0\n" && scored.badRows == 3 && scored.report.badRows == 1 && scored.report.rows == 3)
        #expect(
            scored.errors.split(separator: "\n").map { $0.prefix(10) } == [
                "{\"line\":1,", "{\"line\":2,", "{\"line\":4,",
            ])
        #expect(scored.errors.contains(#""reason":"no such row","row":"x,2,2,3""#))
    }

    @Test func aBlockThatFailsRunsRowByRow() throws {
        let file = try file { $0.passThrough = .named(["id"]) }
        file.poison = 7
        let scored = try file.score("x,1,2,3\ny,1,2,4\nz,1,2,5\n")
        #expect(scored.output == "x,6.0,0\nz,8.0,0\n" && file.batches == 4)
        #expect(scored.errors == #"{"line":2,"reason":"poisoned","row":"y,1,2,4"}"# + "\n")
    }

    @Test func longChunksRunInBlocks() throws {
        let file = try file { $0.passThrough = .named(["id"]) }
        let rows = (0..<5000).map { "r\($0),\($0),0,\($0 % 7 == 0 ? "x" : "1")\n" }
        file.poison = 4
        let scored = try file.score(rows.joined())
        #expect(scored.rows == 4284 && scored.badRows == 716 && file.batches > 4)
        #expect(scored.lines.last == "r4999,5000.0,1" && scored.lines.first == "r1,2.0,0")
        let lines = scored.errors.split(separator: "\n").compactMap { line in
            line.dropFirst(8).prefix { $0.isNumber }.description
        }.compactMap { Int($0) }
        #expect(lines.count == 716 && lines == lines.sorted() && lines.contains(4))
    }

    @Test func columnsHaveTheirRulesAsInRequests() throws {
        let columns = [
            Column(name: "age"), Column(name: "color", kind: .category, categories: ["red", "green"]),
            Column(name: "size", missingAllowed: false),
        ]
        var plan = BulkFile.plain()
        try plan.takeFirstRecord(Array("size,color,age".utf8).bytes)
        let scored = try BulkFile(plan, columns: columns).score("1,green,2\n1,\"red\",2\n1,blue,2\n,red,2\n1,,\n")
        #expect(scored.output == "4.0,0\n3.0,0\n1.0,0\n")
        #expect(
            scored.errors.contains(#"column \"color\": unknown category \"blue\", expected one of \"red\", \"green\""#))
        #expect(scored.errors.contains(#"column \"size\": is missing, and this column must not be"#))
        #expect(scored.report.columns.map(\.refused) == [0, 1, 1])
    }

    @Test func inputsOfOneElementAreColumns() throws {
        let signature = Signature(
            inputs: [
                TensorSpec(name: "n", dtype: .int32, shape: [-1]),
                TensorSpec(name: "t", dtype: .bytes, shape: [-1, 1]),
                TensorSpec(name: "x", dtype: .float64, shape: [-1]),
            ], outputs: [TensorSpec(name: "y", dtype: .float32, shape: [-1])])
        var plan = BulkFile.plain()
        try plan.takeFirstRecord(Array("x,t,n,u".utf8).bytes)
        let scored = try BulkFile(signature, plan).score("1.5,\"a\"\"b\",2,\n2,,3,\n1,a,1.5,\n1.5,\"a\"\"b\",2,z\n")
        #expect(scored.output == "3.5\n5.0\n3.5\n")
        #expect(scored.errors.contains(#"column \"n\": expected an integer, got \"1.5\""#))
        #expect(scored.report.columns.map(\.missing) == [0, 1, 0] && scored.report.duplicates == 1)
    }
}
