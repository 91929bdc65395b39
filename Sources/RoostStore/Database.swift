internal import CSQLite
internal import RoostBasics

/// A failure that SQLite reported, with the statement that met it.
public struct DatabaseError: Error, Hashable, Sendable, CustomStringConvertible {
    /// SQLite's extended result code.
    public let code: Int32
    public let message: String
    public let statement: String

    public init(code: Int32, message: String, statement: String) {
        self.code = code
        self.message = message
        self.statement = statement
    }

    /// The disk is full; the same call may succeed later.
    public var isDiskFull: Bool { code & 0xFF == SQLITE_FULL }
    public var description: String { "state database: \(message) (code \(code)) in: \(statement)" }
}

/// One SQLite database in WAL mode: what was committed survives a crash of the process and of the machine.
///
/// Belongs to the one thread that opened it. Invariant: `raw` is an open connection until deinit, and outlives its
/// statements because each keeps its database.
@safe public final class Database {
    fileprivate let raw: OpaquePointer

    /// Opens or creates the file. The folder must exist.
    public init(path: String) throws(DatabaseError) {
        var opened: OpaquePointer?
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let status = unsafe sqlite3_open_v2(path, &opened, flags, nil)
        guard let connection = unsafe opened else {
            throw DatabaseError(code: status, message: "out of memory", statement: "open \(path)")
        }
        unsafe raw = connection
        guard status == SQLITE_OK else {
            let message = unsafe String(cString: sqlite3_errmsg(connection))
            unsafe sqlite3_close(connection)
            throw DatabaseError(code: status, message: message, statement: "open \(path)")
        }
        // FULL: a decision that people were told of is never lost, also not to a power cut.
        try execute("PRAGMA journal_mode = WAL")
        try execute("PRAGMA synchronous = FULL")
        try execute("PRAGMA foreign_keys = ON")
    }

    /// Rows that the last INSERT, UPDATE or DELETE changed.
    public var changes: Int { unsafe Int(sqlite3_changes(raw)) }

    /// Runs statements that need no values and whose rows do not matter.
    public func execute(_ sql: String) throws(DatabaseError) {
        let status = unsafe sqlite3_exec(raw, sql, nil, nil, nil)
        guard status == SQLITE_OK else { throw failure(status, sql) }
    }

    /// A statement that may be run many times; `?` stand for the values given then.
    public func prepare(_ sql: String) throws(DatabaseError) -> Statement {
        var statement: OpaquePointer?
        let status = unsafe sqlite3_prepare_v3(raw, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard status == SQLITE_OK, let statement = unsafe statement else { throw failure(status, sql) }
        return unsafe Statement(statement, sql, in: self)
    }

    /// All of `body` or nothing.
    public func transaction(_ body: () throws(DatabaseError) -> Void) throws(DatabaseError) {
        try execute("BEGIN IMMEDIATE")
        do {
            try body()
            try execute("COMMIT")
        } catch {
            // Some failures have rolled back already; then this one says so and changes nothing.
            try? execute("ROLLBACK")
            throw error
        }
    }

    fileprivate func failure(_ status: Int32, _ sql: String) -> DatabaseError {
        DatabaseError(code: status, message: unsafe String(cString: sqlite3_errmsg(raw)), statement: sql)
    }

    deinit { unsafe sqlite3_close_v2(raw) }
}

/// A prepared statement.
@safe public final class Statement {
    private let raw: OpaquePointer
    private let sql: String
    private let database: Database

    fileprivate init(_ raw: OpaquePointer, _ sql: String, in database: Database) {
        unsafe self.raw = unsafe raw
        self.sql = sql
        self.database = database
    }

    /// Runs it with these values and calls `each` for every row of the result.
    public func run(
        _ values: [SQLValue] = [], _ each: (borrowing Row) throws(DatabaseError) -> Void = { _ in }
    ) throws(DatabaseError) {
        defer { unsafe sqlite3_reset(raw) }
        for (index, value) in values.enumerated() { try bind(value, at: Int32(index + 1)) }
        while true {
            let status = unsafe sqlite3_step(raw)
            if status == SQLITE_DONE { return }
            guard status == SQLITE_ROW else { throw database.failure(status, sql) }
            try unsafe each(Row(raw))
        }
    }

    private func bind(_ value: SQLValue, at index: Int32) throws(DatabaseError) {
        // SQLite copies the bytes before the call returns: SQLITE_TRANSIENT, a macro that Swift cannot see.
        let transient = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        let status: Int32 =
            switch value {
            case .null: unsafe sqlite3_bind_null(raw, index)
            case .integer(let number): unsafe sqlite3_bind_int64(raw, index, number)
            case .real(let number): unsafe sqlite3_bind_double(raw, index, number)
            case .blob(let bytes):
                // An empty array may have no address, which would bind NULL.
                unsafe bytes.isEmpty
                    ? sqlite3_bind_zeroblob(raw, index, 0)
                    : sqlite3_bind_blob(raw, index, bytes, Int32(bytes.count), transient)
            case .text(let text): unsafe sqlite3_bind_text(raw, index, text, Int32(text.utf8.count), transient)
            }
        guard status == SQLITE_OK else { throw database.failure(status, sql) }
    }

    deinit { unsafe sqlite3_finalize(raw) }
}

/// A value that goes into a statement.
public enum SQLValue: Hashable, Sendable {
    case null
    case integer(Int64)
    /// NaN is stored as NULL.
    case real(Double)
    case text(String)
    case blob([UInt8])
}

/// One row of a result, valid during the call that receives it.
@safe public struct Row: ~Copyable {
    private let raw: OpaquePointer

    fileprivate init(_ raw: OpaquePointer) { unsafe self.raw = unsafe raw }

    public func integer(_ column: Int) -> Int64 { unsafe sqlite3_column_int64(raw, Int32(column)) }

    /// 0 for NULL.
    public func real(_ column: Int) -> Double { unsafe sqlite3_column_double(raw, Int32(column)) }

    public func isNull(_ column: Int) -> Bool { unsafe sqlite3_column_type(raw, Int32(column)) == SQLITE_NULL }

    /// Whether the value was stored as text.
    public func isText(_ column: Int) -> Bool { unsafe sqlite3_column_type(raw, Int32(column)) == SQLITE_TEXT }

    /// Empty for NULL.
    public func blob(_ column: Int) -> [UInt8] {
        guard let start = unsafe sqlite3_column_blob(raw, Int32(column)) else { return [] }
        let count = unsafe Int(sqlite3_column_bytes(raw, Int32(column)))
        return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: count))
    }

    /// Nil for NULL.
    public func text(_ column: Int) -> String? {
        guard let start = unsafe sqlite3_column_text(raw, Int32(column)) else { return nil }
        let count = unsafe Int(sqlite3_column_bytes(raw, Int32(column)))
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }
}
