public import RoostJSON
public import RoostTensors

/// The text form in which a template reports its signature, and in which the host keeps it:
/// `{"inputs": [{"name", "datatype", "shape"}], "outputs": […],
///   "columns": [{"name", "type", "missing": "allowed" | "refused", "categories"}]}`.
extension Signature {
    public var json: JSONValue {
        [
            "inputs": .array(inputs.map(\.json)), "outputs": .array(outputs.map(\.json)),
            "columns": .array(columns.map(\.json)),
        ]
    }

    /// Reads what a sandboxed process sent: every field is checked, unknown ones are left for later builds.
    public init(_ cursor: JSONCursor) throws(JSONError) {
        let inputs = try Self.specs(cursor, "inputs"), outputs = try Self.specs(cursor, "outputs")
        var columns: [Column] = []
        for element in try cursor["columns"]?.elements() ?? [] { columns.append(try Column(element)) }
        if let name = firstRepeated(columns.map(\.name)) { throw cursor.error("two columns are named \"\(name)\"") }
        self.init(inputs: inputs, outputs: outputs, columns: columns)
    }

    private static func specs(_ cursor: JSONCursor, _ key: String) throws(JSONError) -> [TensorSpec] {
        guard let list = cursor[key] else { throw cursor.error("\(key) is missing") }
        var specs: [TensorSpec] = []
        for element in try list.elements() { specs.append(try TensorSpec(element)) }
        if let name = firstRepeated(specs.map(\.name)) { throw list.error("two \(key) are named \"\(name)\"") }
        return specs
    }
}

extension TensorSpec {
    var json: JSONValue {
        ["name": .string(name), "datatype": .string(dtype.name), "shape": .array(shape.map { .integer($0) })]
    }

    init(_ cursor: JSONCursor) throws(JSONError) {
        let datatype = try cursor.required("datatype")
        guard let dtype = DType(name: try datatype.string()) else { throw datatype.error("unknown datatype") }
        let shape = try cursor.required("shape")
        let extents = try shape.elements()
        guard (1...8).contains(extents.count) else { throw shape.error("a shape has 1 to 8 dimensions") }
        var numbers: [Int] = []
        for extent in extents { numbers.append(try extent.integer(in: -1...(1 << 40))) }
        self.init(name: try cursor.name(), dtype: dtype, shape: numbers)
    }
}

extension Column {
    public var json: JSONValue {
        var json: JSONValue = [
            "name": .string(name), "type": .string(kind.rawValue),
            "missing": .string(missingAllowed ? "allowed" : "refused"),
        ]
        if kind == .category, var object = json.objectValue {
            object["categories"] = .array(categories.map { .string($0) })
            json = .object(object)
        }
        return json
    }

    init(_ cursor: JSONCursor) throws(JSONError) {
        var kind = Kind.number
        if let type = cursor["type"] {
            guard let known = Kind(rawValue: try type.string()) else {
                throw type.error("\(type.path) must be \"number\", \"category\" or \"text\"")
            }
            kind = known
        }
        var missingAllowed = true
        if let missing = cursor["missing"] {
            switch try missing.string() {
            case "allowed": missingAllowed = true
            case "refused": missingAllowed = false
            default: throw missing.error("\(missing.path) must be \"allowed\" or \"refused\"")
            }
        }
        var categories: [String] = []
        for word in try cursor["categories"]?.elements() ?? [] { categories.append(try word.string()) }
        if let word = firstRepeated(categories) { throw cursor.error("category \"\(word)\" is listed twice") }
        // They mean nothing to other kinds, and are not written for them.
        if kind != .category { categories = [] }
        self.init(name: try cursor.name(), kind: kind, missingAllowed: missingAllowed, categories: categories)
    }
}

extension JSONCursor {
    /// The member `name`, not empty.
    func name() throws(JSONError) -> String {
        let cursor = try required("name")
        let name = try cursor.string()
        guard !name.isEmpty else { throw cursor.error("\(cursor.path) must not be empty") }
        return name
    }
}

/// The first of `names` that occurs twice.
private func firstRepeated(_ names: [String]) -> String? {
    var seen: Set<String> = []
    return names.first { !seen.insert($0).inserted }
}
