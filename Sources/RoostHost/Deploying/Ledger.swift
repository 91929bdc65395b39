internal import RoostBasics
internal import RoostFunctions
internal import RoostJSON
internal import RoostStore

/// What the host knows after a restart: one record per function, and every decision.
///
/// Unchecked: only jobs of the storage thread use it, one after the other.
final class Ledger: @unchecked Sendable {
    private let database: Database
    private let write: Statement
    let audit: AuditLog

    init(path: String) throws(DatabaseError) {
        database = try Database(path: path)
        try database.execute(
            "CREATE TABLE IF NOT EXISTS functions (name TEXT PRIMARY KEY, record TEXT NOT NULL) WITHOUT ROWID")
        write = try database.prepare(
            "INSERT INTO functions VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET record = excluded.record")
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

    func persist(_ records: [FunctionRecord], _ lines: [AuditLine]) throws(DatabaseError) {
        try audit.appending { () throws(DatabaseError) in
            try database.transaction { () throws(DatabaseError) in
                for record in records { try write.run([.text(record.name.text), .text(record.json.compact)]) }
                for line in lines { try audit.append(line) }
            }
        }
    }
}
