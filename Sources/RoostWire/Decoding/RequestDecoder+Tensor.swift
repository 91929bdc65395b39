import RoostBasics
import RoostTensors

/// One tensor of a v2 request.
struct TensorText {
    enum Target { case input(Int), column(Int) }

    var target: Target?
    var dtype: DType?
    var rank = 0
    var extents = InlineArray<8, Int>(repeating: 0)
    var hasShape = false
    var hasParameters = false
    /// How many bytes its data has behind the JSON, where it is there.
    var binarySize: Int?
    /// Where its data stands, when that came before name, shape or datatype.
    var dataAt: Int?
    var isRead = false

    var shape: [Int] { (0..<rank).map { extents[$0] } }
    var isComplete: Bool { target != nil && dtype != nil && hasShape }
}

extension RequestDecoder {
    /// Reads one tensor into the input or column that it names.
    func tensor(_ cursor: inout JSONCursor, _ batch: TensorBatch, _ position: Int) throws(Refusal) {
        guard cursor.current == .openBrace else {
            throw .invalid(
                RoostError(
                    .invalidArgument,
                    "inputs[\(position)]: expected a tensor object, got \(cursor.described(cursor.at))"))
        }
        var text = TensorText()
        try cursor.object { (cursor, key) throws(Refusal) in
            try member(&cursor, key, &text, batch, position)
        }
        guard let target = text.target else { throw invalid("inputs[\(position)] has no \"name\"") }
        guard text.dtype != nil else { throw invalid("\(label(target)) has no \"datatype\"") }
        guard text.hasShape else { throw invalid("\(label(target)) has no \"shape\"") }
        if let size = text.binarySize {
            guard text.dataAt == nil else {
                throw invalid("\(label(target)) has both \"data\" and the parameter \"binary_data_size\"")
            }
            return try binary(cursor, text, target, size, batch)
        }
        if text.isRead { return }
        guard let dataAt = text.dataAt else { throw invalid("\(label(target)) has no \"data\"") }
        let behind = cursor.at
        cursor.at = dataAt
        try data(&cursor, text, target, batch)
        cursor.at = behind
    }

    private func member(
        _ cursor: inout JSONCursor, _ key: StringToken, _ text: inout TensorText, _ batch: TensorBatch, _ position: Int
    ) throws(Refusal) {
        if cursor.equals(key, "name") {
            guard text.target == nil else { throw invalid("inputs[\(position)]: key \"name\" appears twice") }
            text.target = try name(&cursor, position)
        } else if cursor.equals(key, "shape") {
            guard !text.hasShape else { throw invalid("\(label(text, position)): key \"shape\" appears twice") }
            text.hasShape = true
            try shape(&cursor, &text, position)
        } else if cursor.equals(key, "datatype") {
            guard text.dtype == nil else { throw invalid("\(label(text, position)): key \"datatype\" appears twice") }
            text.dtype = try datatype(&cursor, text, position)
        } else if cursor.equals(key, "data") {
            guard text.dataAt == nil else { throw invalid("\(label(text, position)): key \"data\" appears twice") }
            text.dataAt = cursor.at
            guard text.isComplete, let target = text.target else {
                return try cursor.syntax { (cursor) throws(Fault) in try cursor.skipValue() }
            }
            try data(&cursor, text, target, batch)
            text.isRead = true
        } else if cursor.equals(key, "parameters"), cursor.current == .openBrace {
            try Self.once(&text.hasParameters, "parameters")
            try cursor.object { (cursor, key) throws(Refusal) in
                if cursor.equals(key, "binary_data_size") {
                    return try binarySize(&cursor, &text, position)
                }
                if cursor.equals(key, "shared_memory_region") {
                    throw invalid("\(label(text, position)): shared memory is not supported: send the data")
                }
                try cursor.syntax { (cursor) throws(Fault) in try cursor.skipValue() }
            }
        } else {
            try cursor.syntax { (cursor) throws(Fault) in try cursor.skipValue() }
        }
    }

    private func name(_ cursor: inout JSONCursor, _ position: Int) throws(Refusal) -> TensorText.Target {
        guard cursor.current == .quote else {
            throw invalid("inputs[\(position)]: expected a string as \"name\", got \(cursor.described(cursor.at))")
        }
        let token = try cursor.syntax { (cursor) throws(Fault) in try cursor.string() }
        let bytes = try cursor.syntax { (cursor) throws(Fault) in try cursor.bytes(token) }
        if let place = layout.inputNames.place(of: bytes, hint: position) {
            guard seenInputs[place] < 0, !seenColumns.contains(0) else {
                throw invalid("input \"\(cursor.string(token))\" is given twice")
            }
            seenInputs[place] = 0
            return .input(place)
        }
        guard let matrix = layout.matrix else {
            let names = Complaint.list(layout.inputNames.names)
            throw invalid("unknown input \"\(cursor.string(token))\": expected \(names)")
        }
        guard let place = matrix.names.place(of: bytes, hint: position) else {
            let (input, columns) = (layout.inputNames.names[0], Complaint.list(matrix.names.names))
            throw invalid(
                "unknown input \"\(cursor.string(token))\": expected \"\(input)\", or one tensor per column (\(columns))"
            )
        }
        guard seenColumns[place] < 0, seenInputs[0] < 0 else {
            throw invalid("column \"\(cursor.string(token))\" is given twice")
        }
        seenColumns[place] = 0
        return .column(place)
    }

    private func shape(_ cursor: inout JSONCursor, _ text: inout TensorText, _ position: Int) throws(Refusal) {
        let start = cursor.at
        do throws(Fault) {
            guard cursor.take(.openBracket) else { throw Fault(.type, at: start) }
            cursor.skipSpace()
            if cursor.take(.closeBracket) { return }
            repeat {
                guard text.rank < TensorBuffer.rankMax else { throw Fault(.surplus, at: start) }
                text.extents[text.rank] = Int(try UInt32.read(&cursor))
                text.rank += 1
            } while try cursor.separator(.closeBracket, "',' or ']'")
        } catch {
            if case .syntax = error.kind { throw .invalid(Complaint.syntax(error, cursor)) }
            throw invalid("\(label(text, position)): expected 1 to 8 whole numbers as \"shape\"")
        }
    }

    private func datatype(_ cursor: inout JSONCursor, _ text: TensorText, _ position: Int) throws(Refusal) -> DType {
        let start = cursor.at
        if cursor.current == .quote {
            let token = try cursor.syntax { (cursor) throws(Fault) in try cursor.string() }
            if let dtype = cursor.dtype(token) { return dtype }
        }
        throw invalid("\(label(text, position)): unknown datatype \(cursor.described(start))")
    }

    func invalid(_ message: String) -> Refusal { .invalid(RoostError(.invalidArgument, message)) }

    func label(_ target: TensorText.Target) -> String {
        switch target {
        case .input(let place): "input \"\(layout.inputNames.names[place])\""
        case .column(let place): "column \"\(layout.matrix?.names.names[place] ?? "")\""
        }
    }

    func label(_ text: TensorText, _ position: Int) -> String {
        text.target.map { label($0) } ?? "inputs[\(position)]"
    }
}

extension JSONCursor {
    /// The dtype of that name; the usual ones first.
    fileprivate func dtype(_ token: StringToken) -> DType? {
        if equals(token, "FP32") { return .float32 }
        if equals(token, "FP64") { return .float64 }
        if equals(token, "INT64") { return .int64 }
        if equals(token, "BYTES") { return .bytes }
        return DType(name: string(token))
    }
}
