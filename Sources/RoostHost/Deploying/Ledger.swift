internal import RoostBasics
internal import RoostFunctions
internal import RoostJSON
internal import RoostStore

/// What the host knows after a restart: one record per function, its last good manifest, and every decision.
///
/// Unchecked: only jobs of the storage thread use it, one after the other.
final class Ledger: @unchecked Sendable {
    private let database: Database
    private let write: Statement
    private let writeManifest: Statement
    private let removeManifest: Statement
    let audit: AuditLog

    init(path: String) throws(DatabaseError) {
        database = try Database(path: path)
        try database.execute(
            "CREATE TABLE IF NOT EXISTS functions (name TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID")
        write = try database.prepare(
            "INSERT INTO functions VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET record = excluded.record")
        try database.execute(
            "CREATE TABLE IF NOT EXISTS manifests (name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID")
        writeManifest = try database.prepare(
            "INSERT INTO manifests VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET text = excluded.text")
        removeManifest = try database.prepare("DELETE FROM manifests WHERE name = ?")
        audit = try AuditLog(in: database)
    }

    /// All records that can be read; the others come back as complaints, and their functions are found anew.
    func records() throws(DatabaseError) -> (records: [FunctionRecord], complaints: [String]) {
        var records: [FunctionRecord] = []
        var complaints: [String] = []
        try database.prepare("SELECT name, record FROM functions").run { row throws(DatabaseError) in
            let text = row.text(1) ?? ""
            do throws(JSONError) {
                records.append(try FunctionRecord(try JSONDocument(parsing: text, source: "record")))
            } catch {
                complaints.append("the record of \(row.text(0) ?? "?") cannot be read and is left out: \(error)")
            }
        }
        return (records, complaints)
    }

    /// The manifests that were in force last.
    func manifests() throws(DatabaseError) -> [FunctionName: [UInt8]] {
        var found: [FunctionName: [UInt8]] = [:]
        try database.prepare("SELECT name, text FROM manifests").run { row in
            if let name = row.text(0).flatMap({ FunctionName($0) }) { found[name] = Array((row.text(1) ?? "").utf8) }
        }
        return found
    }

    func persist(_ entry: LedgerEntry) throws(DatabaseError) {
        try audit.appending { () throws(DatabaseError) in
            try database.transaction { () throws(DatabaseError) in
                for record in entry.records { try write.run([.text(record.name.text), .text(record.json.compact)]) }
                for line in entry.decisions { try audit.append(line) }
                for (name, text) in entry.manifests {
                    if let text {
                        try writeManifest.run([.text(name.text), .text(String(decoding: text, as: UTF8.self))])
                    } else {
                        try removeManifest.run([.text(name.text)])
                    }
                }
            }
        }
    }
}

/// What goes into the ledger in one transaction.
struct LedgerEntry: Sendable {
    /// One of a function at most.
    var records: [FunctionRecord] = []
    /// Those that led to the records, and others.
    var decisions: [AuditLine] = []
    /// The text of a manifest that is in force now; nil: there is none any more.
    var manifests: [FunctionName: [UInt8]?] = [:]

    var isEmpty: Bool { records.isEmpty && decisions.isEmpty && manifests.isEmpty }

    mutating func add(_ record: FunctionRecord) {
        records.removeAll { $0.name == record.name }
        records.append(record)
    }

    /// Both in one, of which `later` knows better.
    func followed(by later: Self) -> Self {
        var both = self
        for record in later.records { both.add(record) }
        both.decisions += later.decisions
        both.manifests.merge(later.manifests) { $1 }
        return both
    }
}
