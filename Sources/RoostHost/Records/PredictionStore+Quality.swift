internal import RoostBasics
internal import RoostFeedback
internal import RoostStore

extension PredictionStore {
    /// Labels of one version that its figures rest on at most: the newest. More would hold up what is being recorded.
    static let labelledMax = 50_000

    /// How good each version's predictions of several periods have turned out to be.
    ///
    /// - Parameter starts: of the periods, microseconds since 1970; all end now. A period begins with the first whole
    ///   minute that is not before its start.
    /// - Returns: for each period the versions that have records in it, the highest first.
    func quality(of function: String, since starts: [Int64]) throws(DatabaseError) -> [[VersionQuality]] {
        guard let number = number(of: function), let earliest = starts.min() else { return starts.map { _ in [] } }
        let minutes = starts.map { Self.minute($0 + 59_999_999) }
        var rows: [String: [LabelledRow]] = [:]
        var result: [[VersionQuality]] = []
        for minute in minutes {
            var versions: [VersionQuality] = []
            for (version, recorded, labelled) in try counts(number, since: minute) {
                guard let parsed = VersionNumber(version) else { continue }
                if labelled > 0, rows[version] == nil {
                    rows[version] = try labelledRows(number, version, since: earliest)
                }
                let period = (rows[version] ?? []).filter { $0.predictedAt >= minute * 60_000_000 }
                versions.append(VersionQuality(parsed, recorded: recorded, labelled: labelled, rows: period))
            }
            result.append(versions.sorted { $0.version > $1.version })
        }
        return result
    }

    private func counts(
        _ function: Int64, since minute: Int64
    ) throws(DatabaseError) -> [(version: String, recorded: Int, labelled: Int)] {
        var found: [(String, Int, Int)] = []
        try database.prepare(
            """
            SELECT version, SUM(rows), SUM(labelled) FROM minutes WHERE function = ? AND minute >= ? GROUP BY version
            """
        ).run([.integer(function), .integer(minute)]) { row in
            guard row.integer(1) > 0 else { return }
            found.append((row.text(0) ?? "", Int(row.integer(1)), Int(row.integer(2))))
        }
        return found
    }

    /// The newest first.
    private func labelledRows(
        _ function: Int64, _ version: String, since seq: Int64
    ) throws(DatabaseError) -> [LabelledRow] {
        var found: [LabelledRow] = []
        try database.prepare(
            """
            SELECT p.seq, l.row, l.label, l.at, p.width, p.elements, p.kind, p.vals, p.classes
            FROM labels l JOIN predictions p ON p.function = l.function AND p.seq = l.seq
            WHERE l.function = ? AND l.seq >= ? AND p.version = ? ORDER BY l.seq DESC LIMIT ?
            """
        ).run([.integer(function), .integer(seq), .text(version), .integer(Int64(Self.labelledMax))]) { row in
            let place = Int(row.integer(1))
            let kind = LabelKind(rawValue: row.integer(6)) ?? .several
            found.append(
                LabelledRow(
                    predictedAt: row.integer(0), labelledAt: row.integer(3),
                    values: RecordedPrediction.values(row.blob(7), row: place, width: Int(row.integer(4))),
                    elements: Int(row.integer(5)),
                    decision: RecordedPrediction.decision(row.blob(8), row: place, kind), label: row.label(2)))
        }
        return found
    }
}
