import RoostBasics
import RoostDelivery
import Testing

@Suite struct PathTests {
    @Test(arguments: [
        ("in/*.csv", "a.csv", true), ("in/*.csv", "a.csv.gz", false), ("in/*.csv", ".csv", false),
        ("in/*.csv", ".a.csv", false), ("in/.*", ".a", true), ("in/", "x", true), ("in/", ".x", false),
        ("in/a?c", "abc", true), ("in/a?c", "ac", false), ("in/a?c", "aäc", true), ("in/*a*b*", "xxaybz", true),
        ("in/*a*b*", "xxbya", false), ("in/**", "x", true), ("in/a*", "a", true), ("in/x.csv", "x.csv", true),
        ("in/x.csv", "X.csv", false), ("*.csv", "a.csv", true), ("in/*ab", "aab", true), ("in/[a]", "a", false),
    ])
    func patternsMatchNames(_ pattern: String, _ name: String, _ isMatch: Bool) throws {
        #expect(try FilePattern(pattern).matches(name) == isMatch)
    }

    /// Stars take at most the product of both lengths.
    @Test func manyStarsAreNoTrap() throws {
        let pattern = try FilePattern("in/" + String(repeating: "*a", count: 60) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 250)))
        #expect(pattern.matches(String(repeating: "a", count: 250) + "b"))
    }

    @Test func foldersAndNamesAreTakenApart() throws {
        #expect(try FilePattern("a/b/*.csv").folder.text == "a/b" && FilePattern("*.csv").folder == .root)
        #expect(try DataPath("a/b/").text == "a/b" && DataPath("a/b").folder.text == "a" && DataPath("a/b").name == "b")
        #expect(try DataPath("a").appending("b").text == "a/b" && DataPath.root.appending("b").text == "b")
        #expect(try DataPath("..a/b..").text == "..a/b..")
    }

    @Test(
        arguments: ["", "/", "/a", "..", "a/..", "a/../b", "a//b", ".", "a/./b", "a\u{0}b", "a\nb", "//"]
            // A slash with a mark upon it is one character to Swift, and a slash to the system.
            + ["/\u{301}a", "a/\u{301}b", "../\u{301}a", "a/../\u{301}a", "a/\u{301}"])
    func whatLeadsElsewhereIsRefused(_ text: String) {
        #expect(throws: RoostError.self) { try DataPath(text) }
        #expect(throws: RoostError.self) { try FilePattern(text) }
        #expect(throws: RoostError.self) { try OutputTemplate(text) }
    }

    @Test func longPathsAreRefused() throws {
        let longest = String(repeating: "a", count: DataPath.bytesMax)
        #expect(throws: Never.self) { try DataPath(longest) }
        #expect(throws: RoostError.self) { try DataPath(longest + "a") }
    }

    @Test func outputsAreNamedByTheClocksOfThePlace() throws {
        let template = try OutputTemplate("out/{date}/{time}-{date}.csv"), due = try Zones.utc("2026-03-28 23:05")
        #expect(template.path(due: due, in: .utc) == "out/2026-03-28/23-05-2026-03-28.csv")
        let berlin = try Zones.rules("Europe/Berlin")
        #expect(template.path(due: due, in: berlin) == "out/2026-03-29/00-05-2026-03-29.csv")
        for text in ["{day}.csv", "a{", "}", "{date", "{da{date}te}.csv", "{Date}.csv", "out/"] {
            #expect(throws: RoostError.self, "\(text)") { try OutputTemplate(text) }
        }
    }
}
