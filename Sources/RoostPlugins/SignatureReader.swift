internal import RoostABI
internal import RoostBasics
internal import RoostTensors

/// Asks a plugin for its signature and believes nothing of it unchecked.
enum SignatureReader {
    private static let tensorsMax = 256
    private static let columnsMax = 65_536

    static func read(
        _ library: PluginLibrary, model: UnsafeMutableRawPointer?, host: HostCalls
    ) throws(RoostError) -> Signature {
        guard let signature = unsafe library.table.signature else { throw bad("has no signature call") }
        var arguments = unsafe roost_signature_args()
        unsafe arguments.struct_size = UInt32(MemoryLayout<roost_signature_args>.size)
        unsafe arguments.tensor_spec_size = UInt32(MemoryLayout<roost_tensor_spec>.size)
        unsafe arguments.column_size = UInt32(MemoryLayout<roost_column>.size)
        unsafe arguments.model = model
        unsafe arguments.host = UnsafePointer(host.raw)
        let status = unsafe signature(&arguments)
        guard status == Int32(ROOST_OK) else {
            throw bad(host.takeFailure(otherwise: "the call returned \(status) without saying why"))
        }
        let stride = unsafe Int(arguments.tensor_spec_size)
        let inputs = try unsafe specs(arguments.inputs, arguments.input_count, stride, "input")
        let outputs = try unsafe specs(arguments.outputs, arguments.output_count, stride, "output")
        let columns = try unsafe columns(arguments)
        return try check(Signature(inputs: inputs, outputs: outputs, columns: columns))
    }

    private static func specs(
        _ start: UnsafePointer<roost_tensor_spec>?, _ count: UInt32, _ stride: Int, _ what: String
    ) throws(RoostError) -> [TensorSpec] {
        guard (1...UInt32(tensorsMax)).contains(count), let start = unsafe start else {
            throw bad("it has \(count) \(what)s; 1 to \(tensorsMax) are possible")
        }
        guard unsafe stride >= MemoryLayout<roost_tensor_spec>.size, stride % 8 == 0 else {
            throw bad("tensor_spec_size is \(stride): set it to sizeof(roost_tensor_spec)")
        }
        var specs: [TensorSpec] = []
        for index in 0..<Int(count) {
            let place = unsafe UnsafeRawPointer(start) + index * stride
            let raw = unsafe place.load(as: roost_tensor_spec.self)
            specs.append(try unsafe spec(raw, "\(what) \(index)"))
        }
        return specs
    }

    private static func spec(_ raw: roost_tensor_spec, _ what: String) throws(RoostError) -> TensorSpec {
        let name = try unsafe text(raw.name, what)
        guard let dtype = unsafe DType(rawValue: raw.dtype) else {
            throw unsafe bad("\(what) (\(name)) has dtype \(raw.dtype), which this host does not know")
        }
        guard unsafe (1...8).contains(raw.rank), let shape = unsafe raw.shape else {
            throw unsafe bad("\(what) (\(name)) has rank \(raw.rank); 1 to 8 are possible")
        }
        let extents = unsafe UnsafeBufferPointer(start: shape, count: Int(raw.rank)).map { Int($0) }
        guard extents.first == -1 else {
            throw bad("\(what) (\(name)) has shape \(extents): dimension 0 is the batch and must be -1")
        }
        guard extents.allSatisfy({ $0 == -1 || (1...Int(Int32.max)).contains($0) }) else {
            throw bad("\(what) (\(name)) has shape \(extents): extents are -1 or positive")
        }
        return TensorSpec(name: name, dtype: dtype, shape: extents)
    }

    private static func columns(_ arguments: roost_signature_args) throws(RoostError) -> [Column] {
        guard let start = unsafe arguments.columns, unsafe arguments.column_count > 0 else { return [] }
        let (count, stride) = unsafe (Int(arguments.column_count), Int(arguments.column_size))
        guard count <= columnsMax else { throw bad("it names \(count) columns; \(columnsMax) are possible") }
        guard unsafe stride >= MemoryLayout<roost_column>.size, stride % 8 == 0 else {
            throw bad("column_size is \(stride): set it to sizeof(roost_column)")
        }
        var columns: [Column] = []
        for index in 0..<count {
            let place = unsafe UnsafeRawPointer(start) + index * stride
            let raw = unsafe place.load(as: roost_column.self)
            columns.append(try unsafe column(raw, "column \(index)"))
        }
        return columns
    }

    private static func column(_ raw: roost_column, _ what: String) throws(RoostError) -> Column {
        let name = try unsafe text(raw.name, what)
        let kind: Column.Kind
        switch unsafe Int(raw.kind) {
        case Int(ROOST_COLUMN_NUMBER): kind = .number
        case Int(ROOST_COLUMN_CATEGORY): kind = .category
        case Int(ROOST_COLUMN_TEXT): kind = .text
        default: throw unsafe bad("\(what) (\(name)) is of kind \(raw.kind), which this host does not know")
        }
        var categories: [String] = []
        if kind == .category {
            guard unsafe (1...UInt32(columnsMax)).contains(raw.category_count), let words = unsafe raw.categories else {
                throw unsafe bad(
                    "\(what) (\(name)) has \(raw.category_count) categories; 1 to \(columnsMax) are possible")
            }
            for index in unsafe 0..<Int(raw.category_count) {
                unsafe categories.append(try text(words[index], "category \(index) of \(name)"))
            }
        }
        return unsafe Column(name: name, kind: kind, missingAllowed: raw.missing_refused == 0, categories: categories)
    }

    private static func check(_ signature: Signature) throws(RoostError) -> Signature {
        for (what, specs) in [("input", signature.inputs), ("output", signature.outputs)] {
            if let twice = firstRepeated(specs.map(\.name)) { throw bad("two \(what)s are named \(twice)") }
        }
        guard !signature.columns.isEmpty else { return signature }
        if let twice = firstRepeated(signature.columns.map(\.name)) { throw bad("two columns are named \(twice)") }
        guard signature.inputs.count == 1, let input = signature.inputs.first, input.dtype.isFloatingPoint,
            input.shape.count == 2, input.shape[1] == signature.columns.count
        else {
            throw bad(
                "it names \(signature.columns.count) columns: that takes one input FP32 or FP64 [-1, \(signature.columns.count)]"
            )
        }
        return signature
    }

    private static func firstRepeated(_ names: [String]) -> String? {
        var seen: Set<String> = []
        return names.first { !seen.insert($0).inserted }
    }

    private static func text(_ pointer: UnsafePointer<CChar>?, _ what: String) throws(RoostError) -> String {
        guard let pointer = unsafe pointer, let text = unsafe String(validatingCString: pointer), !text.isEmpty else {
            throw bad("\(what) has no name in UTF-8")
        }
        return text
    }

    private static func bad(_ reason: String) -> RoostError { RoostError(.pluginFailed, "signature: \(reason)") }
}
