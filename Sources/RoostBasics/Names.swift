/// The name of a function: `credit`. A letter or digit, then up to 62 letters, digits, `_` or `-`.
public struct FunctionName: Hashable, Sendable, CustomStringConvertible, Comparable {
    public let text: String

    /// Nil when `text` is not a name.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, bytes.count <= 63, first.isAlphanumeric,
            bytes.allSatisfy({ $0.isAlphanumeric || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") })
        else { return nil }
        self.text = String(text)
    }

    public var description: String { text }
    public static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

/// A version number: dotted decimal components, compared one by one; a prefix is smaller
/// (`1` < `1.2` < `1.10` < `2`). No leading zeros, so that each number has one spelling.
public struct VersionNumber: Hashable, Sendable, CustomStringConvertible, Comparable {
    /// At least one, at most eight.
    public let components: [UInt32]

    /// Nil when `text` is not a version number.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...8).contains(parts.count) else { return nil }
        var components: [UInt32] = []
        for part in parts {
            guard part.utf8.allSatisfy(\.isDigit), let number = UInt32(part),
                part.utf8.count == 1 || part.utf8.first != UInt8(ascii: "0")
            else { return nil }
            components.append(number)
        }
        self.components = components
    }

    public init(_ major: UInt32) { components = [major] }

    public var description: String { components.map(String.init).joined(separator: ".") }

    public static func < (left: Self, right: Self) -> Bool {
        left.components.lexicographicallyPrecedes(right.components)
    }
}

/// One immutable release of a function: `credit@3`.
public struct VersionID: Hashable, Sendable, CustomStringConvertible, Comparable {
    public let function: FunctionName
    public let number: VersionNumber

    public init(_ function: FunctionName, _ number: VersionNumber) {
        self.function = function
        self.number = number
    }

    /// Reads `credit@3`; nil when it is not of that form.
    public init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let function = FunctionName(parts[0]), let number = VersionNumber(parts[1])
        else { return nil }
        self.init(function, number)
    }

    public var description: String { "\(function)@\(number)" }

    public static func < (left: Self, right: Self) -> Bool {
        left.function == right.function ? left.number < right.number : left.function < right.function
    }
}

extension UInt8 {
    /// ASCII `0` to `9`.
    public var isDigit: Bool { self &- 0x30 < 10 }
    /// ASCII letter or digit.
    public var isAlphanumeric: Bool { isDigit || (self | 0x20) &- 0x61 < 26 }
}
