import Foundation
import RoostBasics
import RoostFunctions
import Testing

@testable import RoostHost

@Suite struct ManifestsTests {
    let credit: FunctionName
    init() throws { credit = try #require(FunctionName("credit")) }

    private func files(_ text: String?) -> [String: Result<[UInt8], RoostError>] {
        text.map { ["credit.json": .success(Array($0.utf8))] } ?? [:]
    }

    @Test func theLastGoodOneOutlivesTheHost() throws {
        var manifests = Manifests()
        #expect(manifests.update(files(#"{"threshold": 0.3}"#)) == [credit])
        #expect(manifests.update(files("{")).isEmpty)
        #expect(manifests[credit].threshold == 0.3 && manifests.unreadable.isEmpty)
        #expect(manifests.problems[credit]?.contains("last good") == true)

        var again = Manifests(remembered: manifests.texts)
        #expect(again[credit].threshold == 0.3)
        #expect(again.update(files("{")).isEmpty && again.unreadable.isEmpty)
        #expect(again[credit].threshold == 0.3)
        // The same file is no change, a mended one is.
        #expect(Manifests(remembered: manifests.texts).texts == manifests.texts)
        #expect(again.update(files(#"{"threshold": 0.3}"#)).isEmpty && again.problems.isEmpty)
        #expect(again.update(files(#"{"threshold": 0.4}"#)) == [credit])
    }

    @Test func oneThatIsGoneByTheNextStartIsForgotten() throws {
        var manifests = Manifests(remembered: [credit: Array(#"{"threshold": 0.3}"#.utf8)])
        #expect(manifests.update([:]) == [credit])
        #expect(manifests[credit].threshold == nil && manifests.texts.isEmpty)
    }

    @Test func whatNobodyCouldEverReadIsToldApart() throws {
        var manifests = Manifests(remembered: [credit: Array(#"{"of a later build": 1}"#.utf8)])
        #expect(manifests.update(files(#"{"tiemout": "5s"}"#)).isEmpty)
        #expect(manifests.unreadable[credit]?.contains("tiemout") == true)
        #expect(manifests.unreadable[credit]?.hasSuffix("new versions wait") == true)
        #expect(manifests.update(files(nil)).isEmpty && manifests.unreadable.isEmpty)
    }

    @Test func whatCouldNotBeWrittenGoesBeforeWhatCameMeanwhile() {
        func line(_ act: String) -> AuditLine { AuditLine(AuditEntry(credit, by: "eva", act), at: 0) }
        let failed = LedgerEntry(decisions: [line("one")], manifests: [credit: [1]])
        let both = failed.followed(by: LedgerEntry(decisions: [line("two")], manifests: [credit: nil]))
        #expect(both.decisions.map(\.text) == [line("one").text, line("two").text])
        #expect(both.manifests == [credit: nil])
    }

    @Test func theLedgerKeepsTheTextsOfThoseInForce() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "ledger-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let other = try #require(FunctionName("other"))
        let text = Array(#"{"description": "ein Maß"}"#.utf8)
        do {
            let ledger = try Ledger(path: "\(folder)/roost.db")
            try ledger.persist(LedgerEntry(manifests: [credit: text, other: text]))
            try ledger.persist(LedgerEntry(manifests: [other: nil]))
        }
        #expect(try Ledger(path: "\(folder)/roost.db").manifests() == [credit: text])
    }
}
