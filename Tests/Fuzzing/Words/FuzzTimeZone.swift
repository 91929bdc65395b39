import RoostBasics
import RoostDelivery

/// The first byte chooses whether the rest is a whole file or only the rule at its end. Whatever is taken, the stretches
/// with one offset follow each other without a gap, and what clocks show is found again.
func fuzzTimeZone(_ input: [UInt8]) throws {
    var choices = Choices(input)
    let file =
        choices.number(below: 2) == 0 ? choices.rest : TZif.file(String(decoding: choices.rest, as: UTF8.self))
    guard let rules = try? TimeZoneRules(tzif: file, name: "Test/Zone") else { return }
    var chance = input.chance
    for _ in 0..<6 {
        var wall = Int64.random(in: -4_000_000_000...8_000_000_000, using: &chance)
        for _ in 0..<12 {
            let period = rules.period(at: wall)
            try expect(period.start ?? .min <= wall && wall < period.end ?? .max, "\(wall) is not within \(period)")
            try expect(
                rules.offset(at: period.start ?? wall) == period.offset, "another offset at its start: \(period)")
            try expect(abs(period.offset) < 8 * 86_400, "the offset \(period.offset)")
            let shown = rules.times(showing: wall + Int64(period.offset))
            try expect(abs(period.offset) > 93_600 || shown.contains(wall), "\(wall) is not among \(shown)")
            try expect(!rules.text(of: wall).isEmpty, "no text")
            guard let end = period.end, end < 16_000_000_000 else { break }
            wall = end
        }
    }
}

/// Compiled time zones, made by hand.
enum TZif {
    /// A file of version 2 that says nothing but the rule for all years.
    static func file(_ rule: String) -> [UInt8] {
        let header = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
        // Five counts of nothing but one type, whose name has four bytes.
        let counts: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4]
        let block: [UInt8] = [0, 0, 0, 0, 0, 0] + Array("UTC\0".utf8)
        return header + counts + block + header + counts + block + Array("\n\(rule)\n".utf8)
    }
}
