internal import Glibc
internal import RoostBasics

/// A way to make rows a little worse than they are, to see how much a model's quality hangs on them.
public enum Disturbance: Hashable, Sendable, CaseIterable {
    /// Each number moves by normally distributed noise of a hundredth of its column's standard deviation.
    case noise
    /// One cell in twenty becomes empty.
    case missing

    /// For people.
    public var name: String {
        switch self {
        case .noise: "1 % noise"
        case .missing: "5 % missing"
        }
    }

    static let noiseShare = 0.01
    static let missingShare = 0.05
}

/// Rows as a disturbance leaves them: the same for equal seeds, whatever the batches.
public struct DisturbedRows: Sendable {
    private let rows: LabelledRows
    private let disturbance: Disturbance
    private let seed: UInt64
    /// Noise is left off where this is zero: what is not numeric, does not vary, or was excepted.
    private let deviations: [Double]

    /// - Parameter excepted: columns whose numbers are names of something; noise leaves them alone.
    public init(_ rows: LabelledRows, _ disturbance: Disturbance, excepted: Set<String> = [], seed: UInt64 = 1) {
        self.rows = rows
        self.disturbance = disturbance
        self.seed = seed
        deviations =
            disturbance == .noise ? Self.deviations(rows, excepted) : [Double](repeating: 0, count: rows.columns.count)
    }

    /// Some rows as CSV with the header.
    public func body(_ range: Range<Int>) -> [UInt8] {
        var (random, current) = (SplitMix(state: 0), -1)
        return rows.body(range) { row, column, cell in
            if row != current {
                current = row
                random = SplitMix(state: SplitMix.mix(seed ^ UInt64(row) &* SplitMix.step))
            }
            switch disturbance {
            case .missing: return random.unit() < Disturbance.missingShare ? [] : nil
            case .noise:
                guard deviations[column] > 0, let value = Double(rows.source.value(cell)) else { return nil }
                return Array("\(value + Disturbance.noiseShare * deviations[column] * random.normal())".utf8)
            }
        }
    }

    /// Each column's standard deviation; zero unless all cells that are not empty are finite numbers.
    private static func deviations(_ rows: LabelledRows, _ excepted: Set<String>) -> [Double] {
        var sums = rows.columns.map { _ in (count: 0.0, mean: 0.0, squares: 0.0) }
        var isNumeric = rows.columns.map { !excepted.contains($0) && $0.lowercased() != "id" }
        for record in rows.records {
            let fields = rows.source.fields(record)
            for column in sums.indices where isNumeric[column] {
                let text = rows.source.value(fields[rows.places[column]])
                if text.isEmpty || text.lowercased() == "nan" { continue }
                guard let value = Double(text), value.isFinite else {
                    isNumeric[column] = false
                    continue
                }
                // Welford's way: no difference of large sums.
                let distance = value - sums[column].mean
                sums[column].count += 1
                sums[column].mean += distance / sums[column].count
                sums[column].squares += distance * (value - sums[column].mean)
            }
        }
        return sums.indices.map { column in
            guard isNumeric[column], sums[column].count > 1 else { return 0 }
            return (sums[column].squares / (sums[column].count - 1)).squareRoot()
        }
    }
}

extension SplitMix {
    /// Normally distributed with mean 0 and deviation 1 (Box, Muller, 1958).
    fileprivate mutating func normal() -> Double {
        let radius = (-2 * log(1 - unit())).squareRoot()
        return radius * cos(2 * .pi * unit())
    }
}
