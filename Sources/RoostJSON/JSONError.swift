public import RoostBasics

/// A place in a text, both counted from one; columns count characters, not bytes.
public struct JSONPlace: Hashable, Sendable, CustomStringConvertible {
    public let line: Int
    public let column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    public var description: String { "\(line):\(column)" }
}

/// What is wrong with a document, and where: `functions/credit.json:3:7: unknown key "tiemout"`.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file, or what else the document is called; empty when it has no name.
    public let source: String
    public let place: JSONPlace
    public let message: String

    public init(source: String, place: JSONPlace, message: String) {
        self.source = source
        self.place = place
        self.message = message
    }

    public var description: String {
        source.isEmpty ? "line \(place.line), column \(place.column): \(message)" : "\(source):\(place): \(message)"
    }

    /// The same as the error that the floors above speak.
    public var asRoostError: RoostError { RoostError(.invalidArgument, description) }
}
