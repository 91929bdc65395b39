import RoostBasics
import RoostTensors

/// Infer requests of the Open Inference Protocol v2: their JSON.
extension RequestDecoder {
    /// Reads a whole request; members may come in any order, unknown ones are skipped.
    /// - Returns: the number of rows appended, not yet committed.
    func tensors(_ cursor: inout JSONCursor, _ batch: TensorBatch, _ info: inout RequestInfo) throws(Refusal) -> Int {
        var (hasInputs, hasOutputs, hasParameters): (Bool, Bool, Bool) = (false, false, false)
        cursor.skipSpace()
        try cursor.object { (cursor, key) throws(Refusal) in
            if cursor.equals(key, "inputs") {
                try Self.once(&hasInputs, "inputs")
                try inputs(&cursor, batch)
            } else if cursor.equals(key, "id") {
                try Self.once(&info.hasID, "id")
                try identifier(&cursor, &info)
            } else if cursor.equals(key, "parameters") {
                try Self.once(&hasParameters, "parameters")
                try parameters(&cursor, &info)
            } else if cursor.equals(key, "outputs") {
                try Self.once(&hasOutputs, "outputs")
                try outputs(&cursor, &info)
            } else {
                try cursor.syntax { (cursor) throws(Fault) in try cursor.skipValue() }
            }
        }
        try cursor.syntax { (cursor) throws(Fault) in try cursor.finish() }
        guard hasInputs else { throw .invalid(RoostError(.invalidArgument, "the request has no \"inputs\"")) }
        if let binaryAt, binaryAt < cursor.total { throw unclaimed(cursor.total - binaryAt, of: cursor) }
        return tensorRows ?? 0
    }

    static func once(_ isThere: inout Bool, _ key: StaticString) throws(Refusal) {
        guard !isThere else { throw .invalid(RoostError(.invalidArgument, "key \"\(key)\" appears twice")) }
        isThere = true
    }

    /// Reads the array of tensors and checks that all inputs, or all columns, were there.
    func inputs(_ cursor: inout JSONCursor, _ batch: TensorBatch) throws(Refusal) {
        for index in seenInputs.indices { seenInputs[index] = -1 }
        for index in seenColumns.indices { seenColumns[index] = -1 }
        tensorRows = nil
        flatData = nil
        guard cursor.take(.openBracket) else {
            throw .invalid(
                RoostError(.invalidArgument, "\"inputs\": expected an array, got \(cursor.described(cursor.at))"))
        }
        cursor.skipSpace()
        var position = 0
        if !cursor.take(.closeBracket) {
            repeat {
                try tensor(&cursor, batch, position)
                position += 1
            } while try cursor.syntax { (cursor) throws(Fault) in try cursor.separator(.closeBracket, "',' or ']'") }
        }
        let hasColumns = seenColumns.contains { $0 >= 0 }
        if hasColumns, let absent = seenColumns.firstIndex(of: -1), let matrix = layout.matrix {
            throw .invalid(RoostError(.invalidArgument, "column \"\(matrix.columns[absent].name)\" is absent"))
        }
        if !hasColumns, let absent = seenInputs.firstIndex(of: -1) {
            let spec = signature.inputs[absent]
            throw .invalid(
                RoostError(.invalidArgument, "input \"\(spec.name)\" (\(spec.dtype.name) \(spec.shape)) is absent"))
        }
    }

    private func identifier(_ cursor: inout JSONCursor, _ info: inout RequestInfo) throws(Refusal) {
        guard cursor.current == .quote else {
            throw .invalid(
                RoostError(.invalidArgument, "\"id\": expected a string, got \(cursor.described(cursor.at))"))
        }
        let token = try cursor.syntax { (cursor) throws(Fault) in try cursor.string() }
        guard token.end - token.start <= RequestInfo.idBytesMax else {
            throw .invalid(RoostError(.tooLarge, "\"id\" is longer than \(RequestInfo.idBytesMax) bytes"))
        }
        cursor.append(token.start, token.end, to: &info.id)
    }

