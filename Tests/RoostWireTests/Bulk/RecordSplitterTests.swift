import RoostBasics
import RoostWire
import Testing

@Suite struct RecordSplitterTests {
    private func boundary(_ text: String, _ format: BulkPlan.Format = .csv) throws -> RecordSplitter.Boundary? {
        var splitter = RecordSplitter(format)
        return try splitter.lastBoundary(in: Array(text.utf8).bytes)
    }

    @Test(arguments: [
        ("1,2\n3,4\n", 8, 2, 2), ("1,2\r\n3,4\r\n", 10, 2, 2), ("1,2\n3,4", 4, 1, 1), ("\n\r\n\n1\n", 6, 1, 4),
        ("\"a\nb\",2\n3", 8, 1, 2), ("\"a\"\"\n\"\"b\",2\n", 12, 1, 2), ("1,\"\"\n\"", 5, 1, 1),
        ("5\" pipe\n6\"\n", 11, 2, 2), ("1, \"a\n2\n", 8, 2, 2), ("\"a\"b\"\n1\n", 8, 2, 2), ("1\r2\n", 4, 1, 1),
        ("aaaaaaaaaaaaaaaa,\"bbbbbbbbbbbbbbbb\n\n\n\",c\nd", 41, 1, 4),
    ])
    func recordsEndAtLineFeedsOutsideOfQuotes(_ text: String, _ end: Int, _ records: Int, _ lines: Int) throws {
        let found = try #require(try boundary(text))
        #expect(found.end == end && found.records == records && found.lines == lines, "\(found)")
    }

    @Test func withoutALineFeedThereIsNoBoundary() throws {
        for text in ["", "1,2", "\"1\n2\n"] { #expect(try boundary(text) == nil) }
    }

    @Test func jsonLinesEndAtEveryLineFeed() throws {
        let found = try #require(try boundary("{\"a\":\"\n{\"b\":1}\n\n[", .jsonLines))
        #expect(found == RecordSplitter.Boundary(end: 16, records: 2, lines: 3))
    }

    @Test func theLastRecordNeedsNoLineFeed() throws {
        for (text, records, lines) in [
            ("1\n2", 2, 2), ("1\n2\n", 2, 2), ("", 0, 0), ("1\n\r", 1, 2), ("\"1\n2\"", 1, 2),
        ] {
            var splitter = RecordSplitter(.csv, line: 5)
            let found = try splitter.finish(Array(text.utf8).bytes)
            #expect(
                found.end == text.utf8.count && found.records == records && found.lines == lines, "\(text): \(found)")
            #expect(splitter.line == 5 + UInt64(lines))
        }
    }

    @Test func aQuoteThatStaysOpenIsNamedByItsLine() throws {
        var splitter = RecordSplitter(.csv)
        _ = try splitter.lastBoundary(in: Array("1,2\n3,\"4\n5\"\n".utf8).bytes)
        #expect(splitter.line == 4)
        let error = #expect(throws: RoostError.self) { _ = try splitter.finish(Array("6,7\n8,\"9\n10\n".utf8).bytes) }
        #expect(error?.message == "line 5: a quote is opened and not closed until the end of the file")
    }

    @Test func aRecordWithoutEndIsRefused() throws {
        let long = [UInt8](repeating: 0x61, count: RecordSplitter.recordBytesMax + 1)
        for (head, tail, line) in [("1\n", "", 2), ("1\n\n", "\n2\n", 3), ("\"1\n", "", 1)] {
            for format in [BulkPlan.Format.csv, .jsonLines] where head != "\"1\n" || format == .csv {
                var splitter = RecordSplitter(format)
                let bytes = Array(head.utf8) + long + Array(tail.utf8)
                let error = #expect(throws: RoostError.self) { _ = try splitter.lastBoundary(in: bytes.bytes) }
                #expect(error?.code == .tooLarge)
                let isOpen = head.hasPrefix("\"")
                #expect(
                    error?.message == "line \(line): a record is longer than 16 MiB"
                        + (isOpen ? "; a quote is open since line 1" : ""))
            }
        }
    }

    @Test func aChunkIsHalvedByItsRecords() throws {
        let splitter = RecordSplitter(.csv)
        let text = Array("1\n\n\"2\n2\"\n3\n4\n5".utf8)
        #expect(try splitter.half(of: text.bytes) == RecordSplitter.Boundary(end: 9, records: 2, lines: 4))
        let one = Array("1\n\n".utf8)
        #expect(try splitter.half(of: one.bytes) == nil)
    }

    @Test func marksOfEncodingsAreSeen() throws {
        for (bytes, start) in [([0xEF, 0xBB, 0xBF, 0x61], 3), ([0x61], 0), ([], 0)] as [([UInt8], Int)] {
            #expect(try RecordSplitter.fileStart(bytes.bytes) == start)
        }
        for bytes in [[0xFF, 0xFE, 0x61, 0], [0xFE, 0xFF], [0x61, 0, 0x62, 0], [0, 0, 0xFE, 0xFF]] as [[UInt8]] {
            let error = #expect(throws: RoostError.self) { _ = try RecordSplitter.fileStart(bytes.bytes) }
            #expect(error?.message.contains("UTF-16") == true)
        }
    }

    /// A slow reader of the same rules, byte by byte.
    private func ends(_ bytes: [UInt8]) -> [Int] {
        var (ends, isQuoted, fieldStart, at): ([Int], Bool, Bool, Int) = ([], false, true, 0)
        while at < bytes.count {
            let byte = bytes[at]
            if isQuoted {
                if byte == 0x22 {
                    if at + 1 < bytes.count, bytes[at + 1] == 0x22 { at += 1 } else { isQuoted = false }
                }
            } else if byte == 0x22, fieldStart {
                isQuoted = true
            } else if byte == 0x0A {
                ends.append(at + 1)
            }
            fieldStart = !isQuoted && (byte == 0x2C || byte == 0x0A)
            at += 1
        }
        return ends
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func itAgreesWithASlowReader(_ seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let pieces = ["\"", "\n", ",", "\r", "a", "1.25", ",\"a,b\",", "\n\"\"", ",\"a\n\"\"b\"\n", "long and plain,"]
        for round in 0..<3000 {
            // Many quotes that are none, few, or none at all: blocks of 64 bytes are taken in another way then.
            let usual =
                round % 3 == 0 ? pieces : round % 3 == 1 ? Array(pieces.dropFirst(3)) : Array(pieces.dropFirst(6))
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<60, using: &random) {
                let choice = Int.random(in: 0..<30, using: &random) == 0 ? pieces : usual
                bytes += (choice.randomElement(using: &random) ?? "").utf8
            }
            let found = ends(bytes)
            var splitter = RecordSplitter(.csv)
            let boundary = try splitter.lastBoundary(in: bytes.bytes)
            #expect(
                boundary?.end == found.last, "seed \(seed): \(String(decoding: bytes, as: UTF8.self).debugDescription)")
            #expect(boundary?.lines == found.last.map { end in bytes[..<end].count { $0 == 0x0A } })
            var first = RecordSplitter(.csv)
            let isBlank = { (start: Int, end: Int) in end - start == 1 || (end - start == 2 && bytes[start] == 0x0D) }
            let firstEnd = zip([0] + found, found).first { !isBlank($0, $1) }?.1
            #expect(try first.firstRecord(in: bytes.bytes, isAll: false)?.end == firstEnd, "seed \(seed)")
        }
    }
}
