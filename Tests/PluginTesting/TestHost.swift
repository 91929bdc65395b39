import Glibc
import RoostABI
public import RoostPlugin

/// A host of one model in this process, on the C side of the ABI: what a plugin's author cannot see, tests look at.
/// Memory that it hands out is given back when host and outputs are gone.
public final class TestHost {
    /// What the plugin returned instead of ROOST_OK.
    public enum Refusal: Error, Hashable, Sendable {
        case error(String)
        case invalidInput(String)
        case notMyFormat(String)
    }

    /// An output of the last `predict`.
    public struct Output {
        public let shape: [Int]
        let memory: UnsafeMutableRawPointer
        /// Keeps it there, and what texts point to.
        fileprivate let owner: TestMemory
        var count: Int { shape.reduce(1, *) }

        public var floats: [Float] { (0..<count).map { memory.assumingMemoryBound(to: Float.self)[$0] } }
        public var integers: [Int64] { (0..<count).map { memory.assumingMemoryBound(to: Int64.self)[$0] } }
        public var texts: [String] {
            (0..<count).map {
                let element = memory.assumingMemoryBound(to: roost_bytes.self)[$0]
                return String(decoding: UnsafeRawBufferPointer(start: element.data, count: element.size), as: UTF8.self)
            }
        }
    }

    public private(set) var logLines: [String] = []
    public private(set) var modelBytes = 0
    public private(set) var failedRows: [Int: String] = [:]
    public private(set) var inputs: [TensorSpec] = []
    public private(set) var outputs: [TensorSpec] = []
    public private(set) var columns: [Column] = []
    /// What `model_memory` gives in all; NULL beyond.
    private let modelBytesMax: Int
    private let memory = TestMemory()
    private let table: UnsafePointer<roost_plugin>
    private var model: UnsafeMutableRawPointer?
    private var failure = ""
    private var results: [Int: Output] = [:]

    /// Loads `file` with a model type that stands for a whole plugin.
    public init<Loaded: Model>(_ type: Loaded.Type, _ file: [UInt8] = [], modelBytesMax: Int = 1 << 30) throws {
        self.modelBytesMax = modelBytesMax
        // `export` is per process, tests run in parallel: load with the type that was exported last.
        pthread_mutex_lock(exportLock)
        defer { pthread_mutex_unlock(exportLock) }
        table = export(type, name: "tested").assumingMemoryBound(to: roost_plugin.self)
        try withHost { host in
            var arguments = roost_load_args()
            arguments.struct_size = UInt32(MemoryLayout<roost_load_args>.size)
            arguments.host = host
            let bytes = memory.allocate(byteCount: file.count, alignment: 4096)
            bytes.copyMemory(from: file, byteCount: file.count)
            arguments.data = file.isEmpty ? nil : UnsafeRawPointer(bytes)
            arguments.size = file.count
            try check(table.pointee.load(&arguments))
            model = arguments.model
            try readSignature(host)
        }
    }

    deinit { if let model { table.pointee.unload(model) } }

    public var name: String { String(cString: table.pointee.name) }
    public var formats: String? { table.pointee.formats.map { String(cString: $0) } }

    public func warmUp() throws { try withHost { try check(table.pointee.warm_up(model, $0)) } }
    public func afterFork() throws { try withHost { try check(table.pointee.after_fork(model, $0)) } }

    /// Predicts with one FP32 input; the outputs that the model asked for, by index.
    public func predict(_ features: [Float], shape: [Int], dtype: DType = .float32) throws -> [Int: Output] {
        try predict(copy(features), shape: shape, dtype: dtype)
    }

    /// Predicts with one BYTES input.
    public func predict(_ texts: [String]) throws -> [Int: Output] {
        let elements = texts.map { text in
            roost_bytes(data: UnsafeRawPointer(copy(Array(text.utf8))), size: text.utf8.count)
        }
        return try predict(copy(elements), shape: [texts.count], dtype: .bytes)
    }

    private func predict(_ data: UnsafeRawPointer, shape: [Int], dtype: DType) throws -> [Int: Output] {
        (results, failedRows) = ([:], [:])
        var tensor = roost_host_tensor(
            data: data, shape: copy(shape.map(Int64.init)).assumingMemoryBound(to: Int64.self),
            rank: UInt32(shape.count), dtype: dtype.rawValue)
        try withHost { host in
            var arguments = roost_predict_args()
            arguments.struct_size = UInt32(MemoryLayout<roost_predict_args>.size)
            arguments.input_count = 1
            arguments.model = model
            arguments.host = host
            arguments.rows = UInt64(shape[0])
            arguments.call = Unmanaged.passUnretained(self).toOpaque()
            arguments.output = { TestHost.behind($0).output(Int($1), UnsafeBufferPointer(start: $2, count: Int($3))) }
            arguments.fail_row = { TestHost.behind($0).failedRows[Int($1)] = TestHost.text($2, $3) }
            try withUnsafePointer(to: &tensor) {
                arguments.inputs = $0
                try check(table.pointee.predict(&arguments))
            }
        }
        return results
    }

