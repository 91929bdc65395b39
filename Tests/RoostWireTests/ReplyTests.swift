import RoostBasics
import RoostTensors
import RoostWire
import Testing

@Suite struct ReplyTests {
    private func scored() throws -> Codec {
        let codec = try Codec()
        try codec.decode("[[1,2,3],[4,5,6],[7,8,9]]")
        try codec.give(0, [0.25, .nan, -.infinity] as [Float])
        try codec.give(1, [0, 1, -2] as [Int64])
        return codec
    }

    @Test func rowsRepliesHoldTheRequestsOwnRows() throws {
        let codec = try scored()
        let reply = try codec.reply { (encoder, buffer) throws(RoostError) in
            try encoder.rows(1..<3, of: codec.batch, into: buffer)
        }
        #expect(reply == #"{"predictions":[null,null],"label":[1,-2],"version":"3"}"#)
    }

    @Test func tensorRepliesListWhatIsNotFinite() throws {
        let codec = try scored()
        codec.batch.rollback(to: codec.batch.mark)
        var request = RequestInfo()
        let single = try Codec()
        try single.decode(
            #"{"id":"x\u0041","outputs":[{"name":"predictions"}],"inputs":[{"name":"features","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}"#,
            .tensors)
        request = single.request
        let reply = try codec.reply { (encoder, buffer) throws(RoostError) in
            try encoder.tensors(1..<3, of: codec.batch, request, into: buffer)
        }
        #expect(
            reply
                == #"{"model_name":"credit","model_version":"3","id":"x\u0041","outputs":[{"name":"predictions","datatype":"FP32","shape":[2],"data":[null,null],"parameters":{"non_finite":[{"index":0,"kind":"NaN"},{"index":1,"kind":"-Infinity"}]}}]}"#
        )
    }

    @Test func csvRepliesHaveAHeader() throws {
        let codec = try scored()
        let reply = try codec.reply { (encoder, buffer) throws(RoostError) in
            try encoder.csv(0..<3, of: codec.batch, into: buffer)
        }
        #expect(reply == "predictions,label\n0.25,0\n,1\n-inf,-2\n")
    }

    @Test func severalValuesARowAreNestedInJSONAndNumberedInCSV() throws {
        let codec = try Codec(
            Signature(
                inputs: [TensorSpec(name: "x", dtype: .float32, shape: [-1, 1])],
                outputs: [
                    TensorSpec(name: "p", dtype: .float64, shape: [-1, -1]),
                    TensorSpec(name: "version", dtype: .bytes, shape: [-1]),
                ]))
        try codec.decode("[[1],[2]]")
        let names = ByteArena()
        let texts = ["a,\"b\"", "plain"].map { unsafe names.store(Array($0.utf8).span.bytes) }
        try codec.give(0, [0.5, 0.25, 1, 1e-7], trailing: [2])
        try codec.give(1, texts)
        let json = try codec.reply { (encoder, buffer) throws(RoostError) in
            try encoder.rows(0..<2, of: codec.batch, into: buffer)
        }
        #expect(json == #"{"predictions":[[0.5,0.25],[1.0,1e-7]],"output_version":["a,\"b\"","plain"],"version":"3"}"#)
        let csv = try codec.reply { (encoder, buffer) throws(RoostError) in
            try encoder.csv(0..<2, of: codec.batch, into: buffer)
        }
        #expect(csv == "predictions_0,predictions_1,output_version\n0.5,0.25,\"a,\"\"b\"\"\"\n1.0,1e-7,plain\n")
        let tensors = try codec.reply { (encoder, buffer) throws(RoostError) in
            try encoder.tensors(1..<2, of: codec.batch, RequestInfo(), into: buffer)
        }
        #expect(tensors.contains(#""shape":[1,2],"data":[1.0,1e-7]"#))
        let broken = unsafe names.store([0xFF].span.bytes)
        codec.batch.resetOutputs()
        try codec.give(0, [0.5, 0.25, 1, 1e-7], trailing: [2])
        try codec.give(1, [texts[0], broken])
        #expect(throws: RoostError.self) {
            try codec.reply { (encoder, buffer) throws(RoostError) in
                try encoder.rows(0..<2, of: codec.batch, into: buffer)
            }
        }
    }

    @Test func stringsAreEscapedAndUnescaped() throws {
        let text = "a\"\\\n\t\r\u{1}\u{1F}é😀/"
        let quoted = JSONText.quoted(text)
        #expect(String(decoding: quoted, as: UTF8.self) == "\"a\\\"\\\\\\n\\t\\r\\u0001\\u001fé😀/\"")
        let buffer = TextBuffer()
        try unsafe JSONText.unescape(Array(quoted.dropFirst().dropLast()).span.bytes, into: buffer)
        #expect(String(decoding: buffer.bytes, as: UTF8.self) == text)
        #expect(unsafe !JSONText.append(quoted: [0xC0, 0x80].span.bytes, to: buffer))
        for broken in ["\\ud800", "\\udc00\\ud800", "\\x", "a\"b", "\\u12", "\n"] {
            #expect(throws: RoostError.self) {
                try unsafe JSONText.unescape(Array(broken.utf8).span.bytes, into: buffer)
            }
        }
    }

    @Test(
        arguments: [
            (#"{"inputs":[[1,2,3],[4,5,6]],"outputs":[0.5,0.75]}"#, nil),
            (#"{"outputs":{"label":[1,0],"predictions":[[0.5],[0.7500001]]},"inputs":[[1,2,3],[4,5,6]]}"#, nil),
            (
                #"{"inputs":[{"name":"features","shape":[2,3],"datatype":"FP32","data":[1,2,3,4,5,6]}],"outputs":[{"name":"label","shape":[2],"datatype":"INT64","data":[1,0]}]}"#,
                nil
            ),
            (#"{"inputs":[[1,2,3],[4,5,6]],"outputs":[0.5,0.7],"tolerance":0.1}"#, nil),
            (
                #"{"inputs":[[1,2,3],[4,5,6]],"outputs":[0.5,0.7]}"#,
                #"output "predictions", row 2: expected 0.7, got 0.75 (relative tolerance 1e-05)"#
            ),
            (#"{"inputs":[[1,2,3],[4,5,6]],"outputs":[0.5]}"#, #"output "predictions": expected 1 values, got 2"#),
            (
                #"{"inputs":[[1,2,3],[4,5,6]],"outputs":{"label":[1,null]}}"#,
                #"output "label", row 2: expected nan, got 0.0 (relative tolerance 1e-05)"#
            ),
        ] as [(String, String?)])
    func goldenExamplesAreCompared(_ line: String, _ difference: String?) throws {
        let codec = try Codec()
        let example = try unsafe codec.decoder.example(Array(line.utf8).span.bytes, into: codec.batch)
        #expect(example.rows == 2 && codec.batch.rows == 2)
        try codec.give(0, [0.5, 0.75] as [Float])
        try codec.give(1, [1, 0] as [Int64])
        #expect(example.difference(codec.batch, rows: 0..<2) == difference)
    }

    @Test(arguments: [
        #"{"inputs":[[1,2,3]]}"#, #"{"outputs":[1]}"#, #"{"inputs":[[1,2]],"outputs":[1]}"#,
        #"{"inputs":[[1,2,3]],"outputs":{"x":[1]}}"#,
        #"{"inputs":[[1,2,3]],"outputs":["a"]}"#, #"{"inputs":[[1,2,3]],"outputs":[1],"tolerance":-1}"#,
        #"{"inputs":[[1,2,3]],"outputs":[1],"note":""}"#, "", "[1]",
    ])
    func brokenGoldenExamplesAreRefused(_ line: String) throws {
        let codec = try Codec()
        #expect(throws: RoostError.self) {
            try unsafe codec.decoder.example(Array(line.utf8).span.bytes, into: codec.batch)
        }
        #expect(codec.batch.rows == 0)
    }

    @Test func nanEqualsNaN() throws {
        let codec = try Codec()
        let line = #"{"inputs":[[1,2,3]],"outputs":[null]}"#
        let example = try unsafe codec.decoder.example(Array(line.utf8).span.bytes, into: codec.batch)
        try codec.give(0, [Float.nan])
        #expect(example.difference(codec.batch, rows: 0..<1) == nil)
    }
}
