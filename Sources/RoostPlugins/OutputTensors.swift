internal import RoostABI
public import RoostTensors

/// What predict wrote: one tensor per output of the signature, valid until the next predict.
@safe public final class OutputTensors {
    private struct Slot {
        let buffer = TensorBuffer()
        var shape: [Int] = []
        var isFilled = false
    }

    public let specs: [TensorSpec]
    private var slots: [Slot]
    /// Rows that have no answer, with the plugin's reason. Their places in the outputs mean nothing.
    public private(set) var failedRows: [Int: String] = [:]

    init(_ specs: [TensorSpec]) {
        self.specs = specs
        slots = specs.map { spec in
            var slot = Slot()
            slot.shape = spec.shape
            return slot
        }
    }

    public var count: Int { specs.count }
    public func shape(_ index: Int) -> [Int] { slots[index].shape }

    /// Dense, row-major elements. For `bytes` tensors use `text` instead: these are addresses.
    public func withBytes<Result, Failure: Error>(
        _ index: Int, _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result { try slots[index].buffer.withBytes(body) }

    /// For floors that may handle addresses: the elements of output `index`, valid until the next predict.
    @unsafe public func address(_ index: Int) -> UnsafeMutableRawPointer { unsafe slots[index].buffer.address }

    /// One element of a `bytes` output. Only directly after predict: the bytes are the plugin's.
    public func withText<Result, Failure: Error>(
        _ index: Int, element: Int, _ body: (RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(specs[index].dtype == .bytes, "\(specs[index].name) is no BYTES output")
        precondition((element + 1) * specs[index].dtype.byteSize <= slots[index].buffer.byteCount, "out of range")
        let place = unsafe slots[index].buffer.address + element * specs[index].dtype.byteSize
        let text = unsafe place.load(as: roost_bytes.self)
        let bytes = unsafe UnsafeRawBufferPointer(start: text.data, count: text.data == nil ? 0 : text.size)
        return try unsafe body(bytes.bytes)
    }

    func clear() {
        for index in slots.indices { slots[index].isFilled = false }
        if !failedRows.isEmpty { failedRows = [:] }
    }

    func isFilled(_ index: Int) -> Bool { slots[index].isFilled }

    func place(_ index: Int, _ shape: UnsafeBufferPointer<Int64>, byteCount: Int) -> UnsafeMutableRawPointer {
        for axis in shape.indices { unsafe slots[index].shape[axis] = Int(shape[axis]) }
        slots[index].isFilled = true
        slots[index].buffer.resize(byteCount)
        return unsafe slots[index].buffer.address
    }

    func fail(row: Int, _ text: String) { failedRows[row] = text }
}
