import Foundation

/// The checkout that this test was built from.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// Files below `folders` whose names end in one of `endings`, by their path from the root.
    static func files(in folders: [String], endings: [String]) -> [SourceFile] {
        folders.flatMap { folder -> [SourceFile] in
            let found = FileManager.default.enumerator(atPath: root.appending(path: folder).path)
            return (found?.compactMap { $0 as? String } ?? []).filter { path in
                endings.contains { path.hasSuffix($0) } && !path.contains(".build/")
            }.sorted().compactMap { SourceFile("\(folder)/\($0)") }
        }
    }

    /// What becomes part of the product.
    static let product = files(in: ["Sources", "plugins"], endings: [".swift", ".c", ".h"])
    static let tests = files(in: ["Tests"], endings: [".swift", ".c", ".h", ".py"])

    /// Runs a program in the checkout; its exit code and all that it said.
    static func run(_ program: String, _ arguments: [String]) throws -> (code: Int32, output: Data, said: String) {
        let process = Process()
        let output = FileManager.default.temporaryDirectory.appending(path: "roost-tidy-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: output) }
        try Data().write(to: output)
        let said = Pipe()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.currentDirectoryURL = root
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = said
        try process.run()
        let errors = said.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, try Data(contentsOf: output), String(decoding: errors, as: UTF8.self))
    }
}

/// One file of ours.
struct SourceFile: Sendable {
    let path: String
    let text: String
    let lines: [Substring]
    /// Of C and Swift; other languages have other comments and strings.
    let code: CodeText

    init?(_ path: String) {
        guard let text = try? String(contentsOf: Repository.root.appending(path: path), encoding: .utf8) else {
            return nil
        }
        self.path = path
        self.text = text
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        code = CodeText(path.hasSuffix(".py") ? "" : text)
    }

    var isSwift: Bool { path.hasSuffix(".swift") }
    /// `RoostPool` of `Sources/RoostPool/Pool.swift`, `trees` of `plugins/trees/Forest.swift`.
    var target: String { String(path.split(separator: "/")[1]) }

    /// The lines where `pattern` matches, as `path:line: text`; of the code alone unless comments count too.
    /// Every match contains one of `words`: most files do not, and need no slow search.
    func places(of pattern: some RegexComponent, near words: [String], inComments: Bool = false) -> [String] {
        guard words.contains(where: { text.range(of: $0) != nil }) else { return [] }
        let searched =
            inComments || path.hasSuffix(".py")
            ? lines : code.text.split(separator: "\n", omittingEmptySubsequences: false)
        return searched.indices.filter { searched[$0].contains(pattern) }.map { index in
            "\(path):\(index + 1): \(lines[index].trimmingCharacters(in: .whitespaces))"
        }
    }
}
