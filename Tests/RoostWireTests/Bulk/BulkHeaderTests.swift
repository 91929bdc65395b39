import RoostBasics
import RoostTensors
import RoostWire
import Testing

/// How the columns of a file meet those of a model.
@Suite struct BulkHeaderTests {
    private func read(_ record: String, _ rule: BulkPlan.HeaderRule = .automatic) throws(RoostError) -> BulkPlan {
        var plan = BulkPlan(input: .csv, output: .csv)
        try plan.takeFirstRecord(Array(record.utf8).bytes, header: rule)
        return plan
    }

    @Test(arguments: [
        ("a,b\n", true, ["a", "b"]), ("1,2\r\n", false, ["1", "2"]), ("1,x", true, ["1", "x"]),
        (",1e5,-3,NaN,inf", false, ["1", "2", "3", "4", "5"]), ("\u{FEFF} a ,\"b\"\"\n\"", true, ["a", "b\"\n"]),
        ("\n\n\"1\",\"\"", false, ["1", "2"]), ("1.,2", true, ["1.", "2"]),
    ])
    func aHeaderHasAFieldThatIsNoNumber(_ record: String, _ isHeader: Bool, _ columns: [String]) throws {
        let plan = try read(record)
        #expect(plan.hasHeader == isHeader && plan.columns == columns, "\(plan.columns)")
    }

    @Test func anOptionSaysWhetherThereIsAHeader() throws {
        #expect(try read("1,2", .present).columns == ["1", "2"] && read("1,2", .present).hasHeader)
        #expect(try read("x,y,z", .absent).columns == ["1", "2", "3"] && !read("x,y,z", .absent).hasHeader)
    }

