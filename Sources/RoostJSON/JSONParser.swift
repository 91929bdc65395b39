internal import CJansson

extension JSONValue {
    /// Reads one document: any JSON value, duplicate keys refused, at most 2048 levels deep.
    ///
    /// - Parameter source: what errors call the document, a file name mostly.
    public init(parsing bytes: [UInt8], source: String = "") throws(JSONError) {
        var problem = json_error_t()
        let root = unsafe bytes.withUnsafeBytes { buffer -> UnsafeMutablePointer<json_t>? in
            // jansson refuses a null pointer, which an empty array may have: one space reads the same.
            guard let base = buffer.baseAddress, unsafe !buffer.isEmpty else {
                return unsafe json_loadb(" ", 1, parseFlags, &problem)
            }
            return unsafe json_loadb(base.assumingMemoryBound(to: CChar.self), buffer.count, parseFlags, &problem)
        }
        guard let root = unsafe root else { throw JSONError(problem, source: source) }
        defer { unsafe json_decref(root) }
        unsafe self.init(copying: root)
    }

    public init(parsing text: String, source: String = "") throws(JSONError) {
        try self.init(parsing: Array(text.utf8), source: source)
    }

    /// A deep copy; `node` stays the caller's. Depth is bounded by jansson's own limit while parsing.
    fileprivate init(copying node: UnsafeMutablePointer<json_t>) {
        switch unsafe node.pointee.type {
        case JSON_NULL: self = .null
        case JSON_TRUE: self = .bool(true)
        case JSON_FALSE: self = .bool(false)
        case JSON_INTEGER: self = unsafe .integer(Int(json_integer_value(node)))
        case JSON_REAL: self = unsafe .real(json_real_value(node))
        case JSON_STRING:
            self = unsafe .string(text(json_string_value(node), length: json_string_length(node)))
        case JSON_ARRAY:
            self = unsafe .array(
                (0..<json_array_size(node)).compactMap { index in
                    unsafe json_array_get(node, index).map { unsafe JSONValue(copying: $0) }
                })
        case JSON_OBJECT: self = unsafe .object(members(of: node))
        default: preconditionFailure("jansson has eight kinds of value")
        }
    }
}

// An unusual document such as `3` is fine here; who needs an object asks for one and says so better.
private let parseFlags = Int(JSON_REJECT_DUPLICATES | JSON_DECODE_ANY)

/// In the order of the text: jansson 2.8 and later iterate as inserted.
private func members(of object: UnsafeMutablePointer<json_t>) -> JSONObject {
    var result = JSONObject()
    var iterator = unsafe json_object_iter(object)
    while let current = unsafe iterator {
        if let key = unsafe json_object_iter_key(current), let value = unsafe json_object_iter_value(current) {
            let name = unsafe String(cString: key)
            result[name] = unsafe JSONValue(copying: value)
        }
        unsafe iterator = json_object_iter_next(object, current)
    }
    return result
}

private func text(_ bytes: UnsafePointer<CChar>?, length: Int) -> String {
    guard let bytes = unsafe bytes else { return "" }
    return unsafe String(decoding: UnsafeRawBufferPointer(start: bytes, count: length), as: UTF8.self)
}

extension JSONError {
    /// jansson's column is that of the last character it read, zero at the start of a line.
    fileprivate init(_ problem: json_error_t, source: String) {
        var problem = problem
        let words = unsafe withUnsafeBytes(of: &problem.text) { text in
            unsafe String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
        }
        self.init(
            source: source, place: JSONPlace(line: Int(max(1, problem.line)), column: Int(max(1, problem.column))),
            message: "not valid JSON: \(words)")
    }
}
