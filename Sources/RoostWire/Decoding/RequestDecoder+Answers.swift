public import RoostBasics
public import RoostTensors

extension RequestDecoder {
    /// Reads a reply that another version of the function gave, as `ReplyEncoder` writes them: the outputs that this
    /// version has, too, by name. In rows the first output is called `predictions`, whatever its name.
    /// - Parameters:
    ///   - batch: its arena is used.
    ///   - jsonBytes: how many bytes are JSON, when tensors in binary follow; nil: all are.
    /// - Throws: `.invalidArgument` when it is no such reply.
    public func answer(
        _ reply: RawSpan, as format: RequestFormat, _ batch: TensorBatch, jsonBytes: Int? = nil
    ) throws(RoostError) -> [GoldenExample.Expected] {
        var example = GoldenExample()
        do throws(Refusal) {
            try unsafe reply.withUnsafeBytes { (bytes) throws(Refusal) in
                guard var cursor = unsafe JSONCursor(bytes, text: batch.text) else {
                    throw .invalid(RoostError(.invalidArgument, "the reply is empty"))
                }
                binaryAt = nil
                if let jsonBytes { try split(&cursor, at: jsonBytes, format) }
                cursor.skipSpace()
                if format == .tensors {
                    try tensors(ofReply: &cursor, &example)
                } else {
                    try rows(ofReply: &cursor, &example)
                }
            }
        } catch {
            switch error {
            case .separate: preconditionFailure("nothing of a reply goes into the batch")
            case .invalid(let reason): throw reason
            }
        }
        return example.expected
    }

    /// `{"model_name":…,"outputs":[{"name":…,"shape":…,"data":[…]}]}`
    private func tensors(ofReply cursor: inout JSONCursor, _ example: inout GoldenExample) throws(Refusal) {
        try cursor.object { (cursor, key) throws(Refusal) in
            guard cursor.equals(key, "outputs"), cursor.take(.openBracket) else { return try cursor.pass() }
            cursor.skipSpace()
            if cursor.take(.closeBracket) { return }
            repeat {
                var (name, dataAt): (String?, Int?) = (nil, nil)
                var binary = BinaryAnswer()
                try cursor.object { (cursor, key) throws(Refusal) in
                    if cursor.equals(key, "name"), cursor.current == .quote {
                        let token = try cursor.syntax { (cursor) throws(Fault) in try cursor.string() }
                        name = cursor.string(token)
                    } else if binaryAt != nil, try binary.take(&cursor, key) {
                        return
                    } else {
                        if cursor.equals(key, "data") { dataAt = cursor.at }
                        try cursor.pass()
                    }
                }
                if let size = binary.size {
                    try take(size, binary.dtype, name, cursor, &example)
                    continue
                }
                guard let dataAt, let place = signature.outputs.firstIndex(where: { $0.name == name }) else { continue }
                var data = cursor.moved(to: dataAt)
                try expectation(&data, place: place, &example)
            } while try cursor.syntax { (cursor) throws(Fault) in try cursor.separator(.closeBracket, "',' or ']'") }
        }
    }

    /// An output whose data stands behind the JSON, of the type that the other version gives it.
    private func take(
        _ size: Int, _ dtype: DType?, _ name: String?, _ cursor: JSONCursor, _ example: inout GoldenExample
    ) throws(Refusal) {
        guard let start = binaryAt, let dtype, size <= cursor.total - start else {
            throw invalid("the reply's binary data is not what its JSON says")
        }
        binaryAt = start + size
        guard let place = signature.outputs.firstIndex(where: { $0.name == name }),
            (dtype == .bytes) == (signature.outputs[place].dtype == .bytes),
            !example.expected.contains(where: { $0.output == place })
        else { return }
        try cursor.withBytesBehind(start, start + size) { (bytes) throws(Refusal) in
            let (numbers, texts) = Self.values(bytes, dtype)
            example.expected.append(GoldenExample.Expected(output: place, numbers: numbers, texts: texts))
        }
    }

    private static func values(_ bytes: RawSpan, _ dtype: DType) -> ([Double], [String]) {
        guard dtype == .bytes else {
            let numbers = dtype == .bool ? DType.uint8 : dtype
            let count = bytes.byteCount / dtype.byteSize
            return ((0..<count).map { numbers.number(in: bytes, at: $0)?.double ?? .nan }, [])
        }
        var texts: [String] = []
        var at = 0
        while bytes.byteCount - at >= 4 {
            var size = 0
            for index in 0..<4 { size |= Int(bytes[at + index]) << (8 * index) }
            at += 4
            guard size <= bytes.byteCount - at else { break }
            texts.append(String(bytes.extracting(at..<at + size)))
            at += size
        }
        return ([], texts)
    }

    /// `{"predictions":[…],"label":[…],"version":"3"}`
    private func rows(ofReply cursor: inout JSONCursor, _ example: inout GoldenExample) throws(Refusal) {
        try cursor.object { (cursor, key) throws(Refusal) in
            let name = cursor.string(key)
            let place =
                name == "predictions"
                ? (signature.outputs.isEmpty ? nil : 0)
                : signature.outputs.indices.dropFirst().first {
                    let own = signature.outputs[$0].name
                    return own == name || "output_\(own)" == name
                }
            guard let place, cursor.current == .openBracket else { return try cursor.pass() }
            try expectation(&cursor, place: place, &example)
        }
    }
}

/// What the JSON of a reply says of an output whose data follows it.
private struct BinaryAnswer {
    var size: Int?
    var dtype: DType?

    /// Whether the member was one of these; then its value was taken.
    mutating func take(_ cursor: inout JSONCursor, _ key: StringToken) throws(Refusal) -> Bool {
        if cursor.equals(key, "datatype"), cursor.current == .quote {
            let token = try cursor.syntax { (cursor) throws(Fault) in try cursor.string() }
            dtype = DType(name: cursor.string(token))
            return true
        }
        guard cursor.equals(key, "parameters"), cursor.current == .openBrace else { return false }
        var found = size
        try cursor.object { (cursor, key) throws(Refusal) in
            guard cursor.equals(key, "binary_data_size") else { return try cursor.pass() }
            found = Int(clamping: try cursor.syntax { (cursor) throws(Fault) in try UInt64.read(&cursor) })
        }
        size = found
        return true
    }
}

extension GoldenExample.Expected {
    /// Whether an element of an output, of numbers or of text, is exactly the one that stands here.
    public func isEqual(to output: TensorBuffer, at index: Int) -> Bool {
        output.dtype == .bytes
            ? output.withElements(BytesElement.self) { $0[index].string == texts[index] }
            : output.number(at: index) == numbers[index]
    }
}

extension JSONCursor {
    /// Takes a value that nobody asked for.
    fileprivate mutating func pass() throws(Refusal) {
        try syntax { (cursor) throws(Fault) in try cursor.skipValue() }
    }
}
