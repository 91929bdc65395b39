import Foundation
import RoostBasics
import RoostFiles
import Testing

@testable import RoostHost

@Suite struct ReplayStoreTests {
    private final class Home {
        let folder = FileManager.default.temporaryDirectory.appending(path: "replay-\(UUID().uuidString)").path
        init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
        deinit { try? FileManager.default.removeItem(atPath: folder) }

        var store: ReplayStore { ReplayStore(Folder("\(folder)/replay")) }
        func files(_ function: String) -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/replay/\(function)")) ?? []).sorted()
        }
        func size(_ function: String) throws -> Int {
            try files(function).reduce(0) { sum, name in
                let path = "\(folder)/replay/\(function)/\(name)"
                return sum + ((try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0)
            }
        }
    }

    private func request(_ number: Int, padding: Int = 0) throws -> RecordedRequest {
        let body = #"{"inputs":[\#(number)],"p":"\#(String(repeating: "x", count: padding))"}"#
        return try #require(RecordedRequest(version: "3.1", at: Int64(number), body: Array(body.utf8)))
    }

    private func settings(_ size: Int = 1 << 20, hiding fields: [String] = []) -> ReplayStore.Settings {
        ReplayStore.Settings(sizeMax: size, privateFields: fields)
    }

    @Test func whatIsRecordedIsReadNewestFirstAlsoAfterARestart() throws {
        let home = try Home()
        let store = home.store
        try store.apply(["credit": settings()])
        try store.append(try (0..<10).map { try request($0) }, of: "credit")
        try store.append(try (0..<3).map { try request($0) }, of: "silent")
        #expect(try store.newest(3, of: "credit", bytesMax: .max) == (7..<10).reversed().map { try request($0) })
        #expect(try store.newest(9, of: "silent", bytesMax: .max).isEmpty && home.files("silent").isEmpty)
        let again = home.store
        try again.apply(["credit": settings()])
        try again.append([try request(10)], of: "credit")
        let all = try again.newest(100, of: "credit", bytesMax: .max)
        #expect(all.map(\.at) == (0...10).reversed().map(Int64.init) && all.allSatisfy { $0.version == "3.1" })
        let bytes = all[0].body.count + all[1].body.count
        #expect(try again.newest(100, of: "credit", bytesMax: bytes).count == 2)
    }

    @Test func theRecordIsBoundedAndItsOldestSegmentGoes() throws {
        let home = try Home()
        let store = home.store
        try store.apply(["credit": settings(1 << 20)])
        for number in 0..<400 { try store.append([try request(number, padding: 10_000)], of: "credit") }
        let kept = try store.newest(1000, of: "credit", bytesMax: .max).map(\.at)
        #expect(kept.first == 399 && kept == (400 - kept.count..<400).reversed().map(Int64.init))
        #expect((70...105).contains(kept.count) && home.files("credit").count <= 8)
        #expect(try home.size("credit") <= 1 << 20)
        try store.apply(["credit": settings(1 << 19)])
        #expect(try home.size("credit") <= 1 << 19)
    }

    @Test func aNewPrivateFieldRemovesWhatShowsItAndFewerKeepWhatIsThere() throws {
        let home = try Home()
        let store = home.store
        try store.apply(["credit": settings(hiding: ["ssn"])])
        try store.append([try request(1)], of: "credit")
        try store.apply(["credit": settings()])
        try store.append([try request(2)], of: "credit")
        #expect(try store.newest(9, of: "credit", bytesMax: .max).map(\.at) == [2, 1])
        // After a restart too: each segment says what it hides.
        let again = home.store
        try again.apply(["credit": settings(hiding: ["ssn"])])
        #expect(try again.newest(9, of: "credit", bytesMax: .max).map(\.at) == [1])
        try again.apply(["credit": settings(hiding: ["ssn", "name"])])
        #expect(try again.newest(9, of: "credit", bytesMax: .max).isEmpty)
    }

    @Test func withoutAPolicyNothingStays() throws {
        let home = try Home()
        let store = home.store
        try store.apply(["credit": settings(), "other": settings()])
        for function in ["credit", "other"] { try store.append([try request(1)], of: function) }
        try store.apply(["other": settings()])
        #expect(home.files("").contains("other") && !home.files("").contains("credit"))
        #expect(try store.newest(9, of: "credit", bytesMax: .max).isEmpty)
    }

    @Test func aTornLineIsPassedOver() throws {
        let home = try Home()
        let store = home.store
        try store.apply(["credit": settings()])
        try store.append([try request(1), try request(2)], of: "credit")
        let path = "\(home.folder)/replay/credit/\(home.files("credit")[0])"
        let content = try Data(contentsOf: URL(filePath: path))
        try content.dropLast(5).write(to: URL(filePath: path))
        #expect(try home.store.newest(9, of: "credit", bytesMax: .max).map(\.at) == [1])
    }

    @Test(arguments: ["", "[]", "{\"a\":1}\n{\"b\":2}", "{\"a\":\"\u{1}\"}", "{", "null}"])
    func bytesThatAreNoLineAreNotTaken(_ body: String) {
        #expect(RecordedRequest(version: "1", at: 0, body: Array(body.utf8)) == nil)
    }

    @Test(arguments: [
        "{\"at\":1,\"version\":\"1\",\"request\":{\"a\":1}", "{\"at\":x,\"version\":\"1\",\"request\":{}}", "{}", "",
        "{\"private\":[]}", "{\"at\":1,\"version\":\"1\"}",
    ])
    func linesOfAnotherFormAreNotRead(_ line: String) { #expect(RecordedRequest(line: Array(line.utf8)) == nil) }
}
