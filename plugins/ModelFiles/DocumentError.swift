/// What is wrong with a model file, and where.
public struct DocumentError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Keys and indices from the document's root: `learner.trees[3]`; empty at the root.
    public private(set) var path: String
    public let message: String

    public init(_ message: String) {
        path = ""
        self.message = message
    }

    /// The same, seen from the object that holds it under `key`.
    func inside(key: String) -> Self { prefixed(path.isEmpty || path.hasPrefix("[") ? key : key + ".") }

    /// The same, seen from the array that holds it at `index`.
    func inside(index: Int) -> Self { prefixed(path.isEmpty || path.hasPrefix("[") ? "[\(index)]" : "[\(index)].") }

    private func prefixed(_ step: String) -> Self {
        var error = self
        // A hostile file may nest keys of any length: a message stays a line.
        error.path = String((step + path).prefix(200))
        return error
    }

    public var description: String { path.isEmpty ? message : "\(path): \(message)" }
}
