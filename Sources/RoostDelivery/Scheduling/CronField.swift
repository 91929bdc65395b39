internal import RoostBasics

/// One of the five fields of a cron expression: which of its numbers are meant.
struct CronField: Hashable, Sendable {
    /// Bit n: the number n is meant.
    private(set) var bits: UInt64 = 0
    /// It begins with `*`: what Vixie cron takes for "not restricted", also in `*/2`.
    let isStar: Bool

    /// What a field is called, its numbers, and the names that some of them have.
    struct Kind: Sendable {
        let name: String
        let range: ClosedRange<Int>
        /// The name at index 0 is that of the range's lower bound.
        var names: [String] = []

        static let minute = Kind(name: "minute", range: 0...59)
        static let hour = Kind(name: "hour", range: 0...23)
        static let day = Kind(name: "day of month", range: 1...31)
        static let month = Kind(
            name: "month", range: 1...12,
            names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
        /// 7 is Sunday too.
        static let weekday = Kind(
            name: "day of week", range: 0...7, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"])

        var allowed: String {
            names.isEmpty
                ? "\(range.lowerBound) to \(range.upperBound)"
                : "\(range.lowerBound) to \(range.upperBound) or \(names[0]) to \(names[names.count - 1])"
        }
    }

    func contains(_ number: Int) -> Bool { bits >> UInt64(number) & 1 == 1 }

    /// The least number meant that is at least `number`.
    func first(from number: Int) -> Int? {
        guard number < 64, case let rest = bits >> UInt64(number), rest != 0 else { return nil }
        return number + rest.trailingZeroBitCount
    }

    /// `*`, `5`, `1-5`, `*/15`, `0-30/10`, `mon-fri`, and lists of these.
    /// - Throws: naming the field, what was written, and what is allowed.
    init(_ text: Substring, _ kind: Kind) throws(RoostError) {
        isStar = text.hasPrefix("*")
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let (range, step) = try Self.part(part, kind)
            for number in stride(from: range.lowerBound, through: range.upperBound, by: step) {
                bits |= 1 << UInt64(number)
            }
        }
        guard kind.range.upperBound == 7, contains(7) else { return }
        bits = bits & ~(1 << 7) | 1  // Sunday has one bit
    }

    private static func part(_ text: Substring, _ kind: Kind) throws(RoostError) -> (ClosedRange<Int>, Int) {
        let halves = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let range = try range(halves[0], kind)
        guard halves.count == 2 else { return (range, 1) }
        guard range.count > 1 else {
            throw refusal(kind, text, "a step needs a range before it, like */\(halves[1]) or 1-9/\(halves[1])")
        }
        guard let step = number(halves[1]), step >= 1, step <= range.upperBound - range.lowerBound else {
            throw refusal(kind, text, "the step must be 1 to \(range.upperBound - range.lowerBound)")
        }
        return (range, step)
    }

    private static func range(_ text: Substring, _ kind: Kind) throws(RoostError) -> ClosedRange<Int> {
        guard text != "*" else { return kind.range.lowerBound...min(kind.range.upperBound, kind.starUpperBound) }
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let first = try value(ends[0], kind, of: text)
        guard ends.count == 2 else { return first...first }
        let last = try value(ends[1], kind, of: text)
        guard first <= last else {
            throw refusal(kind, text, "a range goes upwards: write \(ends[0])-\(kind.range.upperBound),… instead")
        }
        return first...last
    }

    private static func value(_ text: Substring, _ kind: Kind, of whole: Substring) throws(RoostError) -> Int {
        let name = text.lowercased()
        if let index = kind.names.firstIndex(of: name) { return kind.range.lowerBound + index }
        guard let number = number(text), kind.range.contains(number) else {
            throw refusal(kind, whole, "must be \(kind.allowed)")
        }
        return number
    }

    /// Digits alone: no sign, no space.
    private static func number(_ text: Substring) -> Int? {
        text.utf8.allSatisfy(\.isDigit) && text.utf8.count <= 4 ? Int(text) : nil
    }

    private static func refusal(_ kind: Kind, _ text: Substring, _ why: String) -> RoostError {
        RoostError(.invalidArgument, "\(kind.name) \"\(text)\": \(why)")
    }
}

extension CronField.Kind {
    /// `*` for the day of week is Sunday to Saturday: 7 is a second name, not an eighth day.
    fileprivate var starUpperBound: Int { range.upperBound == 7 ? 6 : range.upperBound }
}
