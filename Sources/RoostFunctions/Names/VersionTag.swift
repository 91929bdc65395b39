internal import RoostBasics

/// A word that stands for a version of a function: `stable`, `canary`, or one that its manifest names.
///
/// A letter, then up to 62 letters, digits, `_` or `-`: so it is never a number, and fits into paths and headers.
public struct VersionTag: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let text: String

    /// Nil when `text` is no tag.
    public init?(_ text: some StringProtocol) {
        guard FunctionName(text) != nil, text.utf8.first?.isDigit == false, !Self.words.contains(String(text)) else {
            return nil
        }
        self.text = String(text)
    }

    private init(known text: String) { self.text = text }

    /// Whoever has the largest share; during a rollout the version that was there before.
    public static let stable = VersionTag(known: "stable")
    /// The newest version with a smaller share; during a rollout the version on trial.
    public static let canary = VersionTag(known: "canary")
    /// What traffic decides, and no manifest may.
    public static let byTraffic = [stable, canary]

    /// What stands in the place of a version in other meanings.
    private static let words: Set<String> = ["latest", "next"]

    public var description: String { text }
    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}
