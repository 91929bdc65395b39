public import RoostBasics
public import RoostTensors

/// What a version must answer to inputs that it was shipped with: one line of `examples.jsonl`.
public struct GoldenExample: Hashable, Sendable {
    /// The elements of one output, in order.
    public struct Expected: Hashable, Sendable {
        /// The index of the output in the signature.
        public let output: Int
        /// Empty for BYTES outputs; BOOL as 0 and 1, missing as NaN.
        public let numbers: [Double]
        /// For BYTES outputs.
        public let texts: [String]
    }

    /// Rows that the example's inputs appended to the batch.
    public internal(set) var rows = 0
    public internal(set) var expected: [Expected] = []
    /// Relative.
    public internal(set) var tolerance = 1e-5

    /// Compares the outputs that `batch` has for rows `rows` with what is expected. NaN equals NaN.
    /// - Returns: nil when they agree, else the first difference in words.
    public func difference(_ batch: TensorBatch, rows: Range<Int>) -> String? {
        for want in expected {
            let (spec, output) = (batch.signature.outputs[want.output], batch.outputs[want.output])
            let elements = rows.lowerBound * output.rowElements..<rows.upperBound * output.rowElements
            let count = spec.dtype == .bytes ? want.texts.count : want.numbers.count
            guard count == elements.count, output.count >= elements.upperBound else {
                return "output \"\(spec.name)\": expected \(count) values, got \(elements.count)"
            }
            for (index, element) in elements.enumerated() {
                guard let words = difference(want, index, output, element) else { continue }
                let width = max(output.rowElements, 1)
                let place = width == 1 ? "" : ", value \(index % width + 1)"
                return "output \"\(spec.name)\", row \(index / width + 1)\(place): \(words)"
            }
        }
        return nil
    }

    private func difference(_ want: Expected, _ index: Int, _ output: TensorBuffer, _ element: Int) -> String? {
        if output.dtype == .bytes {
            let got = output.withElements(BytesElement.self) { $0[element].string }
            return got == want.texts[index] ? nil : "expected \"\(want.texts[index])\", got \"\(got)\""
        }
        let (wanted, got) = (want.numbers[index], output.number(at: element))
        if wanted == got || (wanted.isNaN && got.isNaN) { return nil }
        if abs(wanted - got) <= tolerance * max(abs(wanted), abs(got)), got.isFinite { return nil }
        return "expected \(wanted), got \(got) (relative tolerance \(tolerance))"
    }
}

extension RequestDecoder {
    /// Reads one golden example, `{"inputs": …, "outputs": …, "tolerance": 1e-5}`, and appends its rows to `batch`.
    ///
    /// Inputs are rows as in a predict request, or a v2 array of tensors. Outputs are the first output's values
    /// (flat or nested), an object from output names to values, or a v2 array of tensors.
    /// - Throws: `.invalidArgument`; the batch is then as it was before.
    public func example(_ line: RawSpan, into batch: TensorBatch) throws(RoostError) -> GoldenExample {
        let mark = batch.mark
        var example = GoldenExample()
        binaryAt = nil
        do throws(Refusal) {
            try unsafe line.withUnsafeBytes { (bytes) throws(Refusal) in
                guard var cursor = unsafe JSONCursor(bytes, text: batch.text) else {
                    throw invalid("the example is empty")
                }
                try members(&cursor, batch, &example)
            }
            try finish(batch, from: mark, rows: example.rows, isCSV: false)
            return example
        } catch {
            batch.rollback(to: mark)
            switch error {
            case .separate:
                throw RoostError(
                    .invalidArgument, "the example's trailing dimensions differ from those of the one before")
            case .invalid(let reason): throw reason
            }
        }
    }

    private func members(
        _ cursor: inout JSONCursor, _ batch: TensorBatch, _ example: inout GoldenExample
    ) throws(Refusal) {
        var (hasInputs, hasOutputs, hasTolerance) = (false, false, false)
        cursor.skipSpace()
        try cursor.object { (cursor, key) throws(Refusal) in
            if cursor.equals(key, "inputs") {
                try Self.once(&hasInputs, "inputs")
                if cursor.isAtTensors {
                    try inputs(&cursor, batch)
                    example.rows = tensorRows ?? 0
                } else {
                    example.rows = try rowsValue(&cursor, batch)
                }
            } else if cursor.equals(key, "outputs") {
                try Self.once(&hasOutputs, "outputs")
                try expectations(&cursor, &example)
            } else if cursor.equals(key, "tolerance") {
                try Self.once(&hasTolerance, "tolerance")
                let start = cursor.at
                guard let value = try? Double.read(&cursor), value >= 0, value.isFinite else {
                    throw invalid("\"tolerance\": expected a number, got \(cursor.described(start))")
                }
                example.tolerance = value
            } else {
                throw invalid("unknown key \"\(cursor.string(key))\": expected inputs, outputs, tolerance")
            }
        }
        try cursor.syntax { (cursor) throws(Fault) in try cursor.finish() }
        guard hasInputs, hasOutputs else { throw invalid("the example needs \"inputs\" and \"outputs\"") }
    }

