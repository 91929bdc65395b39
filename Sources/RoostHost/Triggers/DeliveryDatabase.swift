internal import RoostBasics
internal import RoostDelivery
internal import RoostStore

/// One act of a transaction.
enum DeliveryAct: Hashable, Sendable {
    /// Unless the key is known.
    case insert(DeliverySubmission, wallMS: Int64)
    /// Writes the row, and a result beside it if there is one.
    case store(DeliveryRecord, result: [UInt8]?)
    case load(DeliveryID)
    /// All rows that are not final, in the order of ids, and how many are.
    case restore(DeliveryOwner)
    /// Lets another item have the key of this one, which has ended.
    case releaseKey(DeliveryID)
    /// Reads the mark of an owner, and writes this one if there is none, or one for another subject.
    case readMark(DeliveryMark)
    case writeMark(DeliveryMark)
    case removeMark(DeliveryOwner)
    /// Forgets what ended before these times.
    case forget(DeliveryOwner, doneBeforeMS: Int64, deadBeforeMS: Int64)
}

/// What follows from an act.
enum DeliveryFinding: Hashable, Sendable {
    case submitted(SubmittedDelivery)
    case stored
    case loaded(StoredDelivery?)
    case restored([DeliveryRecord], done: Int, dead: Int)
    case mark(Int64)
    case forgotten(done: Int, dead: Int)
}

/// The tables of `deliveries.db`.
///
/// Unchecked: only the store's thread uses it, once it is made.
final class DeliveryDatabase: @unchecked Sendable {
    private let database: Database
    private let insert: Statement
    private let insertPayload: Statement
    private let findKey: Statement
    private let update: Statement
    private let writeResult: Statement
    private let load: Statement
    private let loadOwn: Statement
    private let open: Statement
    private let countFinal: Statement
    private let forget: Statement
    private let list: Statement
    private let freeKey: Statement
    private let findMark: Statement
    private let putMark: Statement
    private let deleteMark: Statement

    /// Payloads and results have tables of their own: a change of state does not write them again.
    private static let schema = """
        CREATE TABLE IF NOT EXISTS items (
            id INTEGER PRIMARY KEY AUTOINCREMENT, function TEXT NOT NULL, trigger TEXT NOT NULL, kind TEXT NOT NULL,
            key TEXT NOT NULL, submitted INTEGER NOT NULL, phase TEXT NOT NULL DEFAULT 'pending',
            due INTEGER NOT NULL DEFAULT 0, delay INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
            runs INTEGER NOT NULL DEFAULT 0, interruptions INTEGER NOT NULL DEFAULT 0,
            replays INTEGER NOT NULL DEFAULT 0, cause TEXT, reason TEXT NOT NULL DEFAULT '',
            ended INTEGER NOT NULL DEFAULT 0, UNIQUE (function, trigger, kind, key));
        CREATE INDEX IF NOT EXISTS items_by_phase ON items (function, trigger, kind, phase, ended);
        CREATE TABLE IF NOT EXISTS payloads (
            id INTEGER PRIMARY KEY REFERENCES items ON DELETE CASCADE, bytes BLOB NOT NULL);
        CREATE TABLE IF NOT EXISTS results (
            id INTEGER PRIMARY KEY REFERENCES items ON DELETE CASCADE, bytes BLOB NOT NULL);
        CREATE TABLE IF NOT EXISTS marks (
            function TEXT NOT NULL, trigger TEXT NOT NULL, kind TEXT NOT NULL, subject TEXT NOT NULL,
            value INTEGER NOT NULL, PRIMARY KEY (function, trigger, kind)) WITHOUT ROWID;
        """
    private static let columns = """
        items.id, key, submitted, phase, due, delay, attempts, runs, interruptions, replays, cause, reason, ended
        """
    private static let ofOwner = "function = ? AND trigger = ? AND kind = ?"
    /// Rows in one go, so that nobody waits long behind it.
    private static let forgetMax = 2_000

