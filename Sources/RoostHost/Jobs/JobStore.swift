internal import RoostBasics
internal import RoostDelivery
internal import RoostFiles
internal import RoostJSON
internal import RoostLoop
internal import RoostStore

/// The jobs of a host as they lie on the disk, and the one thread that writes them: what a job has written is on the
/// disk before its record says so.
///
/// Belongs to the loop, which never waits for it.
final class JobStore {
    private let database: JobDatabase
    private var worker: Worker<(Int, RoostError?)>?
    private var waiting: [Int: (RoostError?) -> Void] = [:]
    private var nextTicket = 0

    init(path: String, on loop: Loop) throws {
        database = try JobDatabase(path: path)
        worker = try Worker(on: loop) { [unowned self] in waiting.removeValue(forKey: $0.0)?($0.1) }
    }

    /// What was known at the start; what cannot be read is left out, with complaints.
    func records() throws(DatabaseError) -> (records: [JobRecord], complaints: [String]) { try database.records() }

    /// Brings files and then the record to the disk.
    /// - Parameter then: called on the loop, with why it is not there if it is not.
    func save(_ record: JobRecord, syncing files: [FileDescriptor] = [], then: @escaping (RoostError?) -> Void) {
        nextTicket += 1
        let ticket = nextTicket
        waiting[ticket] = then
        worker?.submit { [database] in
            do throws(RoostError) {
                for file in files { try file.syncData() }
                try database.save(record)
                return (ticket, nil)
            } catch { return (ticket, error) }
        }
    }

    /// Forgets a job, and removes what it has not completed.
    func remove(_ id: String, _ output: JobPlaces.Place?) {
        nextTicket += 1
        let ticket = nextTicket
        worker?.submit { [database] in
            if let output { JobWriter.discard(output, id) }
            do throws(DatabaseError) { try database.remove(id) } catch {
                return (ticket, RoostError(.system, "\(error)"))
            }
            return (ticket, nil)
        }
    }

    /// What was given is still written.
    func close() { worker?.close() }
}

/// Unchecked: only jobs of the store's thread use it, one after the other, once the records have been read.
private final class JobDatabase: @unchecked Sendable {
    private let database: Database
    private let write: Statement
    private let delete: Statement

    init(path: String) throws(DatabaseError) {
        database = try Database(path: path)
        try database.execute(
            "CREATE TABLE IF NOT EXISTS jobs (id TEXT PRIMARY KEY, record TEXT NOT NULL, report BLOB NOT NULL)")
        write = try database.prepare(
            """
            INSERT INTO jobs VALUES (?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET record = excluded.record, report = excluded.report
            """)
        delete = try database.prepare("DELETE FROM jobs WHERE id = ?")
    }

    func records() throws(DatabaseError) -> (records: [JobRecord], complaints: [String]) {
        var records: [JobRecord] = []
        var complaints: [String] = []
        try database.prepare("SELECT id, record, report FROM jobs").run { row throws(DatabaseError) in
            do throws(JSONError) {
                let document = try JSONDocument(parsing: row.text(1) ?? "", source: "job")
                records.append(try JobRecord(document, report: row.blob(2)))
            } catch { complaints.append("job \(row.text(0) ?? "?") cannot be read and is left out: \(error)") }
        }
        return (records, complaints)
    }

    func save(_ record: JobRecord) throws(RoostError) {
        do throws(DatabaseError) {
            try write.run([.text(record.id), .text(record.stored.compact), .blob(record.checkpoint.report)])
        } catch { throw RoostError(.system, "job \(record.id) cannot be written: \(error)") }
    }

    func remove(_ id: String) throws(DatabaseError) { try delete.run([.text(id)]) }
}
