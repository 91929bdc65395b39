internal import RoostBasics
internal import RoostShell
internal import RoostEvaluation
internal import RoostFunctions

/// What differs between two models.
struct ModelDiff {
    /// A row on which they differ.
    struct Change {
        let row: Int
        let text: String
        /// The largest difference of two predictions; infinite when only one of them is a number.
        let difference: Double
        let before: [Double]
        let after: [Double]
        /// Old and new; nil when the models give none.
        let labels: (old: String, new: String)?

        var isFlip: Bool { labels.map { $0.old != $0.new } ?? false }
    }

    let names: (old: String, new: String)
    let source: String
    let rows: Int
    /// What callers of the old one would notice; nil: nothing.
    let incompatibility: String?
    /// Whether the signatures are the same in every respect.
    let hasSameSignature: Bool
    let changes: [Change]
    /// Whether both give labels.
    let hasLabels: Bool
    let speed: (old: Speed, new: Speed)
    let byteCount: (old: Int?, new: Int?)

    /// - Throws: when a model does not answer, or they answer in different forms.
    init(_ old: AskedModel, _ new: AskedModel, on rows: ComparedRows) throws {
        names = (old.name, new.name)
        source = rows.source
        self.rows = rows.bodies.count
        incompatibility = new.signature.incompatibility(with: old.signature)
        hasSameSignature = new.signature == old.signature
        byteCount = (old.byteCount, new.byteCount)
        let (first, second) = (try Self.answers(old, rows), try Self.answers(new, rows))
        guard first.width == second.width else {
            throw Failure(
                "\(old.name) predicts \(first.width) numbers for a row, \(new.name) \(second.width): nothing to compare"
            )
        }
        hasLabels = !first.labels.isEmpty && !second.labels.isEmpty
        changes = Self.changes(first, second, rows, hasLabels)
        speed = (try Self.speed(of: old, rows), try Self.speed(of: new, rows))
    }

    var flips: Int { changes.count { $0.isFlip } }
    var meanDifference: Double { changes.reduce(0) { $0 + $1.difference } / Double(max(1, rows)) }
    var largestDifference: Double { changes.map(\.difference).max() ?? 0 }
    /// Rows on which both say exactly the same.
    var equal: Int { rows - changes.count }

    /// Flips first, then by difference.
    private static func changes(
        _ old: ModelAnswers, _ new: ModelAnswers, _ rows: ComparedRows, _ hasLabels: Bool
    ) -> [Change] {
        var changes: [Change] = []
        for row in 0..<old.count {
            let (before, after) = (Array(old.row(row)), Array(new.row(row)))
            let difference = zip(before, after).map { distance($0, $1) }.max() ?? 0
            let change = Change(
                row: row, text: rows.text(row), difference: difference, before: before, after: after,
                labels: hasLabels ? (old.labels[row], new.labels[row]) : nil)
            if difference > 0 || change.isFlip { changes.append(change) }
        }
        return changes.sorted { one, other in
            one.isFlip != other.isFlip
                ? one.isFlip
                : one.difference != other.difference ? one.difference > other.difference : one.row < other.row
        }
    }

    private static func distance(_ one: Double, _ other: Double) -> Double {
        if one.isNaN || other.isNaN { return one.isNaN && other.isNaN ? 0 : .infinity }
        return abs(one - other)
    }

    private static func answers(_ model: AskedModel, _ rows: ComparedRows) throws -> ModelAnswers {
        var answers = ModelAnswers()
        for (row, body) in rows.bodies.enumerated() {
            do {
                try answers.append(reply: try model.predict(body, contentType: rows.contentType), rows: 1)
            } catch { throw Failure("\(model.name): row \(row + 1) of \(rows.source): \(error)") }
        }
        return answers
    }

    /// Batches for at least so many rows.
    private static let speedRows = 2048

    private static func speed(of model: AskedModel, _ rows: ComparedRows) throws -> Speed {
        let start = now()
        var count = 0
        while count < speedRows {
            _ = try model.predict(rows.batch.body, contentType: rows.contentType)
            count += rows.batch.rows
        }
        return try Speed(
            of: model, bodies: rows.bodies, contentType: rows.contentType, batched: (count, now() - start))
    }
}
