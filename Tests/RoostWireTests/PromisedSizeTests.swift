import RoostBasics
import RoostTensors
import RoostWire
import Testing

/// Bodies that promise more than they bring: they cost no more than what is there, and are refused.
@Suite struct PromisedSizeTests {
    private func images() throws -> Codec {
        try Codec(
            Signature(
                inputs: [TensorSpec(name: "image", dtype: .float32, shape: [-1, -1, -1, -1])],
                outputs: [TensorSpec(name: "predictions", dtype: .float32, shape: [-1])]))
    }

    /// No row, so that no element is missing; but the extents of one have to be remembered.
    @Test(arguments: ["4294967295,4294967295,4294967295", "4294967295,4294967295,1", "65536,65536,1", "1,1,268435457"])
    func rowsOfAnySizeThatDoNotCome(_ extents: String) throws {
        let codec = try images()
        let tensor = #"{"name":"image","shape":[0,\#(extents)],"datatype":"FP32","data":[]}"#
        let complaint = codec.complaint(#"{"inputs":[\#(tensor)]}"#, .tensors)
        #expect(complaint?.contains("is too large") == true, "\(complaint ?? "taken")")
        // The batch is as good as before.
        try codec.decode(#"{"image":[[[1,2]]]}"#, .rows)
        #expect(codec.floats == [1, 2])
    }

    /// The first array of each level says how long all of that level are.
    @Test func extentsByTheFirstArraysAlone() throws {
        let codec = try images()
        let long = Array(repeating: "1", count: 2000).joined(separator: ",")
        let zeros = String(repeating: ",0", count: 1999)
        let complaint = codec.complaint("{\"image\":[[[\(long)]\(zeros)]\(zeros)]}", .rows)
        #expect(complaint?.contains("its arrays are not all as long as the first ones, [2000, 2000, 2000]") == true)
    }

    /// Each field of a header is remembered in more bytes than it takes.
    @Test func aHeaderOfCommas() throws {
        let codec = try Codec()
        let complaint = codec.complaint(String(repeating: ",", count: 1_000_000), .csv)
        #expect(complaint == "line 1: more than 65536 columns")
    }
}
