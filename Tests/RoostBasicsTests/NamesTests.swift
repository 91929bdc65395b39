import RoostBasics
import Testing

@Suite struct NamesTests {
    @Test func versionsAreOrderedNumberByNumber() throws {
        let ascending = ["1", "1.2", "1.10", "2", "10", "10.0.1"]
        let versions = try ascending.map { try #require(VersionNumber($0)) }
        #expect(versions.sorted() == versions)
        #expect(versions.map(\.description) == ascending)
    }

    @Test(arguments: ["", "01", "1.", ".1", "a", "1.02", "4294967296", "1.2.3.4.5.6.7.8.9", "-1"])
    func notAVersion(_ text: String) { #expect(VersionNumber(text) == nil) }

    @Test(arguments: ["", "_a", "-", "a b", "a/b", "é", String(repeating: "x", count: 64)])
    func notAFunctionName(_ text: String) { #expect(FunctionName(text) == nil) }

    @Test func timesAndSizesReadWhatTheyPrint() {
        for text in ["250ms", "30s", "10m", "2h", "50us", "0ms"] {
            #expect(Instant.Span(text)?.description == text)
        }
        #expect(Instant.Span("30") == nil)
        #expect(Instant.Span("s") == nil)
        #expect(ByteCount("512MiB")?.description == "512MiB")
        #expect(ByteCount("1GB")?.bytes == 1_000_000_000)
        #expect(ByteCount("12XB") == nil)
    }
}
