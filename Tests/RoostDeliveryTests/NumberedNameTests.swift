import RoostDelivery
import Testing

@Suite struct NumberedNameTests {
    @Test(arguments: [
        ("a.csv", "a-2.csv"), ("a.csv.gz", "a-2.csv.gz"), ("a", "a-2"), ("a.gz", "a-2.gz"), (".gz", ".gz-2"),
        (".hidden", ".hidden-2"), ("2026.01.31.jsonl", "2026.01.31-2.jsonl"), ("a-2.csv", "a-2-2.csv"), ("a.", "a-2."),
    ])
    func theNumberStandsBeforeTheEndings(_ name: String, _ second: String) {
        #expect(NumberedName(name).name(1) == name && NumberedName(name).name(2) == second)
    }

    @Test func theFirstFreeNameIsFound() {
        let taken: Set = ["a.csv", "a-2.csv", "a-4.csv"]
        #expect(NumberedName("a.csv").first { taken.contains($0) } == "a-3.csv")
        #expect(NumberedName("b.csv").first { taken.contains($0) } == "b.csv")
    }
}
