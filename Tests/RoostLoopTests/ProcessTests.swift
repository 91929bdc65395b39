import struct Foundation.Data
import class Foundation.FileHandle
import class Foundation.FileManager
import struct Foundation.UUID
import Glibc
import RoostBasics
import RoostLoop
import Testing

@Suite struct ProcessTests {
    @Test func aSignalIsHeardOnTheLoop() throws {
        let loop = try Loop()
        var heard = 0
        var close: () -> Void = {}
        let watcher = try SignalWatcher(SIGUSR2, on: loop) {
            heard += 1
            close()
        }
        close = { watcher.close() }
        kill(getpid(), SIGUSR2)
        loop.run()
        close = {}
        #expect(heard == 1)
    }

    @Test func aPolledDescriptorIsReportedUntilItIsRead() throws {
        let loop = try Loop()
        var ends: [Int32] = [0, 0]
        #expect(unsafe pipe(&ends) == 0)
        unsafe Glibc.write(ends[1], "x", 1)
        var seen = 0
        var onReadable: () -> Void = {}
        let poll = try Poll(ends[0], for: .readable, on: loop) { events in
            #expect(events == .readable)
            onReadable()
        }
        onReadable = {
            seen += 1
            if seen == 2 { poll.close() }
        }
        loop.run()
        onReadable = {}
        for end in ends { Glibc.close(end) }
        #expect(seen == 2)
        #expect(loop.openHandles == 0)
    }

    @Test func aChangedFolderIsDirty() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "roost-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let loop = try Loop()
        var close: () -> Void = {}
        var dirty = 0
        let watcher = try FolderWatcher(folder.path, on: loop) {
            dirty += 1
            close()
        }
        close = { watcher.close() }
        try Data([1]).write(to: folder.appending(path: "new"))
        loop.run()
        close = {}
        #expect(dirty >= 1)
        #expect(loop.openHandles == 0)
    }

    @Test func aFolderThatIsReplacedIsWatchedOn() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "roost-\(UUID().uuidString)")
        let other = folder.appendingPathExtension("moved")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer {
            try? FileManager.default.removeItem(at: folder)
            try? FileManager.default.removeItem(at: other)
        }
        let loop = try Loop()
        var onDirty: () throws -> Void = {}
        let watcher = try FolderWatcher(folder.path, on: loop) { try? onDirty() }
        var isFileSeen = false
        onDirty = {
            // What is moved away must be seen as such; only then comes what the test is about.
            guard FileManager.default.fileExists(atPath: folder.path) else { return }
            isFileSeen = FileManager.default.fileExists(atPath: folder.appending(path: "new").path)
            if isFileSeen {
                watcher.close()
            } else {
                try Data([1]).write(to: folder.appending(path: "new"))
            }
        }
        try FileManager.default.moveItem(at: folder, to: other)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        loop.run()
        onDirty = {}
        #expect(isFileSeen)
        #expect(loop.openHandles == 0)
    }

    @Test func watchingWhatDoesNotExistThrows() throws {
        let loop = try Loop()
        #expect(throws: UVError.self) { _ = try FolderWatcher("/no/such/folder", on: loop) {} }
        loop.run()
        #expect(loop.openHandles == 0)
    }
}
