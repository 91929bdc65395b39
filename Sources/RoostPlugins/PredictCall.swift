internal import RoostABI
internal import RoostBasics
internal import RoostTensors

/// The arguments of predict, made once and used again for each call.
///
/// Invariant: `inputs` has one entry per input of the signature (at least one); each points into the batch of the
/// call that is being made, and means nothing between calls.
@safe final class PredictCall {
    let inputs: UnsafeMutablePointer<roost_host_tensor>
    private var batch: TensorBatch?
    /// Why an output was refused.
    private(set) var complaint: String?
    /// Rows that have no answer, with the plugin's reason. Their places in the outputs mean nothing.
    private(set) var failedRows: [Int: String] = [:]

    init(_ signature: Signature) {
        let count = max(1, signature.inputs.count)
        unsafe inputs = .allocate(capacity: count)
        unsafe inputs.initialize(repeating: roost_host_tensor(), count: count)
    }

    deinit { unsafe inputs.deallocate() }

    static func of(_ call: UnsafeMutableRawPointer?) -> PredictCall? {
        guard let call = unsafe call else { return nil }
        return unsafe Unmanaged<PredictCall>.fromOpaque(call).takeUnretainedValue()
    }

    func begin(_ batch: TensorBatch) {
        self.batch = batch
        complaint = nil
        if !failedRows.isEmpty { failedRows = [:] }
        batch.resetOutputs()
        for (index, input) in batch.inputs.enumerated() {
            unsafe inputs[index].data = UnsafeRawPointer(input.address)
            unsafe inputs[index].shape = input.shapeAddress(rows: batch.rows)
            unsafe inputs[index].rank = UInt32(input.rank)
            unsafe inputs[index].dtype = input.dtype.rawValue
        }
    }

    /// Memory for one output, or nil with the complaint kept.
    func output(_ index: Int, _ shape: UnsafePointer<Int64>?, _ rank: Int) -> UnsafeMutableRawPointer? {
        guard let batch, let shape = unsafe shape, (1...TensorBuffer.rankMax).contains(rank) else {
            complaint = "predict asked for output \(index) of rank \(rank), which its signature does not have"
            return nil
        }
        do throws(ShapeMismatch) {
            return try unsafe batch.prepareOutput(index, shape: UnsafeBufferPointer(start: shape, count: rank).span)
                .address
        } catch {
            complaint = error.message
            return nil
        }
    }

    func failRow(_ row: UInt64, _ text: String) {
        guard let batch, row < UInt64(batch.rows) else { return }
        failedRows[Int(row)] = text
    }

    /// After success: every output must be there.
    func finish() throws(RoostError) {
        defer { batch = nil }
        guard let missing = batch?.missingOutput else { return }
        throw RoostError(.pluginFailed, complaint ?? "predict left out its output \"\(missing)\"")
    }
}
