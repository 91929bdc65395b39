import RoostBasics
import RoostTensors
import RoostWire
import Testing

/// Infer requests of the Open Inference Protocol v2.
@Suite struct TensorRequestTests {
    private func body(_ tensor: String, _ more: String = "") -> String { #"{"inputs":[\#(tensor)]\#(more)}"# }

    @Test(arguments: [
        #"{"name":"features","shape":[2,3],"datatype":"FP32","data":[1,2.5,-3e2,null,NaN,-Infinity]}"#,
        #" { "name" : "features" , "shape" : [ 2 , 3 ] , "datatype" : "FP32" , "data" : [ [1 , 2.5, -300], [null,NaN,-Infinity] ] } "#,
        #"{"data":[1,2.5,-300.0,null,NaN,-Infinity],"x":{"y":[{},"]"]},"datatype":"FP32","name":"features","shape":[2,3]}"#,
        #"{"shape":[2,3],"data":[[1,2.5,-300.0],[null,NaN,-Infinity]],"parameters":{"a":1},"na\u006de":"features","datatype":"FP32"}"#,
    ])
    func aTensorIsReadInAnyOrderFlatOrNested(_ tensor: String) throws {
        let codec = try Codec()
        #expect(try codec.decode(body(tensor), .tensors) == .appended)
        #expect(Array(codec.floats[..<3]) == [1, 2.5, -300])
        #expect(codec.floats[3].isNaN && codec.floats[4].isNaN && codec.floats[5] == -.infinity)
        #expect(codec.batch.rows == 2 && codec.request.rows == 2)
    }

    @Test func idParametersAndOutputsAreKept() throws {
        let codec = try Codec()
        let tensor = #"{"name":"features","shape":[1,3],"datatype":"FP32","data":[1,2,3]}"#
        let more =
            #","id":"a\"b\u00e9","parameters":{"timeout": 2500, "x":[1]},"outputs":[{"name":"label","parameters":{"binary_data":true}}],"z":0"#
        try codec.decode(body(tensor, more), .tensors)
        #expect(codec.request.hasID && String(decoding: codec.request.id, as: UTF8.self) == #"a\"b\u00e9"#)
        #expect(String(decoding: codec.request.parameters, as: UTF8.self) == #"{"timeout": 2500, "x":[1]}"#)
        #expect(codec.request.timeoutMicroseconds == 2500)
        #expect(codec.request.outputs == [1])
        let first = codec.request
        try codec.decode(body(tensor), .tensors)
        #expect(!codec.request.hasID && codec.request.parameters.isEmpty && codec.request.timeoutMicroseconds == nil)
        #expect(!codec.request.fits(first))
    }

    @Test(arguments: [
        (DType.int8, "-128,127"), (.int16, "-32768,32767"), (.int32, "-2147483648,2147483647"),
        (.int64, "-9223372036854775808,9223372036854775807"), (.uint8, "0,255"), (.uint16, "0,65535"),
        (.uint32, "0,4294967295"),
        (.uint64, "0,18446744073709551615"), (.bool, "true,false"), (.float16, "1.5,-65504"), (.float64, "0.1,1e300"),
        (.bytes, #""a","€""#),
    ])
    func everyDatatypeIsReadToItsLimits(_ dtype: DType, _ data: String) throws {
        let spec = TensorSpec(name: "x", dtype: dtype, shape: [-1])
        let codec = try Codec(Signature(inputs: [spec], outputs: [spec]))
        try codec.decode(body(#"{"name":"x","shape":[2],"datatype":"\#(dtype.name)","data":[\#(data)]}"#), .tensors)
        switch dtype {
        case .int8: try check(codec, [Int8.min, .max])
        case .int16: try check(codec, [Int16.min, .max])
        case .int32: try check(codec, [Int32.min, .max])
        case .int64: try check(codec, [Int64.min, .max])
        case .uint8: try check(codec, [0, UInt8.max])
        case .uint16: try check(codec, [0, UInt16.max])
        case .uint32: try check(codec, [0, UInt32.max])
        case .uint64: try check(codec, [0, UInt64.max])
        case .bool: try check(codec, [1, 0] as [UInt8])
        case .float16: try check(codec, [1.5, -65504] as [Float16])
        case .float32: break
        case .float64: try check(codec, [0.1, 1e300] as [Double])
        case .bytes:
            #expect(codec.texts() == ["a", "€"])
            try codec.give(0, codec.input(as: BytesElement.self))
        }
        let reply = try codec.reply { (encoder, buffer) throws(RoostError) in
            try encoder.tensors(0..<2, of: codec.batch, codec.request, into: buffer)
        }
        let echoed = data.replacing("-65504", with: "-65504.0").replacing("1e300", with: "1e300")
        #expect(
            reply
                == #"{"model_name":"credit","model_version":"3","outputs":[{"name":"x","datatype":"\#(dtype.name)","shape":[2],"data":[\#(echoed)]}]}"#
        )
    }

    private func check<Element: TensorElement & Equatable>(_ codec: Codec, _ expected: [Element]) throws {
        #expect(codec.input(as: Element.self) == expected)
        try codec.give(0, expected)
    }

    @Test(arguments: [
        (DType.int8, "128", "number out of range: 128 does not fit INT8"),
        (.uint8, "-1", "number out of range: -1 does not fit UINT8"),
        (.int64, "9223372036854775808", "number out of range: 9223372036854775808 does not fit INT64"),
        (.int64, "-9223372036854775809", "does not fit INT64"),
        (.uint64, "18446744073709551616", "does not fit UINT64"),
        (.uint64, "100000000000000000000000", "does not fit UINT64"), (.int32, "1.5", "expected an integer, got 1.5"),
        (.int32, "null", "expected an integer, got null"), (.bool, "1", "expected true or false, got 1"),
        (.bytes, "1", "expected a string, got 1"), (.float32, "1e39", "number out of range: 1e39 does not fit FP32"),
        (.float32, #""abc""#, #"expected a number, got "abc""#), (.float32, "true", "expected a number, got true"),
        (.float32, "[1]", "expected a number, got an array"), (.float64, "1e309", "does not fit FP64"),
        (.float16, "65520", "does not fit FP16"), (.bytes, #""\ud800""#, "not UTF-8"),
    ])
    func aWrongElementIsNamedWithItsPlace(_ dtype: DType, _ element: String, _ complaint: String) throws {
        let spec = TensorSpec(name: "x", dtype: dtype, shape: [-1])
        let codec = try Codec(Signature(inputs: [spec], outputs: []))
        let text = body(#"{"name":"x","shape":[1],"datatype":"\#(dtype.name)","data":[\#(element)]}"#)
        let message = codec.complaint(text, .tensors) ?? ""
        #expect(message.hasPrefix(#"input "x", data[0]: "#) && message.contains(complaint), "\(message)")
        #expect(codec.batch.rows == 0)
    }

    @Test(arguments: [
        (
            #"{"name":"features","shape":[1,2],"datatype":"FP32","data":[1,2]}"#,
            #"input "features": expected shape [-1, 3], got [1, 2]"#
        ),
        (
            #"{"name":"features","shape":[3],"datatype":"FP32","data":[1,2,3]}"#,
            #"input "features": expected shape [-1, 3], got [3]"#
        ),
        (
            #"{"name":"features","shape":[1,3],"datatype":"FP64","data":[1,2,3]}"#,
            #"input "features": expected datatype FP32, got FP64"#
        ),
        (
            #"{"name":"features","shape":[1,3],"datatype":"FP32","data":[1,2]}"#,
            #"input "features": expected 3 elements in "data" for shape [1, 3], got 2"#
        ),
        (
            #"{"name":"features","shape":[1,3],"datatype":"FP32","data":[1,2,3,4,5]}"#,
            #"input "features": expected 3 elements in "data" for shape [1, 3], got 5"#
        ),
        (
            #"{"name":"features","shape":[4000000000,3],"datatype":"FP32","data":[1,2,3]}"#,
            #"input "features": expected 12000000000 elements in "data" for shape [4000000000, 3], got 3"#
        ),
        (
            #"{"name":"features","shape":[1,3],"datatype":"FP32","data":[[1,2],[3]]}"#,
            #"input "features": expected 3 elements in "data" for shape [1, 3], got 2"#
        ),
        (#"{"name":"f","shape":[1,3],"datatype":"FP32","data":[1,2,3]}"#, #"unknown input "f": expected "features""#),
        (
            #"{"name":"features","shape":[1,3],"datatype":"FP99","data":[1,2,3]}"#,
            #"input "features": unknown datatype "FP99""#
        ),
        (
            #"{"name":"features","shape":[1,-3],"datatype":"FP32","data":[1]}"#,
            #"input "features": expected 1 to 8 whole numbers as "shape""#
        ),
        (#"{"name":"features","shape":[1,3],"datatype":"FP32"}"#, #"input "features" has no "data""#),
        (#"{"name":"features","datatype":"FP32","data":[1]}"#, #"input "features" has no "shape""#),
        (#"{"name":"features","shape":[1,3],"data":[1]}"#, #"input "features" has no "datatype""#),
        (#"{"shape":[1,3],"datatype":"FP32","data":[1]}"#, #"inputs[0] has no "name""#),
        (#"{"name":"features","name":"features"}"#, #"inputs[0]: key "name" appears twice"#),
        (#"{"name":"features","shape":[0,3],"datatype":"FP32","data":[]}"#, "the request has no rows"),
        (#"{"name":"features","shape":[1,3],"datatype":"FP32","data":[1,2,"#, "not JSON at byte 74: expected a value"),
        (
            #"{"name":"features","shape":[1,3],"datatype":"FP32","data":[1,02,3]}"#,
            "expected no digit after a leading 0"
        ),
        (#"{"name":"features","shape":[1,3],"datatype":"FP32","data":[1,2.,3]}"#, "expected a digit after '.'"),
        (#"{"name":"features","shape":[1,3],"datatype":"FP32","data":[1 2,3]}"#, "expected ',' or ']'"),
        (
            #"{"name":"features","shape":[1,3],"datatype":"FP32","data":[1,"x",3]}"#,
            #"input "features", row 1, column "f1": expected a number, got "x""#
        ),
        (
            #"{"name":"features","shape":[1,3],"datatype":"FP32","parameters":{"binary_data_size":12}}"#,
            #""binary_data_size" needs the header Inference-Header-Content-Length"#
        ),
        ("", #"input "features" (FP32 [-1, 3]) is absent"#), ("3", "inputs[0]: expected a tensor object, got 3"),
    ])
    func aWrongTensorIsNamedWithWhatWasExpected(_ tensor: String, _ complaint: String) throws {
        let codec = try Codec()
        let message = codec.complaint(body(tensor), .tensors)
        #expect(message?.contains(complaint) == true, "\(message ?? "taken")")
    }

    @Test(arguments: [
        ("", "the body is empty"), ("[]", "expected '{'"), ("{}", #"the request has no "inputs""#),
        (#"{"inputs":[],"inputs":[]}"#, "is absent"), (#"{"id":"1","id":"2"}"#, #"key "id" appears twice"#),
        (#"{"inputs":{}}"#, #""inputs": expected an array, got an object"#),
        (#"{"id":7}"#, #""id": expected a string, got 7"#),
        (#"{"parameters":[]}"#, #""parameters": expected an object, got an array"#),
        (#"{"parameters":{"timeout":-1}}"#, #"parameter "timeout": expected a whole number of microseconds, got -1"#),
        (#"{"outputs":[{"name":"zzz"}]}"#, #"unknown output "zzz": the model has "predictions", "label""#),
        (#"{"outputs":[{"name":"label"},{"name":"label"}]}"#, "asked for twice"),
        (#"{"x":"# + String(repeating: "[", count: 100), "nested deeper than 64"),
        ("{\"x\":\"\u{1}\"}", "control character"),
        (#"{"x":"\q"}"#, "expected an escape"), (#"{"x":1}}"#, "expected the end"), (#"{"x":tru}"#, "expected a value"),
    ])
    func aWrongEnvelopeIsExplained(_ text: String, _ complaint: String) throws {
        let message = try Codec().complaint(text, .tensors)
        #expect(message?.contains(complaint) == true, "\(message ?? "taken")")
    }

    @Test func strings() throws {
        let spec = TensorSpec(name: "x", dtype: .bytes, shape: [-1, 1])
        let codec = try Codec(Signature(inputs: [spec], outputs: []))
        let data = #"["", "a\"\\\/\b\f\n\r\t", "\u00e9\u20AC\ud83d\ude00", "ünïcödé 😀 and some more text"]"#
        try codec.decode(body(#"{"name":"x","shape":[4,1],"datatype":"BYTES","data":\#(data)}"#), .tensors)
        #expect(codec.texts() == ["", "a\"\\/\u{8}\u{c}\n\r\t", "é€😀", "ünïcödé 😀 and some more text"])
        let broken = Array(#"{"inputs":[{"name":"x","shape":[1,1],"datatype":"BYTES","data":[""#.utf8) + [0xC3, 0x28]
        #expect(throws: RoostError.self) { try codec.decode(broken + Array(#""]}]}"#.utf8), .tensors) }
        #expect(codec.texts().count == 4)
    }

    @Test func severalInputsMustAgreeInTheirRows() throws {
        let codec = try Codec(
            Signature(
                inputs: [
                    TensorSpec(name: "a", dtype: .float64, shape: [-1, -1]),
                    TensorSpec(name: "b", dtype: .bytes, shape: [-1]),
                ], outputs: []))
        func request(_ rows: Int, _ width: Int, _ strings: Int) -> String {
            let numbers = Array(repeating: "1.5", count: rows * width).joined(separator: ",")
            let texts = Array(repeating: "\"x\"", count: strings).joined(separator: ",")
            return body(
                #"{"name":"b","shape":[\#(strings)],"datatype":"BYTES","data":[\#(texts)]},{"name":"a","shape":[\#(rows),\#(width)],"datatype":"FP64","data":[\#(numbers)]}"#
            )
        }
        #expect(
            codec.complaint(request(2, 2, 3), .tensors) == #"input "a": expected 3 rows as the tensors before, got 2"#)
        #expect(try codec.decode(request(2, 2, 2), .tensors) == .appended)
        #expect(try codec.decode(request(1, 3, 1), .tensors) == .separate)
        #expect(try codec.decode(request(1, 2, 1), .tensors) == .appended)
        #expect(codec.batch.rows == 3 && codec.batch.inputs.map(\.rows) == [3, 3])
        codec.batch.reset()
        #expect(try codec.decode(request(1, 3, 1), .tensors) == .appended)
    }

    @Test func oneTensorPerColumnFillsTheMatrix() throws {
        let codec = try Codec(columns: [
            Column(name: "age"), Column(name: "color", kind: .category, categories: ["red", "green"]),
            Column(name: "size", missingAllowed: false),
        ])
        let size = #"{"name":"size","shape":[2,1],"datatype":"INT16","data":[[7],[8]]}"#
        let color = #"{"name":"color","shape":[2],"datatype":"BYTES","data":["green","red"]}"#
        let age = #"{"name":"age","shape":[2],"datatype":"FP64","data":[41.5,null]}"#
        try codec.decode(body([size, color, age].joined(separator: ",")), .tensors)
        #expect(
            Array(codec.floats[..<3]) == [41.5, 1, 7] && codec.floats[3].isNaN && Array(codec.floats[4...]) == [0, 8])
        for (tensors, complaint) in [
            ([size, age], #"column "color" is absent"#),
            ([size, size], #"column "size" is given twice"#),
            (
                [color.replacing("green", with: "blue")],
                #"row 1, column "color": unknown category "blue", expected one of "red", "green""#
            ),
            (
                [size.replacing("[7]", with: "[70000]")],
                #"row 1, column "size": number out of range: 70000 does not fit INT16"#
            ),
            ([size.replacing("[7]", with: "[1.5]")], #"row 1, column "size": expected an integer, got 1.5"#),
            (
                [size.replacing("INT16", with: "BYTES")],
                #"column "size": expected datatype a number type such as FP32, got BYTES"#
            ),
            ([size.replacing("[2,1]", with: "[2,2]")], #"column "size": expected shape [-1], got [2, 2]"#),
            (
                [size.replacing("[2,1]", with: "[3,1]")],
                #"column "size": expected 3 elements in "data" for its shape, got 2"#
            ),
            (
                [size.replacing("INT16", with: "FP32").replacing("[8]", with: "[null]"), color, age],
                #"row 2, column "size": is missing"#
            ),
        ] {
            let message = codec.complaint(body(tensors.joined(separator: ",")), .tensors)
            #expect(message?.contains(complaint) == true, "\(message ?? "taken")")
            #expect(codec.batch.rows == 2)
        }
    }
}