    private func parameters(_ cursor: inout JSONCursor, _ info: inout RequestInfo) throws(Refusal) {
        let start = cursor.at
        guard cursor.current == .openBrace else {
            throw .invalid(
                RoostError(.invalidArgument, "\"parameters\": expected an object, got \(cursor.described(start))"))
        }
        var isForPlugin = false
        try cursor.object { (cursor, key) throws(Refusal) in
            if cursor.equals(key, "binary_data_output") {
                info.prefersBinary = try cursor.flag("binary_data_output")
                return
            }
            isForPlugin = true
            guard cursor.equals(key, "timeout") else {
                return try cursor.syntax { (cursor) throws(Fault) in try cursor.skipValue() }
            }
            let place = cursor.at
            do { info.timeoutMicroseconds = try UInt64.read(&cursor) } catch {
                throw .invalid(
                    RoostError(
                        .invalidArgument,
                        "parameter \"timeout\": expected a whole number of microseconds, got \(cursor.described(place))"
                    ))
            }
        }
        // What is about the form of the reply alone keeps nobody from sharing a batch.
        if isForPlugin { cursor.append(start, cursor.at, to: &info.parameters) }
    }

    /// Reads the outputs that the client wants.
    private func outputs(_ cursor: inout JSONCursor, _ info: inout RequestInfo) throws(Refusal) {
        guard cursor.take(.openBracket) else {
            throw .invalid(
                RoostError(.invalidArgument, "\"outputs\": expected an array, got \(cursor.described(cursor.at))"))
        }
        cursor.skipSpace()
        if cursor.take(.closeBracket) { return }
        repeat {
            var wanted: Int?
            var isBinary: Bool?
            try cursor.object { (cursor, key) throws(Refusal) in
                if cursor.equals(key, "parameters"), cursor.current == .openBrace {
                    isBinary = try outputParameters(&cursor)
                    return
                }
                guard cursor.equals(key, "name"), cursor.current == .quote else {
                    return try cursor.syntax { (cursor) throws(Fault) in try cursor.skipValue() }
                }
                let token = try cursor.syntax { (cursor) throws(Fault) in try cursor.string() }
                let name = cursor.string(token)
                wanted = signature.outputs.firstIndex { $0.name == name }
                guard wanted != nil else {
                    let names = Complaint.list(signature.outputs.map(\.name))
                    throw .invalid(RoostError(.invalidArgument, "unknown output \"\(name)\": the model has \(names)"))
                }
            }
            guard let wanted else { throw .invalid(RoostError(.invalidArgument, "\"outputs\": one has no name")) }
            guard !info.outputs.contains(wanted) else {
                throw .invalid(
                    RoostError(.invalidArgument, "output \"\(signature.outputs[wanted].name)\" is asked for twice"))
            }
            info.outputs.append(wanted)
            info.outputForms.append(isBinary)
        } while try cursor.syntax { (cursor) throws(Fault) in try cursor.separator(.closeBracket, "',' or ']'") }
    }
}

extension RequestDecoder {
    /// Reads the parameters of a wanted output: whether it shall be binary; nil when they leave that open.
    private func outputParameters(_ cursor: inout JSONCursor) throws(Refusal) -> Bool? {
        var isBinary: Bool?
        try cursor.object { (cursor, key) throws(Refusal) in
            if cursor.equals(key, "binary_data") {
                isBinary = try cursor.flag("binary_data")
                return
            }
            for missing in ["classification", "shared_memory_region"] where cursor.string(key) == missing {
                throw invalid("\"outputs\": the parameter \"\(missing)\" is of an extension that is not supported")
            }
            try cursor.syntax { (cursor) throws(Fault) in try cursor.skipValue() }
        }
        return isBinary
    }
}

extension JSONCursor {
    /// Takes `true` or `false`, the value of a parameter.
    mutating func flag(_ name: StaticString) throws(Refusal) -> Bool {
        let start = at
        do throws(Fault) { return try Truth.read(&self).byte == 1 } catch {
            throw .invalid(
                RoostError(.invalidArgument, "parameter \"\(name)\": expected true or false, got \(described(start))"))
        }
    }

    /// Appends bytes `[start, stop)` of the body to `target`, whose memory is kept.
    func append(_ start: Int, _ stop: Int, to target: inout [UInt8]) {
        for index in start..<stop { target.append(byte(index)) }
    }
}
