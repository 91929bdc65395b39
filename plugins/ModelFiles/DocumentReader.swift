/// Reads a JSON or UBJSON document (the format is known by its content) value by value, without building a tree:
/// the engine asks for what it expects, and gets it or an error that says where the file is wrong.
///
/// Hostile files are its business: depth, counts and lengths are checked before anything is allocated, nothing traps.
/// JSON is RFC 8259 plus the tokens `NaN`, `Infinity` and `-Infinity`, which XGBoost writes; keys must be unique.
public struct DocumentReader: ~Escapable {
    /// Containers within containers, at most.
    public static let depthMax = 64

    public enum Format: Hashable, Sendable { case json, ubjson }
    public enum Kind: String, Hashable, Sendable { case object, array, string, number, bool, null }

    public let format: Format
    let bytes: Span<UInt8>
    /// Never beyond `bytes.count`.
    var position = 0
    private var depth = 0
    /// UBJSON: the element type of the strongly typed array being read; its elements carry no marker of their own.
    var elementMarker: UInt8?

    /// Nil when `bytes` cannot begin a document whose root is an object.
    @_lifetime(copy bytes)
    public init?(_ bytes: Span<UInt8>) {
        self.bytes = bytes
        guard let format = Self.format(of: bytes) else { return nil }
        self.format = format
    }

    /// JSON begins with `{` and `"` or `}`; UBJSON with `{` and the type of its first key's length.
    private static func format(of bytes: Span<UInt8>) -> Format? {
        var place = 0
        while place < bytes.count, isSpace(bytes[place]) { place += 1 }
        guard place < bytes.count, bytes[place] == UInt8(ascii: "{") else { return nil }
        if place == 0, bytes.count > 1, isIntegerMarker(bytes[1]) { return .ubjson }
        place += 1
        while place < bytes.count, isSpace(bytes[place]) { place += 1 }
        guard place < bytes.count else { return .json }
        return bytes[place] == UInt8(ascii: "\"") || bytes[place] == UInt8(ascii: "}") ? .json : nil
    }

    /// What the next value is.
    public mutating func peek() throws(DocumentError) -> Kind {
        switch format {
        case .json: try peekJSON()
        case .ubjson: try peekUBJSON()
        }
    }

    /// Reads an object: `body` gets each key and must read its value. Throws for a key that comes twice.
    public mutating func object(
        _ body: (String, inout DocumentReader) throws(DocumentError) -> Void
    ) throws(DocumentError) {
        try expect(.object)
        try descend()
        var seen: Set<String> = []
        var items = try beginContainer(closing: UInt8(ascii: "}"))
        while try next(&items) {
            let key = try self.key()
            guard seen.insert(key).inserted else { throw DocumentError("the key \"\(key.prefix(80))\" comes twice") }
            do { try body(key, &self) } catch { throw error.inside(key: key) }
        }
        ascend()
    }

    /// Reads an array: `body` gets each index and must read the value there.
    public mutating func array(
        _ body: (Int, inout DocumentReader) throws(DocumentError) -> Void
    ) throws(DocumentError) {
        try expect(.array)
        try descend()
        var items = try beginContainer(closing: UInt8(ascii: "]"))
        let outerMarker = elementMarker
        var index = 0
        while try next(&items) {
            elementMarker = items.marker
            do { try body(index, &self) } catch { throw error.inside(index: index) }
            index += 1
        }
        elementMarker = outerMarker
        ascend()
    }

    /// Reads and forgets one value, whatever it is.
    public mutating func skip() throws(DocumentError) {
        switch try peek() {
        case .object: try object { _, reader throws(DocumentError) in try reader.skip() }
        case .array: try skipArray()
        case .string: _ = try string()
        case .number: _ = try number()
        case .bool: _ = try bool()
        case .null: try null()
        }
    }

    /// To be called after the root object: throws when anything but white space follows.
    public mutating func end() throws(DocumentError) {
        if format == .json { skipSpace() }
        guard position == bytes.count else {
            throw DocumentError("\(bytes.count - position) bytes follow the document's end at byte \(position)")
        }
    }

    mutating func descend() throws(DocumentError) {
        depth += 1
        guard depth <= Self.depthMax else { throw DocumentError("nested more than \(Self.depthMax) deep") }
    }

    mutating func ascend() { depth -= 1 }

    mutating func expect(_ wanted: Kind) throws(DocumentError) {
        let found = try peek()
        guard found == wanted else {
            throw DocumentError("expected \(wanted.rawValue), found \(found.rawValue) at byte \(position)")
        }
    }

    func truncated() -> DocumentError { DocumentError("the file ends early, at byte \(bytes.count): truncated?") }
}

/// How far a container has been read.
struct ContainerItems {
    let closing: UInt8
    /// UBJSON: items still to come, when the file says how many; nil: up to `closing`.
    var remaining: Int?
    /// UBJSON: the type of all elements, when the file says it once.
    var marker: UInt8?
    var isFirst = true
}

extension DocumentReader {
    private mutating func beginContainer(closing: UInt8) throws(DocumentError) -> ContainerItems {
        switch format {
        case .json:
            position += 1
            return ContainerItems(closing: closing)
        case .ubjson:
            return try beginUBJSON(closing: closing)
        }
    }

    private mutating func next(_ items: inout ContainerItems) throws(DocumentError) -> Bool {
        switch format {
        case .json: try nextJSON(&items)
        case .ubjson: try nextUBJSON(&items)
        }
    }

    private mutating func key() throws(DocumentError) -> String {
        switch format {
        case .json: try keyJSON()
        case .ubjson: try textUBJSON()
        }
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 }
}
