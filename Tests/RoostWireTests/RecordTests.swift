import RoostBasics
import RoostTensors
import RoostWire
import Testing

/// Requests written anew from what the decoder made of them.
@Suite struct RecordTests {
    private static let columns = [
        Column(name: "age"), Column(name: "ssn"), Column(name: "city", kind: .category, categories: ["Ulm", "Bonn"]),
    ]
    private static let matrix = Signature(
        inputs: [TensorSpec(name: "features", dtype: .float32, shape: [-1, 3])], outputs: [], columns: columns)
    private static let mixed = Signature(
        inputs: [
            TensorSpec(name: "name", dtype: .bytes, shape: [-1]),
            TensorSpec(name: "codes", dtype: .int64, shape: [-1, -1]),
            TensorSpec(name: "flag", dtype: .bool, shape: [-1]),
        ], outputs: [])

    /// What a record of all rows of `body` says; nil when none is made.
    private func record(
        _ body: String, _ format: RequestFormat, _ signature: Signature, hiding names: [String] = []
    ) throws -> String? {
        let decoder = try RequestDecoder(signature: signature)
        let batch = TensorBatch(signature: signature)
        var info = RequestInfo()
        // Rows of somebody else stand before it.
        _ = try decoder.decode(Array(body.utf8).bytes, as: format, into: batch, &info)
        _ = try decoder.decode(Array(body.utf8).bytes, as: format, into: batch, &info)
        let buffer = TextBuffer()
        buffer.append("kept")
        let fields: [UInt8] = names.flatMap { Array($0.utf8) + [0] }
        let isMade = RecordEncoder(decoder).append(
            info.rows..<2 * info.rows, of: batch, privateFields: fields, to: buffer)
        let text = String(decoding: buffer.bytes, as: UTF8.self)
        #expect(text.hasPrefix("kept") && (isMade || text == "kept"))
        return isMade ? String(text.dropFirst(4)) : nil
    }

    @Test func rowsOfAnyFormBecomeOneTensorThatReadsBackTheSame() throws {
        let expected =
            #"{"inputs":[{"name":"features","datatype":"FP32","shape":[2,3],"data":[41.5,null,1.0,0.1,7.0,0.0]}]}"#
        let forms: [(String, RequestFormat)] = [
            (#"[{"age":41.5,"ssn":null,"city":"Bonn"},{"age":0.1,"ssn":7,"city":"Ulm"}]"#, .rows),
            ("age,ssn,city\n41.5,,Bonn\n0.1,7,Ulm\n", .csv),
            (
                #"{"id":"x","inputs":[{"name":"features","datatype":"FP32","shape":[2,3],"data":[41.5,NaN,1,0.1,7,0]}]}"#,
                .tensors
            ),
            (expected, .tensors),
        ]
        for (body, format) in forms { #expect(try record(body, format, Self.matrix) == expected) }
    }

    @Test func privateColumnsAreMissingAndTheOthersAreAsTheyWere() throws {
        let found = try record("age,ssn,city\n41.5,123,Bonn\ninf,7,Ulm\n", .csv, Self.matrix, hiding: ["ssn"])
        #expect(
            found
                == #"{"inputs":[{"name":"features","datatype":"FP32","shape":[2,3],"data":[41.5,null,1.0,Infinity,null,0.0]}]}"#
        )
    }

    @Test func wholeInputsCanBePrivateWhateverTheyHold() throws {
        let body =
            #"{"inputs":[{"name":"name","datatype":"BYTES","shape":[1],"data":["Ada \"1\""]},"#
            + #"{"name":"codes","datatype":"INT64","shape":[1,2],"data":[9223372036854775807,2]},"#
            + #"{"name":"flag","datatype":"BOOL","shape":[1],"data":[true]}]}"#
        let open = try #require(try record(body, .tensors, Self.mixed))
        #expect(open.contains(#"["Ada \"1\""]"#) && open.contains("[9223372036854775807,2]"))
        #expect(try record(open, .tensors, Self.mixed) == open)
        let hidden = try record(body, .tensors, Self.mixed, hiding: ["name", "codes", "flag"])
        let data = [#""data":[""]"#, #""data":[0,0]"#, #""data":[false]"#]
        #expect(data.allSatisfy { hidden?.contains($0) == true } && hidden?.contains("Ada") == false)
    }

    @Test(arguments: [["sssn"], ["ssn", "nobody"], [""]])
    func aNameThatIsNotKnownMakesNoRecord(_ names: [String]) throws {
        // The empty name is no name at all: nothing is hidden.
        let found = try record("age,ssn,city\n1,2,Ulm\n", .csv, Self.matrix, hiding: names)
        #expect((found == nil) == (names != [""]))
    }

    @Test func aPrivateColumnThatMustNotBeMissingMakesNoRecord() throws {
        let strict = Signature(
            inputs: Self.matrix.inputs, outputs: [],
            columns: [Column(name: "age"), Column(name: "ssn", missingAllowed: false), Column(name: "city")])
        #expect(try record("1,2,3\n", .csv, strict, hiding: ["ssn"]) == nil)
        #expect(try record("1,2,3\n", .csv, strict, hiding: ["features"]) == nil)
        #expect(try record("1,2,3\n", .csv, strict, hiding: ["age"]) != nil)
    }
}
