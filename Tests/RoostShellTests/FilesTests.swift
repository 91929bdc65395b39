import Foundation
import RoostBasics
import RoostShell
import RoostTesting
import Testing

@Suite struct FilesTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "roost-\(UUID().uuidString)").path

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }

    @Test func aPlacedFileIsWholeAndLeavesNothingBeside() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var random = Seeded(7)
        let bytes = (0..<600_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        try Data(bytes).write(to: URL(filePath: "\(folder)/source"))
        var seen: [UInt8] = []
        try placeFile("\(folder)/source", in: folder, as: "credit@3.ubj") { slice throws(RoostError) in seen += slice }
        #expect(seen == bytes)
        #expect(try readFile("\(folder)/credit@3.ubj") == bytes)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(names.sorted() == ["credit@3.ubj", "source"])
    }

    @Test func aFailedCopyLeavesTheOldFileAndNoTemporaryOne() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try Data([1]).write(to: URL(filePath: "\(folder)/source"))
        try Data([2]).write(to: URL(filePath: "\(folder)/credit.ubj"))
        #expect(throws: RoostError(.system, "stop")) {
            try placeFile("\(folder)/source", in: folder, as: "credit.ubj") { _ throws(RoostError) in
                throw RoostError(.system, "stop")
            }
        }
        #expect(try readFile("\(folder)/credit.ubj") == [2])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 2)
    }

    @Test func missingFilesAndFoldersAreNamed() {
        let none = "\(folder)/none"
        #expect(throws: RoostError(.notFound, "read \(none): No such file or directory")) { try readFile(none) }
        #expect(throws: RoostError(.invalidArgument, "read \(folder): it is a folder")) { try readFile(folder) }
        #expect(PathKind(of: none) == .nothing)
        #expect(PathKind(of: folder) == .folder)
    }
}