    /// - Parameter path: made if need be.
    init(path: String) throws(DatabaseError) {
        database = try Database(path: path)
        try database.execute(Self.schema)
        insert = try database.prepare(
            "INSERT OR IGNORE INTO items (function, trigger, kind, key, submitted) VALUES (?, ?, ?, ?, ?) RETURNING id")
        insertPayload = try database.prepare("INSERT INTO payloads VALUES (?, ?)")
        findKey = try database.prepare("SELECT \(Self.columns) FROM items WHERE \(Self.ofOwner) AND key = ?")
        update = try database.prepare(
            """
            UPDATE items SET phase = ?, due = ?, delay = ?, attempts = ?, runs = ?, interruptions = ?, replays = ?,
                cause = ?, reason = ?, ended = ? WHERE id = ?
            """)
        writeResult = try database.prepare("INSERT OR REPLACE INTO results VALUES (?, ?)")
        let whole = """
            SELECT \(Self.columns), payloads.bytes, results.bytes FROM items LEFT JOIN payloads USING (id)
                LEFT JOIN results USING (id) WHERE items.id = ?
            """
        load = try database.prepare(whole)
        loadOwn = try database.prepare("\(whole) AND \(Self.ofOwner)")
        open = try database.prepare(
            """
            SELECT \(Self.columns) FROM items WHERE \(Self.ofOwner) AND phase IN ('pending', 'running', 'waiting')
                ORDER BY items.id
            """)
        countFinal = try database.prepare(
            "SELECT count(*) FROM items WHERE \(Self.ofOwner) AND phase = ?")
        forget = try database.prepare(
            """
            DELETE FROM items WHERE id IN (
                SELECT id FROM items WHERE \(Self.ofOwner) AND phase = ? AND ended < ? LIMIT \(Self.forgetMax))
            """)
        list = try database.prepare(
            "SELECT \(Self.columns) FROM items WHERE \(Self.ofOwner) AND phase = ? AND id < ? ORDER BY id DESC LIMIT ?")
        // No other key is like this: those of files have more parts.
        freeKey = try database.prepare("UPDATE items SET key = '  ' || id WHERE id = ? AND phase IN ('done', 'dead')")
        findMark = try database.prepare("SELECT value FROM marks WHERE \(Self.ofOwner) AND subject = ?")
        putMark = try database.prepare("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?)")
        deleteMark = try database.prepare("DELETE FROM marks WHERE \(Self.ofOwner)")
    }

    /// All of these acts in one transaction, or none.
    func perform(_ calls: [[DeliveryAct]]) throws(DatabaseError) -> [[DeliveryFinding]] {
        var findings: [[DeliveryFinding]] = []
        try database.transaction { () throws(DatabaseError) in
            for acts in calls {
                var found: [DeliveryFinding] = []
                for act in acts { found.append(try perform(act)) }
                findings.append(found)
            }
        }
        return findings
    }

    private func perform(_ act: DeliveryAct) throws(DatabaseError) -> DeliveryFinding {
        switch act {
        case .insert(let submission, let wallMS): return .submitted(try add(submission, wallMS))
        case .store(let record, let result):
            try update.run([
                .text(record.phase.rawValue), .integer(record.dueWallMS), .integer(record.delayMS),
                .integer(Int64(record.attempts)), .integer(Int64(record.runs)), .integer(Int64(record.interruptions)),
                .integer(Int64(record.replays)), record.cause.map { .text($0.rawValue) } ?? .null,
                .text(record.reason), .integer(record.endedWallMS), .integer(record.id.rawValue),
            ])
            if let result { try writeResult.run([.integer(record.id.rawValue), .blob(result)]) }
            return .stored
        case .load(let id): return .loaded(try item(id, of: nil))
        case .releaseKey(let id): try freeKey.run([.integer(id.rawValue)])
        case .readMark(let mark): return .mark(try value(of: mark))
        case .writeMark(let mark): try write(mark)
        case .removeMark(let owner): try deleteMark.run(owner.values)
        case .restore(let owner):
            var records: [DeliveryRecord] = []
            try open.run(owner.values) { row in if let record = DeliveryRecord(row) { records.append(record) } }
            return .restored(records, done: try count(.done, of: owner), dead: try count(.dead, of: owner))
        case .forget(let owner, let done, let dead):
            return .forgotten(
                done: try forget(.done, of: owner, endedBefore: done),
                dead: try forget(.dead, of: owner, endedBefore: dead))
        }
        return .stored
    }

