public import RoostBasics

extension RequestBodies {
    /// Rows from JSON: an array of them, or JSON Lines with a row each; or one whole v2 request, an object with
    /// `inputs`. The rows are taken as they stand, and the host judges them.
    ///
    /// - Throws: when brackets or quotes do not match, or there are no rows.
    public init(json text: [UInt8], rowsPerRequest: Int = 1) throws(RoostError) {
        var scanner = JSONScanner(text)
        let values = try scanner.values()
        guard let first = values.first else { throw RoostError(.invalidArgument, "there are no rows") }
        if values.count == 1, scanner.isRequest(first) {
            guard rowsPerRequest == 1 else {
                throw RoostError(.invalidArgument, "a whole v2 request says itself how many rows it has")
            }
            self.init(.tensors, text, [first])
            return
        }
        let rows = values.count == 1 ? try scanner.elements(of: first) : values
        guard !rows.isEmpty else { throw RoostError(.invalidArgument, "there are no rows") }
        self.init(
            .rows, text, rows, opening: [UInt8(ascii: "[")], separator: ",", closing: "]",
            piecesPerBody: rowsPerRequest)
    }
}

/// Finds where values begin and end, by brackets and quotes alone.
private struct JSONScanner {
    private let text: [UInt8]
    private var at = 0

    init(_ text: [UInt8]) { self.text = text }

    /// All values of the text, one behind the other.
    mutating func values() throws(RoostError) -> [Range<Int>] {
        at = 0
        var values: [Range<Int>] = []
        skipSpace(to: text.count)
        while at < text.count {
            values.append(try value(end: text.count))
            skipSpace(to: text.count)
        }
        return values
    }

    /// The rows in an array of rows; an array of anything else, and an object, is a row itself.
    mutating func elements(of value: Range<Int>) throws(RoostError) -> [Range<Int>] {
        let end = value.upperBound - 1
        at = value.lowerBound + 1
        skipSpace(to: end)
        guard text[value.lowerBound] == UInt8(ascii: "[") else { return [value] }
        guard at < end else { return [] }
        guard text[at] == UInt8(ascii: "[") || text[at] == UInt8(ascii: "{") else { return [value] }
        var elements: [Range<Int>] = []
        while true {
            elements.append(try self.value(end: end))
            skipSpace(to: end)
            if at == end { return elements }
            guard text[at] == UInt8(ascii: ",") else { throw wrong("expected ',' between rows") }
            at += 1
            skipSpace(to: end)
        }
    }

    /// Whether an object has a member `inputs` at its top.
    mutating func isRequest(_ value: Range<Int>) -> Bool {
        guard text[value.lowerBound] == UInt8(ascii: "{") else { return false }
        var depth = 0
        at = value.lowerBound
        while at < value.upperBound {
            switch text[at] {
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: "\""):
                let start = at
                guard (try? skipString(to: value.upperBound)) != nil else { return false }
                let string = text[start..<at]
                skipSpace(to: value.upperBound)
                let isKey = at < value.upperBound && text[at] == UInt8(ascii: ":")
                if depth == 1, isKey, string.elementsEqual(Self.inputs) { return true }
                continue
            default: break
            }
            at += 1
        }
        return false
    }

    private static let inputs = Array("\"inputs\"".utf8)

    /// The array or object that begins here.
    private mutating func value(end: Int) throws(RoostError) -> Range<Int> {
        let start = at
        var depth = 0
        while at < end {
            switch text[at] {
            case UInt8(ascii: "\""):
                try skipString(to: end)
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: if depth == 0 { throw wrong("expected a row, an array or an object") }
            }
            at += 1
            if depth == 0 { return start..<at }
        }
        throw wrong("a bracket is not closed")
    }

    private mutating func skipString(to end: Int) throws(RoostError) {
        at += 1
        while at < end {
            if text[at] == UInt8(ascii: "\\") {
                at += 1
            } else if text[at] == UInt8(ascii: "\"") {
                at += 1
                return
            }
            at += 1
        }
        throw wrong("a string is not closed")
    }

    private mutating func skipSpace(to end: Int) {
        while at < end, [0x20, 0x09, 0x0A, 0x0D].contains(text[at]) { at += 1 }
    }

    private func wrong(_ what: String) -> RoostError {
        let line = text[..<min(at, text.count)].count { $0 == 0x0A } + 1
        return RoostError(.invalidArgument, "line \(line): \(what)")
    }
}
