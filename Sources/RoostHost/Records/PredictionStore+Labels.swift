internal import RoostBasics
internal import RoostFeedback
internal import RoostStore

/// What became of the labels of one call.
struct FeedbackOutcome: Hashable, Sendable {
    /// Labels of rows that had none, or the same one.
    var joined = 0
    /// Labels that took the place of another.
    var replaced: [ReplacedLabel] = []
    /// Of requests or rows that are not known.
    var unknown = 0
    /// Labels that cannot be used, by what they are.
    var refused = 0
    /// Unknown and refused ones, in the order of the body; the first `problemsMax`.
    var problems: [FeedbackProblem] = []

    /// Problems that an answer names one by one.
    static let problemsMax = 100

    mutating func add(_ problem: FeedbackProblem) {
        if problems.count < Self.problemsMax { problems.append(problem) }
    }
}

/// A label that was another one before.
struct ReplacedLabel: Hashable, Sendable {
    let version: String
    let key: String
    let row: Int
    let before: Label
    let after: Label
}

extension PredictionStore {
    /// Joins labels to predictions, the newest of a key; at `now`, microseconds since 1970.
    func join(_ body: FeedbackBody, to function: String, at now: Int64) throws(DatabaseError) -> FeedbackOutcome {
        var outcome = FeedbackOutcome()
        for problem in body.problems {
            outcome.refused += 1
            outcome.add(problem)
        }
        let joiner = try Joiner(self, number(of: function))
        var minutes: [Minute: Counts] = [:]
        try database.transaction { () throws(DatabaseError) in
            for item in body.items { try joiner.join(item, at: now, &outcome, &minutes) }
            for (minute, counts) in minutes { try add(counts, to: minute) }
        }
        outcome.problems.sort { $0.place < $1.place }
        return outcome
    }

    /// The statements of one call.
    private struct Joiner {
        let function: Int64?
        let find: Statement
        let read: Statement
        let write: Statement

        init(_ store: PredictionStore, _ function: Int64?) throws(DatabaseError) {
            self.function = function
            let database = store.database
            find = try database.prepare(
                """
                SELECT seq, version, rows, kind FROM predictions WHERE function = ? AND key = ?
                ORDER BY seq DESC LIMIT 1
                """)
            read = try database.prepare("SELECT label FROM labels WHERE function = ? AND seq = ? AND row = ?")
            write = try database.prepare(
                """
                INSERT INTO labels VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (function, seq, row) DO UPDATE SET label = excluded.label, at = excluded.at
                """)
        }

        private struct Found {
            let seq: Int64
            let version: String
            let rows: Int
            let kind: LabelKind
        }

        func join(
            _ item: FeedbackItem, at now: Int64, _ outcome: inout FeedbackOutcome, _ minutes: inout [Minute: Counts]
        ) throws(DatabaseError) {
            guard let function, let found = try find(item.key, of: function) else {
                outcome.unknown += 1
                return outcome.add(item.problem("unknown: no recorded prediction has this id"))
            }
            guard item.row < found.rows else {
                outcome.unknown += 1
                return outcome.add(
                    item.problem("unknown: row \(item.row), but \(found.rows) rows of this request are recorded"))
            }
            let label: Label
            do throws(RoostError) { label = try item.label.label(as: found.kind) } catch {
                outcome.refused += 1
                return outcome.add(item.problem(error.message))
            }
            let place: [SQLValue] = [.integer(function), .integer(found.seq), .integer(Int64(item.row))]
            let before = try self.label(at: place)
            guard before != label else { return outcome.joined += 1 }
            try write.run(place + [label.stored, .integer(now)])
            if let before {
                outcome.replaced.append(
                    ReplacedLabel(
                        version: found.version, key: item.key, row: item.row, before: before, after: label))
            } else {
                outcome.joined += 1
                let minute = Minute(
                    function: function, version: found.version, minute: PredictionStore.minute(found.seq))
                minutes[minute, default: Counts()].add(labelled: 1)
            }
        }

        private func find(_ key: String, of function: Int64) throws(DatabaseError) -> Found? {
            var found: Found?
            try find.run([.integer(function), .text(key)]) { row in
                found = Found(
                    seq: row.integer(0), version: row.text(1) ?? "", rows: Int(row.integer(2)),
                    kind: LabelKind(rawValue: row.integer(3)) ?? .several)
            }
            return found
        }

        private func label(at place: [SQLValue]) throws(DatabaseError) -> Label? {
            var label: Label?
            try read.run(place) { label = $0.label(0) }
            return label
        }
    }
}

extension FeedbackItem {
    fileprivate func problem(_ reason: String) -> FeedbackProblem {
        FeedbackProblem(place: place, key: key, row: row, reason: reason)
    }
}

extension Label {
    fileprivate var stored: SQLValue {
        switch self {
        case .number(let number): .real(number)
        case .text(let text): .text(text)
        }
    }
}

extension Row {
    /// A label as `stored` wrote it.
    borrowing func label(_ column: Int) -> Label {
        isText(column) ? .text(text(column) ?? "") : .number(real(column))
    }
}
