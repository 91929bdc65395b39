internal import RoostBasics
internal import RoostELF
internal import RoostFunctions
internal import RoostJSON
internal import RoostStore

/// A decision as it goes into the log.
struct AuditLine: Sendable {
    let function: String
    /// One JSON object on one line; what the hash is taken of.
    let text: String

    /// - Parameter seconds: since 1970.
    init(_ entry: AuditEntry, at seconds: Int) {
        function = entry.function.text
        var members = JSONObject([
            ("at", .integer(seconds)), ("function", .string(entry.function.text)), ("by", .string(entry.who)),
            ("act", .string(entry.act)),
        ])
        if let version = entry.version { members["version"] = .string(version.description) }
        for (key, value) in [("from", entry.from), ("to", entry.to), ("reason", entry.reason)] where !value.isEmpty {
            members[key] = .string(value)
        }
        if entry.numbers != .null { members["numbers"] = entry.numbers }
        text = JSONValue.object(members).compact
    }
}

/// Every decision, in order, each chained to the one before: its hash is the SHA-256 of the hash before and the entry's
/// own text, so that no entry can be changed, removed from the middle or put in between without all later hashes
/// being wrong. (Schneier and Kelsey, "Secure audit logs to support computer forensics", 1999, without the keys: who
/// can write the file can write it all anew. What was noted elsewhere of a hash proves everything before it.)
///
/// Belongs to the storage thread.
final class AuditLog {
    private let insert: Statement
    private let all: Statement
    private let page: Statement
    private let pageOfFunction: Statement
    /// Of the last entry; of nothing, 64 zeros.
    private var last = AuditLog.beginning
    private static let beginning = String(repeating: "0", count: 64)

    init(in database: Database) throws(DatabaseError) {
        try database.execute(
            """
            CREATE TABLE IF NOT EXISTS audit (
              number INTEGER PRIMARY KEY, function TEXT NOT NULL, entry TEXT NOT NULL, hash TEXT NOT NULL)
            """)
        try database.execute("CREATE INDEX IF NOT EXISTS audit_by_function ON audit (function, number)")
        insert = try database.prepare("INSERT INTO audit (function, entry, hash) VALUES (?, ?, ?)")
        all = try database.prepare("SELECT entry, hash FROM audit ORDER BY number")
        page = try database.prepare("SELECT number, entry, hash FROM audit ORDER BY number DESC LIMIT ?")
        pageOfFunction = try database.prepare(
            "SELECT number, entry, hash FROM audit WHERE function = ? ORDER BY number DESC LIMIT ?")
        var last = Self.beginning
        try page.run([.integer(1)]) { row in last = row.text(2) ?? last }
        self.last = last
    }

    /// Appends within `body`, which is a transaction: when that fails the chain ends where it ended before.
    func appending(_ body: () throws(DatabaseError) -> Void) throws(DatabaseError) {
        let before = last
        do { try body() } catch {
            last = before
            throw error
        }
    }

    func append(_ line: AuditLine) throws(DatabaseError) {
        last = try Self.hash(line.text, after: last)
        try insert.run([.text(line.function), .text(line.text), .text(last)])
    }

    /// `{"entries": […], "chain": "intact"}`: the last entries, oldest first, of one function or all.
    func report(of function: FunctionName?, limit: Int) throws(DatabaseError) -> JSONValue {
        var entries: [JSONValue] = []
        let read = { (row: borrowing Row) in
            let entry = try? JSONValue(parsing: Array((row.text(1) ?? "").utf8), source: "entry")
            var object = entry?.objectValue ?? JSONObject([("unreadable", true)])
            object["number"] = .integer(Int(row.integer(0)))
            object["hash"] = .string(row.text(2) ?? "")
            entries.append(.object(object))
        }
        if let function {
            try pageOfFunction.run([.text(function.text), .integer(Int64(limit))], read)
        } else {
            try page.run([.integer(Int64(limit))], read)
        }
        return ["entries": .array(entries.reversed()), "chain": .string(try chain())]
    }

    /// `intact`, or where it breaks.
    private func chain() throws(DatabaseError) -> String {
        var (hash, number, broken) = (Self.beginning, 0, Int?.none)
        try all.run { row throws(DatabaseError) in
            number += 1
            hash = try Self.hash(row.text(0) ?? "", after: hash)
            if broken == nil, hash != row.text(1) { broken = number }
        }
        return broken.map { "broken at entry \($0)" } ?? "intact"
    }

    private static func hash(_ text: String, after last: String) throws(DatabaseError) -> String {
        do {
            var digest = try SHA256()
            try digest.update(Array("\(last)\n\(text)".utf8))
            return try digest.finish().description
        } catch { throw DatabaseError(code: 0, message: "\(error)", statement: "hash of an audit entry") }
    }
}
