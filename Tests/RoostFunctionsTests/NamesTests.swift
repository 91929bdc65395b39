import RoostBasics
import RoostFunctions
import Testing

@Suite struct NamesTests {
    @Test(arguments: [
        ("credit@3.so", "credit@3", "so"), ("credit@1.10.ubj", "credit@1.10", "ubj"),
        ("a-b_C@0.json", "a-b_C@0", "json"),
    ])
    func explicitVersionsAreRead(_ file: String, _ version: String, _ fileExtension: String) throws {
        #expect(DropName(file) == .version(try #require(VersionID(version)), fileExtension: fileExtension))
    }

    @Test func namesWithoutVersionAreRead() throws {
        #expect(DropName("credit.ubj") == .unversioned(try #require(FunctionName("credit")), fileExtension: "ubj"))
    }

    @Test(arguments: [".credit@3.so", ".credit.ubj.swp", "credit@3.so~", "credit@3.so.partial", ".", ".."])
    func someFilesAreNoDeployments(_ file: String) { #expect(DropName(file) == .ignored) }

    @Test func theFoldersOwnAnswersAreKnown() {
        #expect(DropName("credit@3.so.failed") == .note(file: "credit@3.so"))
        #expect(DropName("credit@3.so.failed").function == nil)
    }

    @Test(arguments: [
        "credit", "credit@3", "credit@.so", "credit@03.so", "credit@3.so.gz", "credit@v3.so", "my.model.ubj", "@3.so",
        "é.so",
        "credit.7z", "credit@3.", "credit@1@2.so", "a b.so", "credit@4294967296.so",
    ])
    func namesThatCannotBeReadSayTheRemedy(_ file: String) {
        guard case .unparsable(let reason) = DropName(file) else {
            Issue.record("\(file) was read as \(DropName(file))")
            return
        }
        #expect(reason.contains("NAME@VERSION.EXT"))
    }

    @Test func targetsAreOneGrammar() throws {
        #expect(try Target("credit") == .function(try #require(FunctionName("credit"))))
        #expect(try Target("credit@1.2") == .version(try #require(VersionID("credit@1.2"))))
        for path in ["./credit", "/a/b@canary", "credit@3.ubj", "credit.so", "a/b"] {
            #expect(try Target(path) == .file(path: path))
        }
    }

    @Test func tagsStandWhereAVersionStands() throws {
        let credit = try #require(FunctionName("credit"))
        #expect(try Target("credit@canary") == .tag(credit, .canary))
        #expect(try Target("credit@champion") == .tag(credit, try #require(VersionTag("champion"))))
        #expect(["1", "1a", "latest", "next", "", "a b", "a.b", "-a"].allSatisfy { VersionTag($0) == nil })
    }

    @Test(arguments: ["", "credit@", "@3", "credit@03", "a b", "credit@3x"])
    func otherTargetsAreErrors(_ text: String) {
        #expect(throws: RoostError.self) { try Target(text) }
    }
}
