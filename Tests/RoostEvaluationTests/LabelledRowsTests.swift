internal import RoostBasics
internal import RoostEvaluation
internal import Testing

struct LabelledRowsTests {
    static func rows(_ text: String, label: String = "y", group: String? = nil) throws(RoostError) -> LabelledRows {
        try LabelledRows(csv: Array(text.utf8), file: "t.csv", label: label, group: group)
    }

    static func text(_ body: [UInt8]) -> String { String(decoding: body, as: UTF8.self) }

    @Test func labelsAndGroupsStayHereAndTheRestTravels() throws {
        let rows = try Self.rows("\u{FEFF}a,y,\"b,c\",q\r\n1, yes ,\"x\"\"y\",g\r\n\r\n2,no,,h", group: "q")
        #expect(rows.labels == ["yes", "no"] && rows.groups == ["g", "h"] && rows.lines == [2, 4])
        #expect(rows.columns == ["a", "b,c"])
        #expect(Self.text(rows.body(0..<2)) == "a,\"b,c\"\n1,\"x\"\"y\"\n2,\n")
        #expect(Self.text(rows.body(1..<2)) == "a,\"b,c\"\n2,\n")
    }

    @Test(arguments: [
        ("", "t.csv is empty"), ("a,y\n", "t.csv has a header and no rows"),
        ("a,b\n1,2", "t.csv: line 1: there is no label column \"y\"; the columns are a, b"),
        ("y,y\n1,2", "t.csv: line 1: two columns are named \"y\""),
        ("a,y\n1,2\n1,2,3", "t.csv: line 3: expected 2 columns, got 3"),
        ("a,y\n1,2\n\"1\n\",\n", "t.csv: line 3: column \"y\" is empty"),
        ("a,y\n1,\"2\n", "t.csv: line 2: a quote is not closed"),
    ])
    func whatIsWrongIsNamedByLineAndColumn(text: String, message: String) {
        #expect(throws: RoostError(.invalidArgument, message)) { try Self.rows(text) }
    }

    @Test func aHostsWordsAreTranslatedIntoTheFilesLines() throws {
        let rows = try Self.rows("a,y\n1,0\n\n2,0\n\"3\n\",0\n4,0\n")
        #expect(rows.lines == [2, 4, 5, 7])
        // In the request the header is line 1.
        #expect(rows.message("line 3: no", of: 1..<4) == "t.csv: line 5: no")
        #expect(rows.message("row 2: no", of: 0..<4) == "t.csv: line 4: no")
        #expect(rows.message("line 99: no", of: 0..<4) == "t.csv: line 99: no")
        #expect(rows.message("the queue is full", of: 0..<4) == "t.csv: the queue is full")
    }

    @Test func largeRowsMakeSmallBatches() throws {
        let narrow = try Self.rows("a,y\n" + String(repeating: "1,0\n", count: 5000))
        let wide = try Self.rows("a,y\n" + String(repeating: String(repeating: "7", count: 100_000) + ",0\n", count: 4))
        #expect(narrow.batchRows == 512 && wide.batchRows == 2)
    }

    // MARK: disturbances

    static let many: LabelledRows = {
        let lines = (0..<4000).map { "\(Double($0 % 100)),word,5,\($0 % 7),0" }
        guard let rows = try? rows("a,b,c,kind,y\n" + lines.joined(separator: "\n")) else {
            preconditionFailure("the rows above are well-formed")
        }
        return rows
    }()

    static func cells(_ body: [UInt8]) -> [[Substring]] {
        text(body).split(separator: "\n").dropFirst().map { $0.split(separator: ",", omittingEmptySubsequences: false) }
    }

    @Test func noiseMovesNumbersByAHundredthOfTheirSpread() {
        let before = Self.cells(Self.many.body(0..<4000))
        let noisy = DisturbedRows(Self.many, .noise, excepted: ["kind"])
        let after = Self.cells(noisy.body(0..<4000))
        let moves = zip(before, after).compactMap { one, other in
            Double(one[0]).flatMap { old in Double(other[0]).map { $0 - old } }
        }
        let deviation = (moves.reduce(0) { $0 + $1 * $1 } / 4000).squareRoot()
        // The column runs evenly from 0 to 99: its deviation is 28.87.
        #expect((0.27...0.31).contains(deviation) && abs(moves.reduce(0, +) / 4000) < 0.02)
        // Words, constants and what was excepted stay.
        #expect(zip(before, after).allSatisfy { $0.dropFirst() == $1.dropFirst() })
    }

    @Test func oneCellInTwentyGoesMissing() {
        let after = Self.cells(DisturbedRows(Self.many, .missing).body(0..<4000))
        let empty = after.joined().count { $0.isEmpty }
        #expect((700...900).contains(empty), "\(empty) of 16000")
    }

    @Test(arguments: Disturbance.allCases)
    func disturbancesDoNotDependOnBatches(disturbance: Disturbance) {
        let rows = DisturbedRows(Self.many, disturbance, seed: 3)
        #expect(Self.cells(rows.body(0..<90)).suffix(30) == Self.cells(rows.body(60..<90))[...])
        #expect(rows.body(0..<90) != DisturbedRows(Self.many, disturbance, seed: 4).body(0..<90))
    }
}
