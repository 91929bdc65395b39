internal import RoostEvaluation
internal import RoostJSON

extension ModelDiff {
    /// Rows that are shown.
    private static let shownMax = 5
    /// Characters of a row that are shown.
    private static let textMax = 60

    /// For people, ending with a newline.
    var text: String {
        var lines = ["\(names.old) and \(names.new) on \(source)", ""]
        lines.append("signature  \(signature)")
        lines.append("agreement  \(agreement)")
        lines.append("")
        let table = [
            ["", names.old, names.new],
            ["rows/s", "\(Int(speed.old.rowsPerSecond))", "\(Int(speed.new.rowsPerSecond))"],
            [
                "one row, p50", Figure.milliseconds(speed.old.percentile(50)),
                Figure.milliseconds(speed.new.percentile(50)),
            ],
            [
                "one row, p99", Figure.milliseconds(speed.old.percentile(99)),
                Figure.milliseconds(speed.new.percentile(99)),
            ],
            ["size", Self.size(byteCount.old), Self.size(byteCount.new)],
        ]
        let columns = Columns(table, rightAligned: 1..<3)
        lines += table.map(columns.line)
        guard !changes.isEmpty else { return lines.joined(separator: "\n") + "\n" }
        lines += ["", "most changed rows"]
        let rows = [["ROW", "DIFFERENCE", names.old, names.new, ""]] + changes.prefix(Self.shownMax).map(Self.cells)
        let shown = Columns(rows, rightAligned: 0..<2)
        lines += rows.map(shown.line)
        return lines.joined(separator: "\n") + "\n"
    }

    private var signature: String {
        if hasSameSignature { return "the same" }
        return incompatibility.map { "incompatible: \($0)" } ?? "different, but callers can go on unchanged"
    }

    private var agreement: String {
        var parts = ["\(equal) of \(rows) rows answered exactly alike"]
        if hasLabels { parts.append("\(flips) other label\(flips == 1 ? "" : "s") (\(percent(flips)))") }
        parts.append("predictions differ by \(metricText(meanDifference)) on average")
        parts.append("at most by \(metricText(largestDifference))")
        return parts.joined(separator: ", ")
    }

    private func percent(_ count: Int) -> String { "\(metricText(100 * Double(count) / Double(max(1, rows)))) %" }

    private static func size(_ bytes: Int?) -> String { bytes.map { Figure.bytes(Double($0)) } ?? "-" }

    private static func cells(_ change: Change) -> [String] {
        let text = change.text.count > textMax ? change.text.prefix(textMax) + "…" : change.text[...]
        return [
            "\(change.row + 1)", metricText(change.difference), answer(change.before, change.labels?.old),
            answer(change.after, change.labels?.new), String(text),
        ]
    }

    /// A label with its score, or the prediction alone.
    private static func answer(_ predictions: [Double], _ label: String?) -> String {
        let numbers = predictions.count == 1 ? metricText(predictions[0]) : metricText(predictions.max() ?? .nan)
        return label.map { "\($0) (\(numbers))" } ?? numbers
    }

    /// For programs.
    var json: JSONValue {
        [
            "old": .string(names.old), "new": .string(names.new), "rows": .integer(rows), "source": .string(source),
            "signature": [
                "same": .bool(hasSameSignature), "compatible": .bool(incompatibility == nil),
                "difference": incompatibility.map { .string($0) } ?? .null,
            ],
            "agreement": [
                "equal": .integer(equal), "flips": hasLabels ? .integer(flips) : .null,
                "mean_difference": Self.number(meanDifference), "max_difference": Self.number(largestDifference),
            ],
            "most_changed": .array(changes.prefix(20).map(Self.json)),
            "speed": ["old": speed.old.json, "new": speed.new.json],
            "size": [
                "old": byteCount.old.map { .integer($0) } ?? .null, "new": byteCount.new.map { .integer($0) } ?? .null,
            ],
        ]
    }

    private static func json(_ change: Change) -> JSONValue {
        var members = JSONObject([
            ("row", .integer(change.row + 1)), ("input", .string(change.text)),
            ("difference", number(change.difference)), ("old", .array(change.before.map(number))),
            ("new", .array(change.after.map(number))),
        ])
        if let labels = change.labels { members["labels"] = [.string(labels.old), .string(labels.new)] }
        return .object(members)
    }

    private static func number(_ value: Double) -> JSONValue { value.isFinite ? .real(value) : .null }
}
