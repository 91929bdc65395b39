import RoostBasics
import RoostTensors
import RoostWire
import Testing

/// JSON rows and CSV.
@Suite struct RowsTests {
    private let columns = [
        Column(name: "age"), Column(name: "color", kind: .category, categories: ["red", "green", "3"]),
        Column(name: "size", missingAllowed: false),
    ]

    @Test(arguments: [
        ("[[1,2,3],[4,5,6]]", [1, 2, 3, 4, 5, 6]), ("[1,2,3]", [1, 2, 3]), (" [ [ 1 , 2.5e0 , -3 ] ] ", [1, 2.5, -3]),
        (#"[{"f0":1,"f1":2,"f2":3},{"f2":6,"f0":4,"f1":5}]"#, [1, 2, 3, 4, 5, 6]),
        (#"{"f2":3,"f1":2,"f0":1}"#, [1, 2, 3]),
        (#"[{"f0":1,"f1":2,"f2":3},[4,5,6]]"#, [1, 2, 3, 4, 5, 6]),
    ])
    func rowsComeAsArraysOrObjects(_ text: String, _ values: [Float]) throws {
        let codec = try Codec()
        try codec.decode(text)
        #expect(codec.floats == values && codec.request.rows * 3 == values.count)
    }

    @Test(arguments: [
        (#"[{"age":41,"color":"green","size":1}]"#, [41, 1, 1]), (#"[[41,"red",1],[2,3,3]]"#, [41, 0, 1, 2, 2, 3]),
    ])
    func categoriesBecomeTheirPlaces(_ text: String, _ values: [Float]) throws {
        let codec = try Codec(columns: columns)
        try codec.decode(text)
        #expect(codec.floats == values)
    }

    @Test(arguments: [
        (#"[[1,"red",3],[1,"red"]]"#, "row 2: expected 3 values, got 2"),
        (#"[[1,"red",3,4,5]]"#, "row 1: expected 3 values, got 5"),
        (#"[[1,"red",3],["abc","red",1]]"#, #"row 2, column "age": expected a number, got "abc""#),
        (#"[[1,"blue",3]]"#, #"row 1, column "color": unknown category "blue", expected one of "red", "green", "3""#),
        (#"[[1,true,3]]"#, #"row 1, column "color": expected a string, got true"#),
        (#"[[1,"red",null]]"#, #"row 1, column "size": is missing, and this column must not be"#),
        (#"[{"age":1,"color":"red"}]"#, #"row 1: column "size" is absent"#),
        (#"[{"age":1,"color":"red","size":1,"zip":2}]"#, #"row 1: unknown column "zip""#),
        (#"[{"age":1,"age":2,"color":"red","size":1}]"#, #"row 1: column "age" appears twice"#),
        ("[]", "the request has no rows"), ("7", "expected rows, an array or an object, got 7"),
        (#"[[1,"red",3],4]"#, "row 2: expected an array of 3 values or an object, got 4"),
        ("[[1,\"red\",3]", "not JSON at byte 12: expected ',' or ']', got the end of the body"),
        ("[[1,\"red\",3]] x", "not JSON at byte 14: expected the end"),
        ("[[1,\"red\",1e99]]", "number out of range: 1e99 does not fit FP32"),
    ])
    func wrongRowsAreNamed(_ text: String, _ complaint: String) throws {
        let message = try Codec(columns: columns).complaint(text)
        #expect(message?.contains(complaint) == true, "\(message ?? "taken")")
    }

    @Test func aRequestThatFailsTakesBackItsOwnRowsOnly() throws {
        let codec = try Codec()
        try codec.decode("[[1,2,3]]")
        #expect(codec.complaint("[[7,8,9],[7,8,9],[7,8,null],[7,8]]") == "row 4: expected 3 values, got 2")
        try codec.decode("[[4,5,6]]")
        #expect(codec.floats == [1, 2, 3, 4, 5, 6] && codec.batch.rows == 2)
    }

    @Test func modelsThatAreNoTableTakeObjectsKeyedByInput() throws {
        let codec = try Codec(
            Signature(
                inputs: [
                    TensorSpec(name: "image", dtype: .uint8, shape: [-1, 2, 2]),
                    TensorSpec(name: "text", dtype: .bytes, shape: [-1]),
                    TensorSpec(name: "tail", dtype: .float32, shape: [-1, -1]),
                ], outputs: []))
        try codec.decode(
            #"[{"text":"hi","image":[[1,2],[3,4]],"tail":[1,2,3]},{"image":[[5,6],[7,8]],"tail":[4,5,6],"text":""}]"#)
        #expect(codec.input(as: UInt8.self) == [1, 2, 3, 4, 5, 6, 7, 8] && codec.texts(1) == ["hi", ""])
        #expect(codec.input(2, as: Float.self) == [1, 2, 3, 4, 5, 6])
        #expect(try codec.decode(#"{"text":"","image":[[1,2],[3,4]],"tail":[1]}"#) == .separate)
        for (text, complaint) in [
            (#"{"text":"","image":[[1,2],[3,4]]}"#, #"row 1: input "tail" is absent"#),
            (#"{"text":"","image":[[1,2],[3]],"tail":[1,2,3]}"#, #"row 1, input "image": expected 2 elements, got 1"#),
            (#"{"text":1,"image":[[1,2],[3,4]],"tail":[1]}"#, #"row 1, input "text": expected a string, got 1"#),
            (#"{"texd":1}"#, #"row 1: unknown input "texd""#),
            ("[[1]]", #"row 1: expected an object with "image", "text", "tail""#),
            (
                #"[{"text":"","image":[[1,2],[3,4]],"tail":[1,2,3]},{"text":"","image":[[1,2],[3,4]],"tail":[1]}]"#,
                "expected shape [3], got [1]"
            ),
        ] {
            let message = codec.complaint(text)
            #expect(message?.contains(complaint) == true, "\(message ?? "taken")")
        }
        #expect(codec.batch.rows == 2)
    }

    /// One value needs no brackets where a row has one.
    @Test func anInputOfOneElementIsGivenBareOrInBrackets() throws {
        let inputs = ["x", "y"].map { TensorSpec(name: $0, dtype: .float32, shape: [-1, 1]) }
        let codec = try Codec(Signature(inputs: inputs, outputs: []))
        try codec.decode(#"[{"x":1,"y":[2]},{"x":[3],"y":4}]"#)
        #expect(codec.floats == [1, 3] && codec.input(1, as: Float.self) == [2, 4])
        #expect(codec.complaint(#"{"x":[[1]],"y":2}"#) == #"row 1, input "x": expected a number, got an array"#)
        #expect(codec.complaint(#"{"x":[1,2],"y":2}"#) == #"row 1, input "x": expected 1 elements, got more"#)
    }

    @Test func rowsOfAnyWidthJoinOnlyTheirLike() throws {
        let spec = TensorSpec(name: "x", dtype: .float64, shape: [-1, -1])
        let codec = try Codec(Signature(inputs: [spec], outputs: []))
        try codec.decode("[[1,2],[3,4]]")
        #expect(try codec.decode("[[1,2,3]]") == .separate)
        #expect(codec.complaint("[[1,2],[1,2,3]]") == "row 2: expected 2 values as row 1, got 3")
        #expect(codec.input(as: Double.self) == [1, 2, 3, 4])
    }

    @Test(
        arguments: [
            ("41,red,1\n2,\"green\",3\n", [41, 0, 1, 2, 1, 3]), ("41,red,1\r\n2,green,3", [41, 0, 1, 2, 1, 3]),
            ("\u{FEFF}size,age,color\n1,41,red\n", [41, 0, 1]),
            ("id,age,color,size\nx,\"41\", green ,1.5e0\n\n\n", [41, 1, 1.5]),
            ("age,color,size,ID\n-inf,3,1,7\n", [-.infinity, 2, 1]),
            ("\"age\",\"color\",\"size\"\n1,red,2\n", [1, 0, 2]),
        ] as [(String, [Float])])
    func csvIsReadWithAndWithoutHeader(_ text: String, _ values: [Float]) throws {
        let codec = try Codec(columns: columns)
        try codec.decode(text, .csv)
        #expect(codec.floats == values)
    }

    @Test func emptyCellsAreMissing() throws {
        let codec = try Codec(columns: columns)
        try codec.decode(",,1\nNaN,\"\",2\n", .csv)
        #expect(codec.floats.map(\.isNaN) == [true, true, false, true, true, false])
    }

    @Test func unknownNamesOfAModelWithoutNamesGoByPosition() throws {
        let codec = try Codec()
        try codec.decode("mean radius,texture,id,area\n1,2,x,3\n", .csv)
        #expect(codec.floats == [1, 2, 3])
        #expect(codec.complaint("a,b\n1,2\n", .csv) == "line 1: expected 3 columns, got 2")
        // A plugin may say itself that its columns are f0, f1, …: those are no names either.
        let declared = try Codec(columns: (0..<3).map { Column(name: "f\($0)") })
        try declared.decode("mean radius,texture,area\n1,2,3\n", .csv)
        try declared.decode("f2,f1,f0\n6,5,4\n", .csv)
        #expect(declared.floats == [1, 2, 3, 4, 5, 6])
    }

    @Test(arguments: [
        ("1,red,3\n1,red\n", "line 2: expected 3 columns, got 2"),
        ("1,red,3\n1,red,3,4,5\n", "line 2: expected 3 columns, got 5"),
        ("age,color,size\n1,red,3\nabc,red,1\n", #"line 3, column "age": expected a number, got "abc""#),
        ("1,red,3\n1,blue,3\n", #"line 2, column "color": unknown category "blue""#),
        ("1,red,\n", #"line 1, column "size": is missing, and this column must not be"#),
        ("age,color,width\n", #"line 1: unknown column "width""#),
        ("age,color\n1,red\n", #"line 1: column "size" is absent"#),
        ("age,age,color,size\n", #"line 1: column "age" appears twice"#), ("1,\"red,3\n", "expected a closing quote"),
        ("1,\"red\"x,3\n", "behind a closing quote"), ("age,color,size\n", "the request has no rows"),
        ("1.5.2,red,3\n", #"line 1, column "age": expected a number, got "1.5.2""#),
        ("\"a\nb\",red,3\n4,red,x\n", #"line 1, column "age": expected a number"#),
        ("1e99,red,3\n", "number out of range: 1e99 does not fit FP32"),
    ])
    func wrongCellsAreNamed(_ text: String, _ complaint: String) throws {
        let message = try Codec(columns: columns).complaint(text, .csv)
        #expect(message?.contains(complaint) == true, "\(message ?? "taken")")
    }

    @Test func csvAlsoFillsInputsOfOneElementEach() throws {
        let codec = try Codec(
            Signature(
                inputs: [
                    TensorSpec(name: "n", dtype: .int64, shape: [-1]),
                    TensorSpec(name: "t", dtype: .bytes, shape: [-1, 1]),
                    TensorSpec(name: "b", dtype: .bool, shape: [-1]),
                ], outputs: []))
        try codec.decode("t,n,b\n\"say \"\"hi\"\"\nthere\",-5,True\n,6,0\n", .csv)
        #expect(codec.input(as: Int64.self) == [-5, 6] && codec.texts(1) == ["say \"hi\"\nthere", ""])
        #expect(codec.input(2, as: UInt8.self) == [1, 0])
        #expect(codec.complaint("t,n,b\nx,1.5,true\n", .csv) == #"line 2, column "n": expected an integer, got "1.5""#)
    }

    @Test func signaturesThatNoBodyFitsAreRefused() {
        let matrix = TensorSpec(name: "x", dtype: .float32, shape: [-1, 2])
        for signature in [
            Signature(inputs: [matrix], outputs: [], columns: [Column(name: "a")]),
            Signature(inputs: [matrix], outputs: [], columns: [Column(name: "a"), Column(name: "b", kind: .text)]),
            Signature(inputs: [matrix, matrix], outputs: [], columns: [Column(name: "a")]),
            Signature(inputs: [TensorSpec(name: "x", dtype: .float32, shape: [])], outputs: []),
        ] {
            #expect(throws: RoostError.self) { try RequestDecoder(signature: signature) }
        }
    }
}
