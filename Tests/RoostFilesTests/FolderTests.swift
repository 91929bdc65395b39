import Foundation
import RoostBasics
import RoostFiles
import Testing

@Suite struct FolderTests {
    private let folder = Folder(FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())/a/b").path)

    @Test func aWrittenFileIsListedReadAndRemoved() throws {
        try folder.create()
        try folder.create()
        try folder.write(Array("hello".utf8), to: "note")
        try folder.write(Array("again".utf8), to: "note")
        #expect(try folder.list().map(\.name) == ["note"])
        #expect(try folder.list().first?.status.size == 5)
        #expect(try folder.read("note", limit: 10) == Array("again".utf8))
        try folder.rename("note", to: "other")
        try folder.remove("other")
        try folder.remove("other")
        #expect(try folder.list().isEmpty)
    }

    @Test func whoWritesToAFileIsKnown() throws {
        try folder.create()
        var writer: FileDescriptor? = try FileDescriptor(creating: folder.path("rows"))
        let reader = try FileDescriptor(reading: folder.path("rows"))
        #expect(reader.isBeingWritten == true)
        withExtendedLifetime(writer) {}
        writer = nil
        #expect(reader.isBeingWritten == false && reader.isBeingWritten == false, "asking leaves nothing behind")
        writer = try FileDescriptor(appending: folder.path("rows"))
        #expect(reader.isBeingWritten == true)
        withExtendedLifetime(writer) {}
        // Asked through a descriptor that writes, the system does not tell.
        #expect(writer?.isBeingWritten != false)
    }

    @Test func refusalsNameTheFile() throws {
        try folder.create()
        try folder.write([1, 2, 3], to: "big")
        let large = #expect(throws: RoostError.self) { try folder.read("big", limit: 2) }
        #expect(large?.code == .tooLarge)
        let missing = #expect(throws: RoostError.self) { try folder.read("none", limit: 2) }
        #expect(missing?.code == .notFound)
        #expect(missing?.message.contains("/none: No such file") == true)
        #expect(throws: RoostError.self) { try FileDescriptor(reading: folder.path) }
        #expect(throws: RoostError.self) { try folder.folder("big").create() }
    }

    @Test func onlyOneHoldsTheLock() throws {
        try folder.create()
        let first = try FileDescriptor(lockFile: folder.path("lock"))
        let second = try FileDescriptor(lockFile: folder.path("lock"))
        #expect(first.lock())
        #expect(!second.lock())
    }
}
