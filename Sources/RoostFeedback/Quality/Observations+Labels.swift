public import RoostEvaluation

extension Observations {
    /// Recorded answers beside their labels, as far as they belong together; nil when none do.
    ///
    /// What the rows do not say is worked out from them: a model that decides nothing is a regression; with one value
    /// and two classes the positive class is 1, else the one whose decisions have the higher values; with several
    /// values a text class is that of the column which is highest where the model decides for it. Rows that do not
    /// fit (other widths, values that are no numbers) are left out.
    public init?(_ rows: [LabelledRow]) {
        guard let last = rows.last else { return nil }
        let alike = rows.filter { ($0.decision == nil) == (last.decision == nil) && $0.elements == last.elements }
        guard last.decision != nil else {
            let pairs = alike.compactMap { row in
                row.values.first.flatMap { value in row.label.number.map { (value, $0) } }
            }.filter { $0.0.isFinite }
            guard last.elements == 1, !pairs.isEmpty else { return nil }
            self = .numbers(NumberObservations(predictions: pairs.map(\.0), truths: pairs.map(\.1)))
            return
        }
        self = .classes(Self.classes(alike, elements: last.elements))
    }

    private static func classes(_ rows: [LabelledRow], elements: Int) -> ClassObservations {
        let hasScores = rows.allSatisfy { $0.values.count == elements && $0.values.allSatisfy(\.isFinite) }
        let found = Set(rows.map(\.label)).union(rows.compactMap(\.decision)).sorted()
        if elements == 1, found.count <= 2 { return binary(rows, found, hasScores) }
        if elements > 1, hasScores, let columns = columns(rows, elements),
            rows.allSatisfy({ columns[$0.label] != nil && $0.decision.map { columns[$0] != nil } == true })
        {
            return scored(rows, elements, columns)
        }
        let places = Dictionary(uniqueKeysWithValues: found.enumerated().map { ($1, $0) })
        return ClassObservations(
            classCount: max(2, found.count), scores: [], truths: rows.map { places[$0.label] ?? 0 },
            decisions: rows.map { row in row.decision.flatMap { places[$0] } ?? 0 })
    }

    private static func binary(_ rows: [LabelledRow], _ found: [Label], _ hasScores: Bool) -> ClassObservations {
        let positive = positiveClass(rows, found)
        return ClassObservations(
            scores: hasScores ? rows.map { $0.values[0] } : [], truths: rows.map { $0.label == positive },
            decisions: rows.map { $0.decision == positive })
    }

    /// 1 where classes are 0 and 1; else the class whose decisions have the higher values on average.
    private static func positiveClass(_ rows: [LabelledRow], _ found: [Label]) -> Label? {
        if found.allSatisfy({ $0 == .number(0) || $0 == .number(1) }) { return .number(1) }
        var sums: [Label: (total: Double, count: Int)] = [:]
        for row in rows {
            guard let decision = row.decision, let value = row.values.first, value.isFinite else { continue }
            sums[decision, default: (0, 0)].total += value
            sums[decision, default: (0, 0)].count += 1
        }
        let means = sums.mapValues { $0.total / Double($0.count) }
        guard means.count < 2 else { return means.max { $0.value < $1.value }?.key }
        // Only one was ever decided: it is the positive one if its values are high.
        guard let (only, mean) = means.first.map({ ($0.key, $0.value) }) else { return found.last }
        return mean >= 0.5 ? only : found.first { $0 != only }
    }

    /// The column of each class; nil when they cannot be told.
    private static func columns(_ rows: [LabelledRow], _ elements: Int) -> [Label: Int]? {
        var votes: [Label: [Int]] = [:]
        for row in rows {
            guard let decision = row.decision else { return nil }
            let highest = row.values.indices.max { row.values[$0] < row.values[$1] } ?? 0
            votes[decision, default: Array(repeating: 0, count: elements)][highest] += 1
        }
        if rows.allSatisfy({ $0.label.number != nil && $0.decision?.number != nil }) {
            return Dictionary(uniqueKeysWithValues: (0..<elements).map { (Label.number(Double($0)), $0) })
        }
        let columns = votes.mapValues { counts in counts.indices.max { counts[$0] < counts[$1] } ?? 0 }
        return Set(columns.values).count == columns.count ? columns : nil
    }

    private static func scored(_ rows: [LabelledRow], _ elements: Int, _ columns: [Label: Int]) -> ClassObservations {
        let truths = rows.map { columns[$0.label] ?? 0 }
        let decisions = rows.map { row in row.decision.flatMap { columns[$0] } ?? 0 }
        if elements == 2 {
            return ClassObservations(
                scores: rows.map { $0.values[1] }, truths: truths.map { $0 == 1 }, decisions: decisions.map { $0 == 1 })
        }
        return ClassObservations(
            classCount: elements, scores: rows.flatMap(\.values), truths: truths, decisions: decisions)
    }
}

extension Label: Comparable {
    /// Numbers before texts.
    public static func < (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.number(let left), .number(let right)): left < right
        case (.text(let left), .text(let right)): left < right
        case (.number, .text): true
        case (.text, .number): false
        }
    }
}