    private func expectations(_ cursor: inout JSONCursor, _ example: inout GoldenExample) throws(Refusal) {
        if cursor.current == .openBrace {
            try cursor.object { (cursor, key) throws(Refusal) in
                try expectation(&cursor, place: output(cursor.string(key)), &example)
            }
            return
        }
        guard cursor.isAtTensors else { return try expectation(&cursor, place: 0, &example) }
        _ = cursor.take(.openBracket)
        cursor.skipSpace()
        repeat {
            var place: Int?
            var dataAt: Int?
            try cursor.object { (cursor, key) throws(Refusal) in
                if cursor.equals(key, "name"), cursor.current == .quote {
                    let name = try cursor.syntax { (cursor) throws(Fault) in try cursor.string() }
                    place = try output(cursor.string(name))
                } else {
                    if cursor.equals(key, "data") { dataAt = cursor.at }
                    try cursor.syntax { (cursor) throws(Fault) in try cursor.skipValue() }
                }
            }
            guard let place, let dataAt else { throw invalid("\"outputs\": a tensor needs \"name\" and \"data\"") }
            var data = cursor.moved(to: dataAt)
            try expectation(&data, place: place, &example)
        } while try cursor.syntax { (cursor) throws(Fault) in try cursor.separator(.closeBracket, "',' or ']'") }
    }

    func output(_ name: String) throws(Refusal) -> Int {
        if let place = signature.outputs.firstIndex(where: { $0.name == name }) { return place }
        if name == "predictions" { return 0 }  // as predict replies call it
        throw invalid("unknown output \"\(name)\": the model has \(Complaint.list(signature.outputs.map(\.name)))")
    }

    func expectation(
        _ cursor: inout JSONCursor, place: Int, _ example: inout GoldenExample
    ) throws(Refusal) {
        guard signature.outputs.indices.contains(place) else { throw invalid("the model has no outputs") }
        guard !example.expected.contains(where: { $0.output == place }) else {
            throw invalid("output \"\(signature.outputs[place].name)\" appears twice")
        }
        var (numbers, texts): ([Double], [String]) = ([], [])
        try flatten(&cursor, place, &numbers, &texts, depth: 1)
        example.expected.append(GoldenExample.Expected(output: place, numbers: numbers, texts: texts))
    }

    private func flatten(
        _ cursor: inout JSONCursor, _ place: Int, _ numbers: inout [Double], _ texts: inout [String], depth: Int
    ) throws(Refusal) {
        let spec = signature.outputs[place]
        let start = cursor.at
        if depth <= TensorBuffer.rankMax, cursor.take(.openBracket) {
            cursor.skipSpace()
            if cursor.take(.closeBracket) { return }
            repeat {
                try flatten(&cursor, place, &numbers, &texts, depth: depth + 1)
            } while try cursor.syntax { (cursor) throws(Fault) in try cursor.separator(.closeBracket, "',' or ']'") }
        } else if spec.dtype == .bytes, cursor.current == .quote {
            let token = try cursor.syntax { (cursor) throws(Fault) in try cursor.string() }
            texts.append(try cursor.syntax { (cursor) throws(Fault) in try cursor.bytes(token).string })
        } else if spec.dtype == .bool, let truth = try? Truth.read(&cursor) {
            numbers.append(Double(truth.byte))
        } else if spec.dtype != .bytes, let number = try? Double.read(&cursor) {
            numbers.append(number)
        } else {
            let expected = Complaint.expectation(spec.dtype)
            throw invalid("output \"\(spec.name)\": expected \(expected), got \(cursor.described(start))")
        }
    }
}

extension JSONCursor {
    /// Whether an array is next whose first element is an object with `name` and `data`: v2 tensors.
    fileprivate var isAtTensors: Bool {
        var probe = self
        guard probe.take(.openBracket) else { return false }
        probe.skipSpace()
        var (hasName, hasData) = (false, false)
        do {
            try probe.object { (cursor, key) throws(Refusal) in
                if cursor.equals(key, "name"), cursor.current == .quote { hasName = true }
                if cursor.equals(key, "data"), cursor.current == .openBracket { hasData = true }
                try cursor.syntax { (cursor) throws(Fault) in try cursor.skipValue() }
            }
        } catch { return false }
        return hasName && hasData
    }
}

extension TensorBuffer {
    /// The element of any but a BYTES tensor, of which it is 0.
    public func number(at index: Int) -> Double {
        switch dtype {
        case .float16, .float32, .float64: floatingPoint(at: index)
        case .bool, .uint8: withElements(UInt8.self) { Double($0[index]) }
        case .uint16: withElements(UInt16.self) { Double($0[index]) }
        case .uint32: withElements(UInt32.self) { Double($0[index]) }
        case .uint64: withElements(UInt64.self) { Double($0[index]) }
        case .int8: withElements(Int8.self) { Double($0[index]) }
        case .int16: withElements(Int16.self) { Double($0[index]) }
        case .int32: withElements(Int32.self) { Double($0[index]) }
        case .int64: withElements(Int64.self) { Double($0[index]) }
        case .bytes: 0
        }
    }
}
