import Foundation
import RoostBasics
import Testing

/// Programs and plugins that the tests run.
enum Fixtures {
    /// The program that is both sides of the process model, built beside the tests.
    static func binary() throws -> String {
        let here = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = URL(fileURLWithPath: here).deletingLastPathComponent().appendingPathComponent("process-fixture").path
        try #require(FileManager.default.isExecutableFile(atPath: path), "\(path) is not built")
        return path
    }

    private static let cache = Cache()
    private final class Cache: @unchecked Sendable {
        let lock = NSLock()
        let folder = NSTemporaryDirectory() + "roost-misdeeds-\(getpid())"
        var built: [[String]: String] = [:]
    }

    /// `misdeeds.c`, compiled with these definitions.
    static func plugin(_ defines: [String]) throws -> String {
        cache.lock.lock()
        defer { cache.lock.unlock() }
        if let path = cache.built[defines] { return path }
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let header = tests.appendingPathComponent("../../Sources/RoostABI/include").standardized.path
        try FileManager.default.createDirectory(atPath: cache.folder, withIntermediateDirectories: true)
        let path = "\(cache.folder)/\(cache.built.count).so"
        let compiler = Process()
        compiler.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        compiler.arguments =
            ["cc", "-shared", "-fPIC", "-O1", "-Wall", "-I", header, "-o", path]
            + defines.map { "-D\($0)" } + [tests.appendingPathComponent("../Plugins/misdeeds.c").standardized.path]
        try compiler.run()
        compiler.waitUntilExit()
        try #require(compiler.terminationStatus == 0, "misdeeds.c does not compile with \(defines)")
        cache.built[defines] = path
        return path
    }

    static func temporaryFile(_ bytes: [UInt8], sparseSize: Int = 0) throws -> Int32 {
        var name = Array((NSTemporaryDirectory() + "roost-test-XXXXXX").utf8CString)
        let file = unsafe mkstemp(&name)
        try #require(file >= 0)
        _ = unsafe unlink(name)
        fchmod(file, 0o444)
        let written = unsafe write(file, bytes, bytes.count)
        try #require(written == bytes.count)
        if sparseSize > 0 { try #require(ftruncate(file, sparseSize) == 0) }
        return file
    }
}
