public import RoostBasics
public import RoostTensors

extension RequestBodies {
    /// How much is made at most: the requests repeat after this many, or after as many as fit `madeBytesMax`.
    static let madeMax = 512
    static let madeBytesMax = 4 << 20

    /// Requests made from a signature alone: values that its tensors and columns can hold, the same for equal seeds.
    ///
    /// - Parameters:
    ///   - asRows: rows as people write them, for the predict endpoint, instead of v2 tensors.
    ///   - rowsPerRequest: the extent of the first dimension.
    /// - Throws: when the function has no inputs.
    public init(
        madeFor signature: Signature, asRows: Bool = false, rowsPerRequest: Int = 1, seed: UInt64 = 1
    ) throws(RoostError) {
        guard !signature.inputs.isEmpty else {
            throw RoostError(.invalidArgument, "the function names no inputs to make requests for: give rows")
        }
        var maker = RequestMaker(signature, seed)
        var (text, bodies): ([UInt8], [Range<Int>]) = ([], [])
        while bodies.isEmpty || bodies.count < Self.madeMax && text.count < Self.madeBytesMax {
            let body = asRows ? maker.rows(rowsPerRequest) : maker.tensors(rowsPerRequest)
            bodies.append(text.count..<text.count + body.utf8.count)
            text += body.utf8
        }
        self.init(asRows ? .rows : .tensors, text, bodies)
    }
}

/// Writes requests with random values.
private struct RequestMaker {
    private let signature: Signature
    private var random: SplitMix

    init(_ signature: Signature, _ seed: UInt64) {
        self.signature = signature
        random = SplitMix(state: seed)
    }

    mutating func tensors(_ rows: Int) -> String {
        var inputs: [String] = []
        for spec in signature.inputs {
            let shape = [rows] + extents(of: spec)
            let perRow = shape.dropFirst().reduce(1, *)
            var data: [String] = []
            for place in 0..<rows * perRow { data.append(element(spec, column: place % perRow, byName: false)) }
            let extents = shape.map(String.init).joined(separator: ",")
            inputs.append(
                #"{"name":\#(quoted(spec.name)),"shape":[\#(extents)],"datatype":"\#(spec.dtype.name)","data":["#
                    + data.joined(separator: ",") + "]}")
        }
        return #"{"inputs":["# + inputs.joined(separator: ",") + "]}"
    }

    mutating func rows(_ rows: Int) -> String {
        var all: [String] = []
        for _ in 0..<rows { all.append(row()) }
        return "[" + all.joined(separator: ",") + "]"
    }

    /// An array for the one input that is a matrix, else an object with each input by its name.
    private mutating func row() -> String {
        if signature.inputs.count == 1, signature.inputs[0].shape.count == 2 {
            var at = 0
            return value(signature.inputs[0], extents(of: signature.inputs[0])[...], &at)
        }
        var members: [String] = []
        for spec in signature.inputs {
            var at = 0
            members.append(quoted(spec.name) + ":" + value(spec, extents(of: spec)[...], &at))
        }
        return "{" + members.joined(separator: ",") + "}"
    }

    /// Nested arrays; `at` counts the elements.
    private mutating func value(_ spec: TensorSpec, _ extents: ArraySlice<Int>, _ at: inout Int) -> String {
        guard let extent = extents.first else {
            defer { at += 1 }
            return element(spec, column: at, byName: true)
        }
        var parts: [String] = []
        for _ in 0..<extent { parts.append(value(spec, extents.dropFirst(), &at)) }
        return "[" + parts.joined(separator: ",") + "]"
    }

    /// Those behind the batch; where any goes, as many as there are columns, else one.
    private func extents(of spec: TensorSpec) -> [Int] {
        let isMatrix = spec == signature.inputs.first && spec.shape.count == 2 && !signature.columns.isEmpty
        return spec.shape.dropFirst().map { $0 >= 0 ? $0 : isMatrix ? signature.columns.count : 1 }
    }

    /// - Parameter byName: a category by its word, as rows have it, instead of its place, as tensors do.
    private mutating func element(_ spec: TensorSpec, column: Int, byName: Bool) -> String {
        if spec == signature.inputs.first, signature.columns.indices.contains(column) {
            let categories = signature.columns[column].categories
            if let place = categories.indices.randomElement(using: &random) {
                return byName ? quoted(categories[place]) : "\(place)"
            }
        }
        switch spec.dtype {
        case .bool: return Bool.random(using: &random) ? "true" : "false"
        case .uint8, .uint16, .uint32, .uint64, .int8, .int16, .int32, .int64:
            return "\(Int.random(in: 0...100, using: &random))"
        case .float16, .float32, .float64:
            // Two decimals from 0 to 10: what measured columns look like, and exact enough in every type.
            let hundredths = Int.random(in: 0...1000, using: &random)
            return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
        case .bytes: return "\"word\(Int.random(in: 0...99, using: &random))\""
        }
    }

    private func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
