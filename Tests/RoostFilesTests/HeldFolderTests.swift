import Foundation
import RoostBasics
import RoostFiles
import Testing

/// What is done in a held folder, while its path becomes something else.
@Suite struct HeldFolderTests {
    private let top: Folder
    private let root: Folder
    private let outside: Folder

    init() throws {
        top = Folder(FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())").path)
        (root, outside) = (top.folder("data"), top.folder("outside"))
        try root.create()
        try outside.create()
    }

    private func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: root.path(path), withDestinationPath: target)
    }

    private func write(_ text: String, _ name: String, in held: HeldFolder) throws {
        try held.act { folder throws(RoostError) in try folder.write(Array(text.utf8), to: name) }
    }

    @Test func missingFoldersAreMadeWhereThatIsWanted() throws {
        let missing = #expect(throws: RoostError.self) { try HeldFolder("a/b", below: root) }
        #expect(missing?.code == .notFound)
        try write("x", "file", in: try HeldFolder("a/b/c", below: root, makingMissing: true))
        #expect(try root.folder("a/b/c").read("file", limit: 10) == Array("x".utf8))
        try write("y", "other", in: try HeldFolder("", below: root))
        #expect(try root.read("other", limit: 10) == Array("y".utf8))
    }

    @Test func whatLeadsOutIsRefusedAndNothingIsMadeThere() throws {
        try link("absolute", to: outside.path)
        try link("relative", to: "../outside")
        try link("nowhere", to: "missing")
        try root.write([1], to: "file")
        for path in ["absolute", "relative", "absolute/new", "relative/new/er", "../outside", "a/../../outside"] {
            let refusal = #expect(throws: RoostError.self) { try HeldFolder(path, below: root, makingMissing: true) }
            #expect(refusal?.code == .invalidArgument && refusal?.message.contains("leads out of") == true, "\(path)")
        }
        #expect(throws: RoostError.self) { try HeldFolder("nowhere/new", below: root, makingMissing: true) }
        #expect(throws: RoostError.self) { try HeldFolder("file/new", below: root, makingMissing: true) }
        #expect(try outside.list().isEmpty)
    }

    @Test func linksThatStayBelowAreFollowed() throws {
        try root.folder("2026/01").create()
        try link("now", to: "2026")
        try write("x", "file", in: try HeldFolder("now/01", below: root))
        #expect(try root.folder("2026/01").read("file", limit: 10) == Array("x".utf8))
    }

    /// The moment between check and use, held still.
    @Test func aLinkThatTakesThePlaceOfTheFolderChangesNothing() throws {
        let held = try HeldFolder("out", below: root, makingMissing: true)
        try root.rename("out", to: "moved")
        try link("out", to: outside.path)
        try write("x", "file", in: held)
        #expect(try held.act { folder throws(RoostError) in try folder.status(of: "file") }?.size == 1)
        #expect(try outside.list().isEmpty)
        #expect(try root.folder("moved").list().map(\.name) == ["file"])
    }

    @Test func filesMoveFromOneToTheOtherButReplaceNothing() throws {
        let (from, to) = (
            try HeldFolder("in", below: root, makingMissing: true),
            try HeldFolder("done", below: root, makingMissing: true)
        )
        for name in ["a", "b"] { try write(name, name, in: from) }
        try from.moveWithoutReplacing("a", to: to, as: "x")
        let taken = #expect(throws: RoostError.self) { try from.moveWithoutReplacing("b", to: to, as: "x") }
        #expect(taken?.code == .conflict && taken?.message.contains("done/x") == true)
        #expect(try root.folder("done").read("x", limit: 9) == Array("a".utf8))
        #expect(try root.folder("in").list().map(\.name) == ["b"])
    }

    @Test func errorsNameTheFolderAsPeopleKnowIt() throws {
        let held = try HeldFolder("out", below: root, makingMissing: true)
        let missing = #expect(throws: RoostError.self) {
            try held.act { folder throws(RoostError) in try folder.read("none", limit: 1) }
        }
        #expect(missing?.message.contains("\(root.path)/out/none: No such file") == true)
    }
}

@Suite struct TokenFileTests {
    private let folder = Folder(FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())").path)

    private func read(_ content: String) throws -> String {
        try folder.create()
        try folder.write(Array(content.utf8), to: "token")
        return try TokenFile.read(folder.path("token"))
    }

    @Test(arguments: ["0123456789abcdef", "  0123456789abcdef\r\n", "\t\n0123456789abcdef"])
    func aTokenIsReadWithoutTheSpaceAroundIt(_ content: String) throws {
        #expect(try read(content) == "0123456789abcdef")
    }

    @Test(arguments: ["", " \n", "0123456789abcde", "0123456789 abcdef", "0123456789abcdef\nx", "ä0123456789abcdef"])
    func anythingElseIsRefused(_ content: String) throws {
        let refusal = #expect(throws: RoostError.self) { try read(content) }
        #expect(refusal?.code == .invalidArgument)
    }
}
