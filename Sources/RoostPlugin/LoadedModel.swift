internal import RoostABI
internal import RoostTensors

/// A model and what the C side points into: the `model` pointer of the ABI is one of these, retained by `load`.
final class LoadedModel {
    let model: any Model
    let outputs: [TensorSpec]
    let signature: SignatureTable
    /// Texts that the last `predict` handed out; they must live until the next call.
    private var texts: Arena?

    init(_ model: any Model) {
        self.model = model
        let signature = model.signature
        outputs = signature.outputs
        self.signature = SignatureTable(signature)
    }

    func beginCall() { texts = nil }

    func hold(_ string: String) -> ModelText {
        let arena = texts ?? Arena()
        texts = arena
        return unsafe ModelText(arena.copy(Array(string.utf8)))
    }

    static func behind(_ pointer: UnsafeMutableRawPointer?) throws(ModelError) -> LoadedModel {
        guard let pointer = unsafe pointer else { throw .failed("called without a loaded model") }
        return unsafe Unmanaged<LoadedModel>.fromOpaque(pointer).takeUnretainedValue()
    }
}

/// Copies of values for the C side, all freed together.
///
/// Safe: pointers into it are used only as long as its owner lives, `LoadedModel` until unload or its next call.
@safe final class Arena {
    private var blocks: [UnsafeMutableRawPointer] = unsafe []

    func copy<Element: BitwiseCopyable>(_ elements: [Element]) -> UnsafeBufferPointer<Element> {
        guard !elements.isEmpty else { return unsafe UnsafeBufferPointer(start: nil, count: 0) }
        let block = UnsafeMutablePointer<Element>.allocate(capacity: elements.count)
        for index in elements.indices { unsafe (block + index).initialize(to: elements[index]) }
        unsafe blocks.append(UnsafeMutableRawPointer(block))
        return unsafe UnsafeBufferPointer(start: block, count: elements.count)
    }

    func cString(_ text: String) -> UnsafePointer<CChar>? { unsafe copy(Array(text.utf8CString)).baseAddress }

    deinit { unsafe blocks.forEach { unsafe $0.deallocate() } }
}

/// A signature as the C side reads it; valid until unload.
@safe final class SignatureTable {
    private let arena = Arena()
    private let inputs: UnsafeBufferPointer<roost_tensor_spec>
    private let outputs: UnsafeBufferPointer<roost_tensor_spec>
    private let columns: UnsafeBufferPointer<roost_column>

    init(_ signature: Signature) {
        let arena = self.arena
        unsafe inputs = arena.copy(signature.inputs.map { unsafe Self.spec($0, in: arena) })
        unsafe outputs = arena.copy(signature.outputs.map { unsafe Self.spec($0, in: arena) })
        unsafe columns = arena.copy(signature.columns.map { unsafe Self.column($0, in: arena) })
    }

    func write(to arguments: UnsafeMutablePointer<roost_signature_args>) {
        unsafe arguments.pointee.tensor_spec_size = UInt32(MemoryLayout<roost_tensor_spec>.size)
        unsafe arguments.pointee.inputs = inputs.baseAddress
        unsafe arguments.pointee.input_count = UInt32(inputs.count)
        unsafe arguments.pointee.outputs = outputs.baseAddress
        unsafe arguments.pointee.output_count = UInt32(outputs.count)
        unsafe arguments.pointee.columns = columns.baseAddress
        unsafe arguments.pointee.column_count = UInt32(columns.count)
        unsafe arguments.pointee.column_size = UInt32(MemoryLayout<roost_column>.size)
    }

    private static func spec(_ spec: TensorSpec, in arena: Arena) -> roost_tensor_spec {
        unsafe roost_tensor_spec(
            name: arena.cString(spec.name), shape: arena.copy(spec.shape.map(Int64.init)).baseAddress,
            rank: UInt32(spec.shape.count), dtype: spec.dtype.rawValue)
    }

    private static func column(_ column: Column, in arena: Arena) -> roost_column {
        let kind =
            switch column.kind {
            case .number: ROOST_COLUMN_NUMBER
            case .category: ROOST_COLUMN_CATEGORY
            case .text: ROOST_COLUMN_TEXT
            }
        let categories = unsafe arena.copy(column.categories.map { unsafe arena.cString($0) })
        return unsafe roost_column(
            name: arena.cString(column.name), categories: categories.baseAddress,
            category_count: UInt32(categories.count), kind: UInt32(kind),
            missing_refused: column.missingAllowed ? 0 : 1, reserved: 0)
    }
}
