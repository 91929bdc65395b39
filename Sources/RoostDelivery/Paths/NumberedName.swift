/// A file's name, its endings apart: `a.csv.gz` is `a` and `.csv.gz`.
///
/// Where a name is taken, the same file gets a number: `a-2.csv.gz`, `a-3.csv.gz`.
public struct NumberedName: Hashable, Sendable {
    public let stem: String
    /// With their dots; empty when there are none.
    public let endings: String

    /// Endings of which there may be two.
    private static let compressed = ".gz"

    public init(_ name: String) {
        var (stem, endings) = (name[...], "")
        if stem.hasSuffix(Self.compressed), stem.count > Self.compressed.count {
            stem = stem.dropLast(Self.compressed.count)
            endings = Self.compressed
        }
        // A dot at the beginning makes a name hidden, and is none of an ending.
        if let dot = stem.lastIndex(of: "."), dot != stem.startIndex {
            endings = stem[dot...] + endings
            stem = stem[..<dot]
        }
        (self.stem, self.endings) = (String(stem), endings)
    }

    /// The name itself for 1.
    public func name(_ number: Int) -> String { number <= 1 ? stem + endings : "\(stem)-\(number)\(endings)" }

    /// The first one that is free.
    /// - Parameter isTaken: asked in turn.
    public func first<Failure: Error>(_ isTaken: (String) throws(Failure) -> Bool) throws(Failure) -> String {
        var number = 1
        while try isTaken(name(number)) { number += 1 }
        return name(number)
    }
}
