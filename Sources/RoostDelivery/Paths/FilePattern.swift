public import RoostBasics

/// Which files of one folder are meant: `inbox/*.csv`. In the last part `*` stands for any characters and `?` for one;
/// as in a shell, a file whose name begins with a dot is meant only by a pattern that begins with one.
public struct FilePattern: Hashable, Sendable, CustomStringConvertible {
    /// As it was written.
    public let text: String
    public let folder: DataPath
    /// The last part: `*` when only a folder was written.
    public let name: String

    /// - Throws: for what is no path below the data folder, and for `*` and `?` in a folder's name.
    public init(_ text: String) throws(RoostError) {
        let path = try DataPath(text)
        self.text = text
        (folder, name) = text.hasSuffix("/") ? (path, "*") : (path.folder, path.name)
        guard !folder.text.contains(where: { $0 == "*" || $0 == "?" }) else {
            throw RoostError(.invalidArgument, "\"\(text)\" has * or ? in a folder: only the last part may have them")
        }
    }

    public var description: String { text }

    /// Whether a file of the folder is meant.
    public func matches(_ file: String) -> Bool {
        guard !file.hasPrefix(".") || name.hasPrefix(".") else { return false }
        return Self.matches(Array(name), Array(file))
    }

    /// Greedy with one way back: when something does not fit, the last `*` takes one character more. Two stars never
    /// have to be tried together, so it takes at most the product of both lengths.
    private static func matches(_ pattern: [Character], _ text: [Character]) -> Bool {
        var (at, place) = (0, 0), star: (at: Int, place: Int)?
        while place < text.count {
            if at < pattern.count, pattern[at] == "*" {
                star = (at, place)
                at += 1
            } else if at < pattern.count, pattern[at] == "?" || pattern[at] == text[place] {
                (at, place) = (at + 1, place + 1)
            } else if let last = star {
                star = (last.at, last.place + 1)
                (at, place) = (last.at + 1, last.place + 1)
            } else {
                return false
            }
        }
        return pattern[at...].allSatisfy { $0 == "*" }
    }
}
