internal import RoostABI
internal import RoostBasics
internal import RoostTensors

/// The arguments of predict, made once and used again for each call.
@safe final class PredictCall {
    private static let rankMax = 8
    /// Longer than any output may be: a plugin's shape can be nonsense.
    private static let outputBytesMax = 1 << 30

    let inputs: UnsafeMutablePointer<roost_host_tensor>
    private let shapes: UnsafeMutablePointer<Int64>
    private let signature: Signature
    let outputs: OutputTensors
    private var rows = 0
    /// Why an output was refused.
    private(set) var complaint: String?

    init(_ signature: Signature) {
        self.signature = signature
        outputs = OutputTensors(signature.outputs)
        let count = max(1, signature.inputs.count)
        unsafe inputs = .allocate(capacity: count)
        unsafe inputs.initialize(repeating: roost_host_tensor(), count: count)
        unsafe shapes = .allocate(capacity: count * Self.rankMax)
        unsafe shapes.initialize(repeating: 0, count: count * Self.rankMax)
        for index in 0..<count { unsafe inputs[index].shape = UnsafePointer(shapes + index * Self.rankMax) }
    }

    deinit {
        unsafe inputs.deallocate()
        unsafe shapes.deallocate()
    }

    static func of(_ call: UnsafeMutableRawPointer?) -> PredictCall? {
        guard let call = unsafe call else { return nil }
        return unsafe Unmanaged<PredictCall>.fromOpaque(call).takeUnretainedValue()
    }

    func setInput(_ index: Int, _ start: UnsafeRawPointer, byteCount: Int, shape: [Int]) throws(RoostError) {
        guard signature.inputs.indices.contains(index) else {
            throw RoostError(.invalidArgument, "the model has no input \(index)")
        }
        let spec = signature.inputs[index]
        guard spec.accepts(shape), shape.elementCount(of: spec.dtype, within: byteCount) else {
            throw RoostError(
                .invalidArgument,
                "input \(spec.name): shape \(shape) with \(byteCount) bytes does not fit \(spec.dtype.name) \(spec.shape)"
            )
        }
        for (axis, extent) in shape.enumerated() { unsafe shapes[index * Self.rankMax + axis] = Int64(extent) }
        unsafe inputs[index].data = start
        unsafe inputs[index].rank = UInt32(shape.count)
        unsafe inputs[index].dtype = spec.dtype.rawValue
    }

    func begin(rows: Int) {
        self.rows = rows
        complaint = nil
        outputs.clear()
    }

    /// Memory for one output, or nil with the complaint kept.
    func output(_ index: Int, _ shape: UnsafePointer<Int64>?, _ rank: Int) -> UnsafeMutableRawPointer? {
        guard let shape = unsafe shape, signature.outputs.indices.contains(index), (1...Self.rankMax).contains(rank)
        else {
            complaint = "predict asked for output \(index) of rank \(rank), which its signature does not have"
            return nil
        }
        let spec = signature.outputs[index]
        let extents = unsafe UnsafeBufferPointer(start: shape, count: rank)
        var byteCount = spec.dtype.byteSize
        var fits = unsafe rank == spec.shape.count && Int(extents[0]) == rows
        for axis in 0..<rank where fits {
            let extent = unsafe Int(extents[axis])
            let (bytes, overflow) = byteCount.multipliedReportingOverflow(by: extent)
            let wanted = axis == 0 ? rows : spec.shape[axis]
            fits = extent >= 0 && (wanted == -1 || wanted == extent) && !overflow && bytes <= Self.outputBytesMax
            byteCount = bytes
        }
        guard fits else {
            let given = unsafe Array(extents)
            complaint =
                "output \(spec.name): predict gave shape \(given) for \(rows) rows, its signature says \(spec.shape)"
            return nil
        }
        return unsafe outputs.place(index, extents, byteCount: byteCount)
    }

    func failRow(_ row: UInt64, _ text: String) {
        guard row < UInt64(rows) else { return }
        outputs.fail(row: Int(row), text)
    }

    /// After success: every output must be there.
    func finish() throws(RoostError) {
        for (index, spec) in signature.outputs.enumerated() where !outputs.isFilled(index) {
            throw RoostError(
                .pluginFailed, complaint ?? "predict left out its output \(spec.name)")
        }
    }
}

extension TensorSpec {
    /// Whether a tensor of this shape may be given.
    fileprivate func accepts(_ given: [Int]) -> Bool {
        guard given.count == shape.count else { return false }
        for (want, have) in zip(shape, given) where have < 0 || (want != -1 && want != have) { return false }
        return true
    }
}

extension [Int] {
    /// Whether that many elements fit into `byteCount` bytes.
    fileprivate func elementCount(of dtype: DType, within byteCount: Int) -> Bool {
        var bytes = dtype.byteSize
        for extent in self {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: extent)
            guard !overflow else { return false }
            bytes = product
        }
        return bytes <= byteCount
    }
}
