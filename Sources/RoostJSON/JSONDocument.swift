/// A parsed text that still knows where each of its values stands.
public struct JSONDocument: Sendable {
    /// What errors call it: a file name mostly.
    public let source: String
    public let value: JSONValue
    private let text: [UInt8]

    public init(parsing bytes: [UInt8], source: String) throws(JSONError) {
        self.value = try JSONValue(parsing: bytes, source: source)
        self.source = source
        self.text = bytes
    }

    public init(parsing text: String, source: String) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), source: source)
    }

    public var root: JSONCursor { JSONCursor(document: self, value: value, names: [], places: []) }

    func place(of places: [Int], key: Bool) -> JSONPlace {
        var locator = JSONLocator(text)
        return locator.find(places, key: key)
    }
}

/// One value inside a document, for reading it with checks: each error says file, line, column and path.
public struct JSONCursor: Sendable {
    let document: JSONDocument
    public let value: JSONValue
    /// As people write it: `["limits", "memory"]`.
    let names: [String]
    let places: [Int]

    /// `limits.memory`, `triggers[2].watch`; empty for the whole document.
    public var path: String {
        names.reduce("") { $0.isEmpty || $1.hasPrefix("[") ? $0 + $1 : "\($0).\($1)" }
    }

    /// An error at this value.
    public func error(_ message: String) -> JSONError {
        JSONError(source: document.source, place: document.place(of: places, key: false), message: message)
    }

    /// An error at this value's key.
    public func keyError(_ message: String) -> JSONError {
        JSONError(source: document.source, place: document.place(of: places, key: true), message: message)
    }

    private func wrongType(_ wanted: String) -> JSONError {
        error("\(path.isEmpty ? "the document" : path) must be \(wanted), got \(value.kind)")
    }

    /// The member `key`; nil when it is absent or this is no object.
    public subscript(key: String) -> JSONCursor? {
        guard let object = value.objectValue, let place = object.place(of: key) else { return nil }
        return JSONCursor(
            document: document, value: object.members[place].value, names: names + [key], places: places + [place])
    }

    /// The member `key`, which must be there.
    public func required(_ key: String) throws(JSONError) -> JSONCursor {
        guard let member = self[key] else { throw error("\(path.isEmpty ? "" : path + ".")\(key) is missing") }
        return member
    }

    /// All members, each with its key, in the order of the text.
    public func members() throws(JSONError) -> [(key: String, cursor: JSONCursor)] {
        guard let object = value.objectValue else { throw wrongType("an object") }
        return object.members.enumerated().map { place, member in
            let cursor = JSONCursor(
                document: document, value: member.value, names: names + [member.key], places: places + [place])
            return (member.key, cursor)
        }
    }

    /// This as an object that has no other keys than `known`.
    public func object(known: some Collection<String>) throws(JSONError) -> JSONCursor {
        for (key, cursor) in try members() where !known.contains(key) {
            throw cursor.keyError("unknown key \"\(cursor.path)\" (known: \(known.sorted().joined(separator: ", ")))")
        }
        return self
    }

    public func elements() throws(JSONError) -> [JSONCursor] {
        guard let array = value.arrayValue else { throw wrongType("an array") }
        return array.enumerated().map { place, value in
            JSONCursor(document: document, value: value, names: names + ["[\(place)]"], places: places + [place])
        }
    }

    public func string() throws(JSONError) -> String {
        guard let string = value.stringValue else { throw wrongType("a string") }
        return string
    }

    public func bool() throws(JSONError) -> Bool {
        guard let bool = value.boolValue else { throw wrongType("true or false") }
        return bool
    }

    public func integer(in range: ClosedRange<Int>) throws(JSONError) -> Int {
        guard let integer = value.intValue else { throw wrongType("an integer") }
        guard range.contains(integer) else {
            throw error("\(path) must be \(range.lowerBound) to \(range.upperBound), got \(integer)")
        }
        return integer
    }

    /// Integers too.
    public func number() throws(JSONError) -> Double {
        guard let number = value.doubleValue else { throw wrongType("a number") }
        return number
    }
}
