public import RoostBasics

/// A path below the data folder that cannot lead out of it: relative, with `/` between its parts, none of them `.` or
/// `..`. What links do, the body has to see to when it opens it.
public struct DataPath: Hashable, Sendable, CustomStringConvertible {
    /// Without a slash at the end; empty for the data folder itself.
    public let text: String

    public static let bytesMax = 1024

    /// A slash at the end is allowed, as people write folders.
    /// - Throws: saying what is wrong with it.
    public init(_ text: String) throws(RoostError) {
        if let objection = Self.objection(to: text) { throw RoostError(.invalidArgument, objection) }
        self.text = text.hasSuffix("/") ? String(text.dropLast()) : text
    }

    private init(checked text: String) { self.text = text }

    /// The data folder.
    public static let root = DataPath(checked: "")

    public var description: String { text }

    /// The path of something in this folder.
    /// - Parameter name: one part, or a path that is known to be one.
    public func appending(_ name: String) -> DataPath { DataPath(checked: text.isEmpty ? name : "\(text)/\(name)") }

    /// All but the last part.
    public var folder: DataPath {
        DataPath(checked: text.split(separator: "/").dropLast().joined(separator: "/"))
    }

    /// The last part.
    public var name: String { text.split(separator: "/").last.map(String.init) ?? "" }

    private static func objection(to text: String) -> String? {
        if text.isEmpty { return "must name something below data/" }
        if text.hasPrefix("/") { return "\"\(text)\" is absolute: paths are relative to data/" }
        if text.utf8.count > bytesMax { return "is longer than \(bytesMax) bytes" }
        if text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return "has a control character" }
        // One character to us, and a slash all the same to the system.
        let slashes = text.utf8.count { $0 == UInt8(ascii: "/") }
        if slashes != text.count(where: { $0 == "/" }) { return "has a mark upon a slash" }
        let parts = (text.hasSuffix("/") ? text.dropLast() : text[...])
            .split(separator: "/", omittingEmptySubsequences: false)
        if parts.contains("..") { return "\"\(text)\" leads upwards: paths stay below data/" }
        return parts.contains { $0.isEmpty || $0 == "." } ? "\"\(text)\" has an empty part or a single dot" : nil
    }
}
