import RoostBasics
import RoostTensors
import RoostWire
import Testing

@Suite struct DataReportTests {
    private func report(_ rows: [String]) throws -> DataReport {
        var plan = BulkFile.plain()
        try plan.takeFirstRecord(Array("a,b,c".utf8).bytes)
        return try BulkFile(plan).score(rows.map { $0 + "\n" }.joined()).report
    }

    @Test func columnsAreCounted() throws {
        let report = try report(["1,-0.0,3", "2,0,", "NaN,inf,5", "x,1,1", "0.5,-2,-inf", "1,1"])
        #expect(report.rows == 4 && report.badRows == 2)
        #expect(report.columns.map(\.name) == ["a", "b", "c"])
        #expect(report.columns.map(\.missing) == [1, 0, 1] && report.columns.map(\.infinite) == [0, 1, 1])
        #expect(report.columns.map(\.refused) == [1, 0, 0])
        #expect(report.columns.map(\.minimum) == [0.5, -2, 3] && report.columns.map(\.maximum) == [2, 0, 5])
        #expect(report.columns[1].maximum.sign == .plus)
        #expect(report.columns.map(\.sum) == [3.5, -2, 8] && report.mean(ofColumn: 2) == 4)
        #expect(try self.report([]).mean(ofColumn: 0) == nil)
    }

    @Test func numbersBeyondTheirRangeAreCounted() throws {
        var plan = BulkFile.plain {
            // 0.1 is no float: the bound is rounded as the numbers are.
            $0.ranges = [.init("a", 0...0.1), .init("c", -1...1), .init("nobody", 0...1)]
        }
        try plan.takeFirstRecord(Array("a,b,c".utf8).bytes)
        #expect(try BulkPlan(decoding: plan.encode().bytes) == plan)
        let file = try BulkFile(plan)
        let report = try file.score("0.1,9,-1\n0.11,9,1\n-1e-9,9,1.001\n,9,inf\n").report
        #expect(report.columns.map(\.outOfRange) == [2, 0, 1] && report.columns[2].infinite == 1)
        #expect(try DataReport(decoding: report.encode().bytes) == report)
        var twice = report
        try twice.merge(report)
        #expect(twice.columns.map(\.outOfRange) == [4, 0, 2])
    }

    @Test func sumsAreExactInAnyOrder() throws {
        var random = SplitMix(state: 11)
        // What rounding would lose: 1e30 and back again.
        var rows = ["1e30,1,-1e-40", "-1e30,3e38,1e-40", "0.1,3e38,-7", "3,-3e38,1e-45"]
        let whole = try report(rows)
        #expect(whole.columns[0].sum == Double(Float(0.1)) + 3)
        #expect(whole.columns[1].sum == 1 + Double(Float(3e38)))
        #expect(whole.columns[2].sum == -7 + Double(Float(1e-45)))
        for _ in 0..<50 {
            rows.shuffle(using: &random)
            var parts = try [report([rows[0]]), report([rows[1], rows[2]]), report([rows[3]]), DataReport()]
            parts.shuffle(using: &random)
            var merged = DataReport()
            for part in parts { try merged.merge(part) }
            #expect(merged == whole && merged.encode() == whole.encode())
        }
    }

    @Test func negativeSumsAndPowersTravel() throws {
        for rows in [["-1,-65536,-4294967296"], ["-0.5,0.5,0"], ["-3e38,-1e-45,-65537"], ["1,2,3", "-1,-2,-3"]] {
            let report = try report(rows)
            let again = try DataReport(decoding: report.encode().bytes)
            #expect(again == report)
            let sums = (0..<3).map { column in
                rows.map { Double(Float($0.split(separator: ",")[column]) ?? 0) }.reduce(0, +)
            }
            #expect(again.columns.map(\.sum) == sums, "\(rows)")
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func sumsAgreeWithDoublesWhereThoseAreExact(_ seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let rows = (0..<3000).map { _ in (0..<3).map { _ in Int.random(in: -9_999_999...9_999_999, using: &random) } }
        let report = try report(rows.map { $0.map { "\(Double($0) / 8)" }.joined(separator: ",") })
        for column in 0..<3 {
            let values = rows.map { Double(Float(Double($0[column]) / 8)) }
            #expect(report.columns[column].sum == values.reduce(0, +))
            #expect(report.columns[column].minimum == values.min() && report.columns[column].maximum == values.max())
        }
    }

    @Test func duplicatesAreEstimated() throws {
        #expect(try report(["1,2,3", "1,2,3", "1,2,4", "1.0,2.0,3.0"]).duplicates == 2)
        for (rows, distinct) in [(1000, 1000), (20_000, 10_000), (30_000, 30_000)] {
            let report = try report((0..<rows).map { "\($0 % distinct),1,2" })
            let error = abs(Double(report.distinctRows) - Double(distinct))
            // Three standard errors; the rows are always the same ones.
            #expect(error < 3 * 0.01625 * Double(distinct), "\(report.distinctRows) of \(distinct)")
            #expect(report.duplicates == report.rows - report.distinctRows && report.duplicateError > 0)
        }
    }

    @Test func reportsOfOtherColumnsDoNotMerge() throws {
        var report = try report(["1,2,3"])
        var plan = BulkFile.plain()
        try plan.takeFirstRecord(Array("x".utf8).bytes)
        let other = try BulkFile(plan, columns: [Column(name: "x")]).score("1\n").report
        #expect(throws: RoostError.self) { try report.merge(other) }
    }

    @Test func aSketchThatIsFullIsNoTrap() throws {
        var bytes: [UInt8] = []
        for word in [9, 0, 0, 4096] as [UInt64] {
            for shift in 0..<8 { bytes.append(UInt8(word >> (8 * shift) & 0xFF)) }
        }
        bytes += [UInt8](repeating: 53, count: 4096)
        let report = try DataReport(decoding: bytes.bytes)
        #expect(report.distinctRows == 9 && report.duplicates == 0)
    }

    @Test func whatIsNoReportIsRefused() throws {
        let bytes = try report(["1,2,3", "-1,5e20,", "7,7,7"]).encode()
        for count in bytes.indices {
            #expect(throws: RoostError.self) { _ = try DataReport(decoding: Array(bytes[..<count]).bytes) }
        }
        var random = SplitMix(state: 3)
        for _ in 0..<1000 {
            var broken = bytes
            for _ in 0..<Int.random(in: 1..<4, using: &random) {
                broken[Int.random(in: 0..<broken.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard var report = try? DataReport(decoding: broken.bytes) else { continue }
            _ = (report.duplicates, report.columns.map(\.sum), report.mean(ofColumn: 0))
            try report.merge(report)
            _ = report.encode()
        }
    }
}
