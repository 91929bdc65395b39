public import RoostBasics
public import RoostTensors

extension RequestDecoder {
    /// Reads a JSON reply that another version of the function gave, as `ReplyEncoder` writes them: the outputs that
    /// this version has, too, by name. In rows the first output is called `predictions`, whatever its name.
    /// - Parameter batch: its arena is used.
    /// - Throws: `.invalidArgument` when it is no such reply.
    public func answer(
        _ reply: RawSpan, as format: RequestFormat, _ batch: TensorBatch
    ) throws(RoostError) -> [GoldenExample.Expected] {
        var example = GoldenExample()
        do throws(Refusal) {
            try unsafe reply.withUnsafeBytes { (bytes) throws(Refusal) in
                guard var cursor = unsafe JSONCursor(bytes, text: batch.text) else {
                    throw .invalid(RoostError(.invalidArgument, "the reply is empty"))
                }
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
                try cursor.object { (cursor, key) throws(Refusal) in
                    if cursor.equals(key, "name"), cursor.current == .quote {
                        let token = try cursor.syntax { (cursor) throws(Fault) in try cursor.string() }
                        name = cursor.string(token)
                    } else {
                        if cursor.equals(key, "data") { dataAt = cursor.at }
                        try cursor.pass()
                    }
                }
                guard let dataAt, let place = signature.outputs.firstIndex(where: { $0.name == name }) else { continue }
                var data = cursor.moved(to: dataAt)
                try expectation(&data, place: place, &example)
            } while try cursor.syntax { (cursor) throws(Fault) in try cursor.separator(.closeBracket, "',' or ']'") }
        }
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
