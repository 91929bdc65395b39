internal import RoostStore

extension PredictionStore {
    /// Predictions that one call removes at most, so that it takes some ten milliseconds.
    static let removedMax = 5000

    /// Removes the oldest of a function as soon as its predictions take a sixteenth more than they may: not at each
    /// write, because looking for the oldest costs more than writing.
    func trimExcess(_ function: String, sizeMax: Int) throws(DatabaseError) {
        guard let size = number(of: function).flatMap({ sizes[$0] }), size > sizeMax + sizeMax / 16 else { return }
        while try trim(function, keepingSince: .min, sizeMax: sizeMax) {}
    }

    /// Removes what is older than `oldest` (microseconds since 1970), and the oldest of what exceeds `sizeMax` bytes.
    /// - Returns: whether there is more to remove.
    func trim(_ function: String, keepingSince oldest: Int64, sizeMax: Int) throws(DatabaseError) -> Bool {
        guard let number = number(of: function) else { return false }
        if oldest == .min, sizes[number] ?? 0 <= sizeMax { return false }
        var excess = max(0, (sizes[number] ?? 0) - sizeMax)
        var isDone = false
        var gone: [(seq: Int64, minute: Minute, rows: Int, size: Int)] = []
        try database.prepare(
            "SELECT seq, version, rows, size FROM predictions WHERE function = ? ORDER BY seq LIMIT ?"
        ).run([.integer(number), .integer(Int64(Self.removedMax))]) { row in
            let (seq, size) = (row.integer(0), Int(row.integer(3)))
            // Once one stays, all that are newer stay.
            guard !isDone, excess > 0 || seq < oldest else { return isDone = true }
            excess -= size
            let minute = Minute(function: number, version: row.text(1) ?? "", minute: Self.minute(seq))
            gone.append((seq, minute, Int(row.integer(2)), size))
        }
        guard let last = gone.last else { return false }
        var minutes: [Minute: Counts] = [:]
        try database.transaction { () throws(DatabaseError) in
            let unlabel = try database.prepare("DELETE FROM labels WHERE function = ? AND seq = ?")
            for prediction in gone {
                try unlabel.run([.integer(number), .integer(prediction.seq)])
                minutes[prediction.minute, default: Counts()].add(
                    requests: -1, rows: -prediction.rows, labelled: -database.changes, size: -prediction.size)
            }
            try database.prepare("DELETE FROM predictions WHERE function = ? AND seq <= ?").run([
                .integer(number), .integer(last.seq),
            ])
            for (minute, counts) in minutes { try add(counts, to: minute) }
            try database.prepare("DELETE FROM minutes WHERE function = ? AND requests <= 0").run([.integer(number)])
        }
        sizes[number, default: 0] -= gone.reduce(0) { $0 + $1.size }
        return gone.count == Self.removedMax
    }
}
