public import RoostBasics

/// How many of the recorded rows have a label, and how long the labels took.
public struct Coverage: Hashable, Sendable, CustomStringConvertible {
    public let recorded: Int
    public let labelled: Int
    /// Half of the labels took no longer; nil without labels.
    public let medianDelay: Instant.Span?

    public init(recorded: Int, labelled: Int, medianDelay: Instant.Span? = nil) {
        self.recorded = max(recorded, labelled)
        self.labelled = labelled
        self.medianDelay = medianDelay
    }

    /// 0 without records.
    public var share: Double { recorded == 0 ? 0 : Double(labelled) / Double(recorded) }

    /// `312 of 40,112 labelled, median delay 3.2 d`.
    public var description: String {
        let delay = medianDelay.map { ", median delay \(Self.words($0.seconds))" } ?? ""
        return "\(Self.grouped(labelled)) of \(Self.grouped(recorded)) labelled\(delay)"
    }

    /// Whether two versions' labels come so differently often that chance does not explain it: then those that came
    /// may not stand for those that did not, and comparing them compares who answers.
    ///
    /// Pearson's test of two proportions, pooled, at 1 %.
    public func differs(from other: Coverage) -> Bool {
        guard recorded > 0, other.recorded > 0 else { return false }
        let pooled = Double(labelled + other.labelled) / Double(recorded + other.recorded)
        let variance = pooled * (1 - pooled) * (1 / Double(recorded) + 1 / Double(other.recorded))
        guard variance > 0 else { return false }
        return abs(share - other.share) > Self.normalQuantile * variance.squareRoot()
    }

    /// Of 0.995.
    static let normalQuantile = 2.5758

    private static func words(_ seconds: Double) -> String {
        let (value, unit) =
            switch seconds {
            case 86_400...: (seconds / 86_400, "d")
            case 3600...: (seconds / 3600, "h")
            case 60...: (seconds / 60, "min")
            default: (seconds, "s")
            }
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) \(unit)"
    }

    /// With a comma between thousands.
    private static func grouped(_ number: Int) -> String {
        let digits = Array(String(number))
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text += "," }
            text.append(digit)
        }
        return text
    }
}