    @Test func whatIsNoHeaderIsRefused() throws {
        for (record, part) in [
            ("", "no rows"), ("\n\n", "no rows"), ("a,\"b", "a closing quote"), ("a\0,b", "NUL"),
            (String(repeating: ",", count: BulkPlan.columnsMax), "16385 columns"),
        ] {
            let error = #expect(throws: RoostError.self) { _ = try read(record) }
            #expect(error?.code == .invalidArgument && error?.message.contains(part) == true, "\(error?.message ?? "")")
        }
        var plan = BulkPlan(input: .csv, output: .csv)
        #expect(throws: RoostError(.invalidArgument, "line 1: the text is not UTF-8")) {
            try plan.takeFirstRecord([0x61, 0xFF, 0x2C].bytes)
        }
    }

    @Test func plansTravel() throws {
        var plan = BulkPlan(input: .jsonLines, output: .csv)
        plan.delimiter = UInt8(ascii: ";")
        (plan.columns, plan.ids, plan.classes) = (["a", "", "ü"], ["id"], ["no", "yes"])
        plan.passThrough = .named(["x", "y"])
        (plan.threshold, plan.wantsProbabilities, plan.hasHeader) = (0.25, true, true)
        let bytes = plan.encode()
        #expect(try BulkPlan(decoding: bytes.bytes) == plan)
        for change in [
            { $0.threshold = .nan }, { $0.passThrough = .all }, { $0.input = .csv }, { $0.ids = [] },
            { $0.classes = [] }, { $0.hasHeader = false }, { $0.wantsProbabilities = false }, { $0.delimiter = 9 },
        ] as [(inout BulkPlan) -> Void] {
            var other = plan
            change(&other)
            #expect(other != plan)
            let bytes = other.encode()
            #expect(try BulkPlan(decoding: bytes.bytes) == other)
        }
        for count in bytes.indices {
            #expect(throws: RoostError.self) { _ = try BulkPlan(decoding: Array(bytes[..<count]).bytes) }
        }
    }

    private func header(_ file: BulkFile, _ record: String) throws -> String {
        try file.plan.takeFirstRecord(Array(record.utf8).bytes)
        return try file.score([], wantsHeader: true).output
    }

    private func complaint(_ file: BulkFile, _ record: String, _ ids: [String] = []) -> String? {
        file.plan.ids = ids
        return #expect(throws: RoostError.self) { _ = try header(file, record) }?.message
    }

    @Test func namesWinOverOrderAndOthersMayStandBetween() throws {
        let file = try BulkFile(BulkFile.plain { $0.ids = ["id"] })
        #expect(try header(file, "c,label,a,id,b") == "id,prediction,label\n")
        #expect(try file.score("100,9,1,x,10\n").output == "x,111.0,1\n")
        file.plan.passThrough = .named(["label", "c"])
        #expect(
            try file.score("100,9,1,x,10\n", wantsHeader: true).output
                == "c,label,id,prediction,label_predicted\n100,9,x,111.0,1\n")
        file.plan.passThrough = .all
        #expect(try file.score("", wantsHeader: true).output == "c,label,a,id,b,prediction,label_predicted\n")
    }

    @Test func whatIsUnknownAbsentOrTwiceIsNamed() throws {
        let file = try BulkFile(BulkFile.plain())
        #expect(complaint(file, "a,B,c") == #"line 1: column "b" is absent; unknown: "B""#)
        #expect(complaint(file, "a,b") == #"line 1: column "c" is absent"#)
        #expect(complaint(file, "a,b,c,a") == #"line 1: column "a" appears twice"#)
        #expect(complaint(file, "a,b,c", ["key"]) == #"line 1: unknown column "key": the file has "a", "b", "c""#)
        #expect(complaint(file, "a,b,c", ["b"]) == #"column "b" is an input of the model, and no id"#)
        #expect(complaint(file, "1,2") == "line 1: expected 3 columns, got 2")
        file.plan.passThrough = .named(["zip"])
        #expect(complaint(file, "a,b,c") == #"line 1: unknown column "zip": the file has "a", "b", "c""#)
    }

    @Test func withoutNamesThePositionDecides() throws {
        let file = try BulkFile(BulkFile.plain { $0.ids = ["2"] })
        #expect(try header(file, "1,7,10,100") == "column_2,prediction,label\n")
        #expect(try file.score("1,7,10,100\n").output == "7,111.0,1\n")
        file.plan.passThrough = .all
        #expect(try file.score("", wantsHeader: true).output == "a,column_2,b,c,prediction,label\n")
        file.plan.ids = []
        #expect(complaint(file, "1,7,10,100") == "line 1: expected 3 columns, got 4")
    }

    @Test func aModelWithoutNamesTakesAnyByPosition() throws {
        let file = try BulkFile(BulkFile.plain(), columns: [])
        #expect(try header(file, "radius,ID,texture,area") == "prediction,label\n")
        #expect(try file.score("1,x,10,100\n").output == "111.0,1\n")
        #expect(try header(file, "f2,f0,f1,y") == "prediction,label\n")
        #expect(try file.score("100,1,10,z\n").output == "111.0,1\n")
        file.plan.passThrough = .named(["y"])
        #expect(try header(file, "radius,y,texture,area") == "y,prediction,label\n")
        #expect(complaint(file, "radius,y,texture") == "line 1: expected 3 columns, got 2")
        #expect(complaint(file, "f0,f1,y") == #"line 1: column "f2" is absent; unknown: "y""#)
    }

    @Test func objectsOutOfCSVHaveEachMemberOnce() throws {
        let file = try BulkFile()
        file.plan.output = .jsonLines
        #expect(complaint(file, "a,b,c,x,x") == #"line 1: column "x" appears twice"#)
        file.plan.output = .csv
        #expect(try header(file, "a,b,c,x,x") == "a,b,c,x,x,prediction,label\n")
    }

    @Test func outputsAreNamedByWhatTheyAre() throws {
        let inputs = [TensorSpec(name: "features", dtype: .float32, shape: [-1, 1])]
        let scores = TensorSpec(name: "scores", dtype: .float32, shape: [-1, 3])
        let label = TensorSpec(name: "label", dtype: .int64, shape: [-1])
        let free = TensorSpec(name: "free", dtype: .float32, shape: [-1, -1])
        let classes = try BulkFile(Signature(inputs: inputs, outputs: [scores, label]), BulkFile.plain())
        #expect(try header(classes, "f0") == "label\n")
        classes.plan.wantsProbabilities = true
        classes.plan.classes = ["cat", "dog,wolf"]
        #expect(try header(classes, "f0") == "probability_cat,\"probability_dog,wolf\",probability_2,label\n")
        #expect(try classes.score("1\n").output == "1.0,2.0,3.0,0\n")
        classes.plan.output = .jsonLines
        #expect(try classes.score("1\n").output == #"{"probabilities":[1.0,2.0,3.0],"label":0}"# + "\n")

        let values = try BulkFile(Signature(inputs: inputs, outputs: [scores, free]), BulkFile.plain())
        #expect(try header(values, "f0") == "prediction_0,prediction_1,prediction_2,free\n")
        #expect(try values.score("1\n").output == "1.0,2.0,3.0,\"[1.0,2.0]\"\n")
        values.plan.output = .jsonLines
        #expect(try values.score("1\n").output == #"{"prediction":[1.0,2.0,3.0],"free":[1.0,2.0]}"# + "\n")
    }

    @Test func modelsThatAreNoTableTakeNoCSV() throws {
        let image = Signature(
            inputs: [TensorSpec(name: "image", dtype: .float32, shape: [-1, 2, 2])],
            outputs: [TensorSpec(name: "y", dtype: .float32, shape: [-1])])
        let file = try BulkFile(image, BulkFile.plain())
        #expect(complaint(file, "a,b") == "this model's inputs are no table: give JSON Lines instead of CSV")
    }
}
