internal import RoostBasics
internal import RoostDelivery
internal import RoostJSON
internal import RoostWire

/// What stands beside an output, in `OUTPUT.meta.json`: where it came from, and what the data looked like.
struct JobMeta {
    let json: [UInt8]

    init(_ record: JobRecord, _ report: DataReport, _ ranges: [BulkPlan.ColumnRange], _ clock: JobClock) {
        var object = JSONObject([
            ("job", .string(record.id)), ("function", .string(record.function.text)),
            ("version", .string(record.version.description)), ("artifact", .string(record.artifact)),
            ("spec", record.spec.json), ("rows", .integer(record.checkpoint.rows)),
            ("scored", .integer(record.checkpoint.rows - record.checkpoint.badRows)),
            ("bad_rows", .integer(record.checkpoint.badRows)),
            ("input_bytes", .integer(record.checkpoint.inputOffset)),
            ("input_sha256", .string(record.checkpoint.inputDigest)),
            ("output_bytes", .integer(record.checkpoint.outputBytes)),
            ("created", .integer(record.created)), ("data", Self.data(report, ranges)),
        ])
        object["output_sha256"] = record.outputDigest.map { .string($0) }
        object["started"] = record.started.map { .integer($0) }
        object["seconds"] = [
            "total": .real(clock.total.seconds), "read": .real(clock.read.seconds),
            "score": .real(clock.scored.seconds), "write": .real(clock.wrote.seconds),
        ]
        json = Array((JSONValue.object(object).pretty + "\n").utf8)
    }

    /// The data report: what was missing, ranges, and repeated rows.
    private static func data(_ report: DataReport, _ ranges: [BulkPlan.ColumnRange]) -> JSONValue {
        var object = JSONObject([
            ("duplicates", .integer(Int(clamping: report.duplicates))),
            ("duplicates_standard_error", .real(report.duplicateError)),
        ])
        object["columns"] = .array(
            report.columns.indices.map { index in
                let column = report.columns[index]
                var entry = JSONObject([
                    ("name", .string(column.name)), ("missing", .integer(Int(clamping: column.missing))),
                    ("refused", .integer(Int(clamping: column.refused))),
                ])
                guard column.isNumber else { return .object(entry) }
                entry["infinite"] = .integer(Int(clamping: column.infinite))
                if let range = ranges.first(where: { $0.column == column.name })?.range {
                    entry["range"] = [.real(range.lowerBound), .real(range.upperBound)]
                    entry["out_of_range"] = .integer(Int(clamping: column.outOfRange))
                }
                if column.minimum <= column.maximum {
                    entry["min"] = .real(column.minimum)
                    entry["max"] = .real(column.maximum)
                }
                if let mean = report.mean(ofColumn: index), mean.isFinite { entry["mean"] = .real(mean) }
                return .object(entry)
            })
        return .object(object)
    }
}
