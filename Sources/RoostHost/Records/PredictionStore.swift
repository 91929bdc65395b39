internal import RoostBasics
internal import RoostFeedback
internal import RoostStore

/// Recorded predictions and the labels that came for them: `state/records.db`.
///
/// A prediction's `seq` is the microsecond of its answer since 1970, made unique and ascending; it is key, order and
/// time in one. Counts are kept by minute beside the predictions, so that coverage never counts millions of rows.
///
/// Unchecked: only jobs of the recorder's thread use it, one after the other.
final class PredictionStore: @unchecked Sendable {
    let database: Database
    private let insert: Statement
    private let count: Statement
    private var functionNumbers: [String: Int64] = [:]
    private var lastSeq: Int64 = 0
    /// What each function's predictions take on disk, about.
    var sizes: [Int64: Int] = [:]
    /// Functions that had labels when the store was opened.
    private(set) var labelledAtStart: [String] = []

    private static let schema = [
        "CREATE TABLE IF NOT EXISTS functions (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
        """
        CREATE TABLE IF NOT EXISTS predictions (
            function INTEGER, seq INTEGER, version TEXT, key TEXT, rows INTEGER, width INTEGER, elements INTEGER,
            kind INTEGER, size INTEGER, vals BLOB, classes BLOB, PRIMARY KEY (function, seq)) WITHOUT ROWID
        """,
        "CREATE INDEX IF NOT EXISTS by_key ON predictions (function, key)",
        """
        CREATE TABLE IF NOT EXISTS labels (
            function INTEGER, seq INTEGER, row INTEGER, label, at INTEGER,
            PRIMARY KEY (function, seq, row)) WITHOUT ROWID
        """,
        """
        CREATE TABLE IF NOT EXISTS minutes (
            function INTEGER, version TEXT, minute INTEGER, requests INTEGER, rows INTEGER, labelled INTEGER,
            size INTEGER, PRIMARY KEY (function, version, minute)) WITHOUT ROWID
        """,
    ]

    init(path: String) throws(DatabaseError) {
        database = try Database(path: path)
        for statement in Self.schema { try database.execute(statement) }
        insert = try database.prepare("INSERT INTO predictions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
        count = try database.prepare(
            """
            INSERT INTO minutes VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (function, version, minute) DO UPDATE SET
                requests = requests + excluded.requests, rows = rows + excluded.rows,
                labelled = labelled + excluded.labelled, size = size + excluded.size
            """)
        try database.prepare("SELECT id, name FROM functions").run { row in
            functionNumbers[row.text(1) ?? ""] = row.integer(0)
        }
        for function in functionNumbers.values {
            try database.prepare("SELECT MAX(seq) FROM predictions WHERE function = ?").run([.integer(function)]) {
                lastSeq = max(lastSeq, $0.integer(0))
            }
        }
        let names = Dictionary(uniqueKeysWithValues: functionNumbers.map { ($1, $0) })
        try database.prepare("SELECT function, SUM(size), SUM(labelled) FROM minutes GROUP BY function").run { row in
            sizes[row.integer(0)] = Int(row.integer(1))
            if row.integer(2) > 0, let name = names[row.integer(0)] { labelledAtStart.append(name) }
        }
    }

    /// The functions that anything is kept of.
    var functions: [String] { functionNumbers.keys.sorted() }

    /// The number that stands for a function here; nil when nothing was ever kept of it.
    func number(of function: String) -> Int64? { functionNumbers[function] }

    /// The minute that a prediction is counted in.
    static func minute(_ seq: Int64) -> Int64 { seq / 60_000_000 }

    /// Keeps predictions: all of them or, when it throws, none.
    func add(_ predictions: [RecordedPrediction]) throws(DatabaseError) {
        var minutes: [Minute: Counts] = [:]
        let (numbersBefore, seqBefore) = (functionNumbers, lastSeq)
        do throws(DatabaseError) {
            try database.transaction { () throws(DatabaseError) in
                for prediction in predictions { try add(prediction, &minutes) }
                for (minute, counts) in minutes { try add(counts, to: minute) }
            }
        } catch {
            (functionNumbers, lastSeq) = (numbersBefore, seqBefore)
            throw error
        }
        for (minute, counts) in minutes { sizes[minute.function, default: 0] += counts.size }
    }

    private func add(_ prediction: RecordedPrediction, _ minutes: inout [Minute: Counts]) throws(DatabaseError) {
        let function = try makeNumber(of: prediction.function)
        lastSeq = max(lastSeq + 1, prediction.at)
        try insert.run([
            .integer(function), .integer(lastSeq), .text(prediction.version), .text(prediction.key),
            .integer(Int64(prediction.rows)), .integer(Int64(prediction.width)), .integer(Int64(prediction.elements)),
            .integer(prediction.kind.rawValue), .integer(Int64(prediction.size)), .blob(prediction.valueBytes),
            .blob(prediction.classBytes),
        ])
        let minute = Minute(function: function, version: prediction.version, minute: Self.minute(lastSeq))
        minutes[minute, default: Counts()].add(requests: 1, rows: prediction.rows, size: prediction.size)
    }

    private func makeNumber(of function: String) throws(DatabaseError) -> Int64 {
        if let number = functionNumbers[function] { return number }
        try database.prepare("INSERT INTO functions (name) VALUES (?)").run([.text(function)])
        try database.prepare("SELECT id FROM functions WHERE name = ?").run([.text(function)]) { row in
            functionNumbers[function] = row.integer(0)
        }
        return functionNumbers[function] ?? 0
    }

    /// Changes the counts of one minute, in the transaction that is open.
    func add(_ counts: Counts, to minute: Minute) throws(DatabaseError) {
        try count.run([
            .integer(minute.function), .text(minute.version), .integer(minute.minute), .integer(Int64(counts.requests)),
            .integer(Int64(counts.rows)), .integer(Int64(counts.labelled)), .integer(Int64(counts.size)),
        ])
    }

    struct Minute: Hashable {
        let function: Int64
        let version: String
        let minute: Int64
    }

    /// Of one version in one minute; negative where something goes.
    struct Counts {
        var requests = 0
        var rows = 0
        var labelled = 0
        var size = 0

        mutating func add(requests: Int = 0, rows: Int = 0, labelled: Int = 0, size: Int = 0) {
            self.requests += requests
            self.rows += rows
            self.labelled += labelled
            self.size += size
        }
    }
}