    private func add(_ submission: DeliverySubmission, _ wallMS: Int64) throws(DatabaseError) -> SubmittedDelivery {
        var id: Int64?
        try insert.run(submission.owner.values + [.text(submission.key), .integer(wallMS)]) { row in id = row.integer(0)
        }
        if let id {
            try insertPayload.run([.integer(id), .blob(submission.payload)])
            let record = DeliveryRecord(id: DeliveryID(rawValue: id), key: submission.key, submittedWallMS: wallMS)
            return SubmittedDelivery(record: record, isDuplicate: false)
        }
        guard let known = try item(key: submission.key, of: submission.owner) else {
            throw DatabaseError(code: 0, message: "a row is neither new nor known", statement: "insert item")
        }
        return SubmittedDelivery(record: known, isDuplicate: true)
    }

    private func value(of mark: DeliveryMark) throws(DatabaseError) -> Int64 {
        var found: Int64?
        try findMark.run(mark.owner.values + [.text(mark.subject)]) { row in found = row.integer(0) }
        if found == nil { try write(mark) }
        return found ?? mark.value
    }

    private func write(_ mark: DeliveryMark) throws(DatabaseError) {
        try putMark.run(mark.owner.values + [.text(mark.subject), .integer(mark.value)])
    }

    private func count(_ phase: DeliveryRecord.Phase, of owner: DeliveryOwner) throws(DatabaseError) -> Int {
        var count = 0
        try countFinal.run(owner.values + [.text(phase.rawValue)]) { row in count = Int(row.integer(0)) }
        return count
    }

    private func forget(
        _ phase: DeliveryRecord.Phase, of owner: DeliveryOwner, endedBefore wallMS: Int64
    ) throws(DatabaseError) -> Int {
        try forget.run(owner.values + [.text(phase.rawValue), .integer(wallMS)])
        return database.changes
    }

    // MARK: Reading

    func item(key: String, of owner: DeliveryOwner) throws(DatabaseError) -> DeliveryRecord? {
        var found: DeliveryRecord?
        try findKey.run(owner.values + [.text(key)]) { row in found = DeliveryRecord(row) }
        return found
    }

    /// With its payload and result; nil when it is not there, or another owner's.
    func item(_ id: DeliveryID, of owner: DeliveryOwner?) throws(DatabaseError) -> StoredDelivery? {
        var found: StoredDelivery?
        let statement = owner == nil ? load : loadOwn
        try statement.run([.integer(id.rawValue)] + (owner?.values ?? [])) { row in
            guard let record = DeliveryRecord(row) else { return }
            found = StoredDelivery(
                record: record, payload: row.blob(DeliveryRecord.columnCount),
                result: row.isNull(DeliveryRecord.columnCount + 1) ? nil : row.blob(DeliveryRecord.columnCount + 1))
        }
        return found
    }

    /// Newest first.
    func items(
        _ phase: DeliveryRecord.Phase, of owner: DeliveryOwner, before: DeliveryID?, limit: Int
    ) throws(DatabaseError) -> [StoredDelivery] {
        var found: [StoredDelivery] = []
        let before = before?.rawValue ?? .max
        try list.run(owner.values + [.text(phase.rawValue), .integer(before), .integer(Int64(limit))]) { row in
            if let record = DeliveryRecord(row) { found.append(StoredDelivery(record: record)) }
        }
        return found
    }
}

extension DeliveryOwner {
    fileprivate var values: [SQLValue] { [.text(function.text), .text(trigger), .text(kind.rawValue)] }
}

extension DeliveryRecord {
    fileprivate static let columnCount = 13

    /// Nil when the row says what no record says.
    fileprivate init?(_ row: borrowing Row) {
        guard let phase = row.text(3).flatMap({ Phase(rawValue: $0) }) else { return nil }
        self.init(id: DeliveryID(rawValue: row.integer(0)), key: row.text(1) ?? "", submittedWallMS: row.integer(2))
        self.phase = phase
        (dueWallMS, delayMS) = (row.integer(4), row.integer(5))
        (attempts, runs) = (Int(row.integer(6)), Int(row.integer(7)))
        (interruptions, replays) = (Int(row.integer(8)), Int(row.integer(9)))
        cause = row.text(10).flatMap { DeadLetter.Cause(rawValue: $0) }
        reason = row.text(11) ?? ""
        endedWallMS = row.integer(12)
    }
}
