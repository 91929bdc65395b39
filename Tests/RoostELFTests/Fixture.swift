import Foundation
import RoostELF
import Testing

/// Shared objects compiled from a few lines of C, each once per test run.
enum Fixture {
    static let folder: URL = {
        let folder = FileManager.default.temporaryDirectory.appending(path: "roost-elf-\(UUID().uuidString)")
        try? FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }()

    static let include = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Sources/RoostABI/include").path

    static let plugin = compile(
        "plugin",
        """
        #include "roost_plugin.h"
        ROOST_PLUGIN_RECORD(ROOST_FORK_SAFE);
        static const roost_plugin table = {ROOST_ABI_VERSION, sizeof(roost_plugin), "fixture", "1.0", 0};
        const roost_plugin *roost_plugin_entry(void) { return &table; }
        """)

    static func compile(_ name: String, _ source: String, _ options: [String] = ["-shared", "-fPIC"]) -> [UInt8] {
        let input = folder.appending(path: "\(name).c"), output = folder.appending(path: "\(name).so")
        do {
            try source.write(to: input, atomically: true, encoding: .utf8)
            let (status, text) = try run("cc", ["-I", include, "-o", output.path, input.path] + options)
            #expect(status == 0, "\(text)")
            return [UInt8](try Data(contentsOf: output))
        } catch {
            Issue.record(error)
            return []
        }
    }

    /// Exit status and both outputs together.
    static func run(_ tool: String, _ arguments: [String]) throws -> (Int32, String) {
        let process = Process(), pipe = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [tool] + arguments
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }

    /// Packs into a new file and gives its path and bytes.
    static func pack(_ name: String, _ add: (inout Packer) -> Void) throws -> (path: String, bytes: [UInt8]) {
        var packer = try Packer(runtime: ByteSource(plugin))
        add(&packer)
        let path = folder.appending(path: "\(name).so").path
        _ = FileManager.default.createFile(atPath: path, contents: nil)
        let file = try #require(FileHandle(forWritingAtPath: path))
        try packer.write(to: file.fileDescriptor)
        try file.close()
        return (path, [UInt8](try Data(contentsOf: URL(filePath: path))))
    }
}