    private func output(_ index: Int, _ extents: UnsafeBufferPointer<Int64>) -> UnsafeMutableRawPointer? {
        let shape = extents.map(Int.init)
        let wanted = outputs[index].shape
        guard shape.count == wanted.count, zip(shape, wanted).allSatisfy({ $1 == -1 || $0 == $1 }) else { return nil }
        let size = shape.reduce(1, *) * outputs[index].dtype.byteSize
        let output = memory.allocate(byteCount: size, alignment: 64)
        output.initializeMemory(as: UInt8.self, repeating: 0xA5, count: size)
        results[index] = Output(shape: shape, memory: output, owner: memory)
        return output
    }

    private func readSignature(_ host: UnsafePointer<roost_host>) throws {
        var arguments = roost_signature_args()
        arguments.struct_size = UInt32(MemoryLayout<roost_signature_args>.size)
        arguments.model = model
        arguments.host = host
        try check(table.pointee.signature(&arguments))
        inputs = (0..<Int(arguments.input_count)).map { Self.spec(arguments.inputs[$0]) }
        outputs = (0..<Int(arguments.output_count)).map { Self.spec(arguments.outputs[$0]) }
        columns = (0..<Int(arguments.column_count)).map { Self.column(arguments.columns[$0]) }
    }

    private static func spec(_ spec: roost_tensor_spec) -> TensorSpec {
        TensorSpec(
            name: String(cString: spec.name), dtype: DType(rawValue: spec.dtype) ?? .bool,
            shape: (0..<Int(spec.rank)).map { Int(spec.shape[$0]) })
    }

    private static func column(_ column: roost_column) -> Column {
        let kinds: [Column.Kind] = [.number, .category, .text]
        let categories = (0..<Int(column.category_count)).map { String(cString: column.categories[$0] ?? column.name) }
        return Column(
            name: String(cString: column.name), kind: kinds[Int(column.kind)],
            missingAllowed: column.missing_refused == 0, categories: categories)
    }

    private func withHost(_ body: (UnsafePointer<roost_host>) throws -> Void) throws {
        var host = roost_host()
        host.struct_size = UInt32(MemoryLayout<roost_host>.size)
        host.abi_version = ROOST_ABI_VERSION
        host.context = Unmanaged.passUnretained(self).toOpaque()
        host.log = { TestHost.behind($0).logLines.append("\($1) \(TestHost.text($2, $3))") }
        host.fail = { TestHost.behind($0).failure = TestHost.text($1, $2) }
        host.model_memory = { TestHost.behind($0).modelMemory($1) }
        try withUnsafePointer(to: &host) { try body($0) }
    }

    private func modelMemory(_ size: Int) -> UnsafeMutableRawPointer? {
        guard size <= modelBytesMax - modelBytes else { return nil }
        modelBytes += size
        let shared = memory.allocate(byteCount: size, alignment: 64)
        shared.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        return shared
    }

    private func check(_ status: Int32) throws {
        defer { failure = "" }
        switch Int(status) {
        case ROOST_OK: return
        case ROOST_INVALID_INPUT: throw Refusal.invalidInput(failure)
        case ROOST_NOT_MY_FORMAT: throw Refusal.notMyFormat(failure)
        default: throw Refusal.error(failure)
        }
    }

    private static func behind(_ context: UnsafeMutableRawPointer?) -> TestHost {
        guard let context else { preconditionFailure("the plugin lost its context") }
        return Unmanaged<TestHost>.fromOpaque(context).takeUnretainedValue()
    }

    private static func text(_ start: UnsafePointer<CChar>?, _ size: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: start, count: size), as: UTF8.self)
    }

    private func copy<Element>(_ elements: [Element]) -> UnsafeRawPointer {
        let size = elements.count * MemoryLayout<Element>.stride
        let copy = memory.allocate(byteCount: size, alignment: 64)
        elements.withUnsafeBytes {
            copy.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(copy), byteCount: size)
        }
        return UnsafeRawPointer(copy)
    }
}

/// All that one host has handed out.
private final class TestMemory {
    private var blocks: [UnsafeMutableRawPointer] = []

    func allocate(byteCount: Int, alignment: Int) -> UnsafeMutableRawPointer {
        let block = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 1), alignment: alignment)
        blocks.append(block)
        return block
    }

    deinit { for block in blocks { block.deallocate() } }
}

nonisolated(unsafe) private let exportLock: UnsafeMutablePointer<pthread_mutex_t> = {
    let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    lock.initialize(to: pthread_mutex_t())
    pthread_mutex_init(lock, nil)
    return lock
}()
