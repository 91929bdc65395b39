import Foundation
import RoostStore
import Testing

@Suite struct DatabaseTests {
    private let path = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).db").path

    @Test func whatWasCommittedIsThereAfterReopening() throws {
        do {
            let database = try Database(path: path)
            try database.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)")
            let insert = try database.prepare("INSERT INTO notes VALUES (?, ?)")
            try insert.run([.integer(1), .text("é\0x")])
            try insert.run([.integer(2), .null])
        }
        var found: [(Int64, String?)] = []
        try Database(path: path).prepare("SELECT id, text FROM notes ORDER BY id").run { row throws(DatabaseError) in
            found.append((row.integer(0), row.text(1)))
        }
        #expect(found.map(\.0) == [1, 2])
        #expect(found.map(\.1) == ["é\0x", nil])
    }

    @Test func aTransactionThatFailsLeavesNothingBehind() throws {
        let database = try Database(path: path)
        try database.execute("CREATE TABLE notes (id INTEGER PRIMARY KEY)")
        let insert = try database.prepare("INSERT INTO notes VALUES (?)")
        #expect(throws: DatabaseError.self) {
            try database.transaction { () throws(DatabaseError) in
                try insert.run([.integer(1)])
                try insert.run([.integer(1)])
            }
        }
        var count: Int64 = -1
        try database.prepare("SELECT count(*) FROM notes").run { row throws(DatabaseError) in count = row.integer(0) }
        #expect(count == 0)
    }

    @Test func anErrorNamesTheStatementThatMetIt() throws {
        let database = try Database(path: path)
        let error = #expect(throws: DatabaseError.self) { try database.execute("SELEKT 1") }
        #expect(error?.description.contains("SELEKT 1") == true)
        #expect(throws: DatabaseError.self) { _ = try Database(path: "/nowhere/at/all.db") }
    }
}
