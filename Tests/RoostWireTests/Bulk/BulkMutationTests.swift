import RoostBasics
import RoostTensors
import RoostWire
import Testing

/// Whatever a file holds: the parts of it give what the whole gives, and nothing traps.
@Suite struct BulkMutationTests {
    /// Rows of all kinds, mostly good ones.
    private func csv(_ random: inout SplitMix) -> String {
        let ends = ["\n", "\n", "\r\n", "\n\n", "\n\r\n"]
        var text =
            ["id,a,b,c,note\n", "c,note,a,b,id\r\n", "\u{FEFF}\n\nid,a,b,c,note\n"].randomElement(using: &random) ?? ""
        for row in 0..<Int.random(in: 0..<60, using: &random) {
            var fields = ["r\(row)"]
            for _ in 0..<3 {
                let number = "\(Double(Int.random(in: -9999...9999, using: &random)) / 16)"
                fields.append(
                    [number, number, "\"\(number)\"", "", " 7 ", "1e-4", "99", "x"].randomElement(using: &random) ?? "")
            }
            fields.append(
                ["", "plain", "\"a,b\"", "\"two\nlines\"", "\"say \"\"\n\"\"\"", "5\" pipe", "é", "\"\r\n\""]
                    .randomElement(using: &random) ?? "")
            if Int.random(in: 0..<30, using: &random) == 0 { fields.removeLast() }
            if Int.random(in: 0..<30, using: &random) == 0 { fields.append("more") }
            text += fields.joined(separator: ",") + (ends.randomElement(using: &random) ?? "")
        }
        return Bool.random(using: &random) && text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    private func jsonLines(_ random: inout SplitMix) -> String {
        let rows = [
            #"{"id":1,"a":1,"b":2,"c":3,"note":"é\n"}"#, "[1,2,3]", #"{"c":null,"b":-1e3,"a":0.25}"#, "", "\r",
            #"{"inputs":[{"name":"features","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]}"#, "[1,2]", "nonsense",
            #"{"label":1,"a":99,"b":0,"c":0}"#,
        ]
        return (0..<Int.random(in: 0..<60, using: &random)).map { _ in rows.randomElement(using: &random) ?? "" }
            .joined(separator: "\n")
    }

    private func file(_ input: BulkPlan.Format, _ random: inout SplitMix) throws -> BulkFile {
        var plan = BulkPlan(input: input, output: Bool.random(using: &random) ? .csv : .jsonLines)
        let choices: [BulkPlan.PassThrough] = [.all, .none, .named(["note", "a"])]
        plan.passThrough = choices.randomElement(using: &random) ?? .none
        if input == .jsonLines, plan.output == .csv, plan.passThrough == .all { plan.passThrough = .none }
        plan.ids = Bool.random(using: &random) ? ["id"] : []
        let file = try BulkFile(plan)
        file.refused = 6
        if Int.random(in: 0..<4, using: &random) == 0 { file.poison = 99 }
        return file
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func anyChunkSizeGivesTheSame(_ seed: UInt64) throws {
        print("seed \(seed)")
        var random = SplitMix(state: seed)
        for _ in 0..<15 {
            let input: BulkPlan.Format = Int.random(in: 0..<3, using: &random) == 0 ? .jsonLines : .csv
            let text = Array((input == .csv ? csv(&random) : jsonLines(&random)).utf8)
            let file = try file(input, &random)
            if input == .csv, text.isEmpty { continue }
            let whole = try file.scoreFile(text, chunkBytes: .max / 4)
            for size in [1, 40, Int.random(in: 2..<2000, using: &random)] {
                let parts = try file.scoreFile(text, chunkBytes: size)
                #expect(
                    parts == whole, "seed \(seed), \(size): \(String(decoding: text, as: UTF8.self).debugDescription)")
            }
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func junkIsTakenOrRefused(_ seed: UInt64) throws {
        print("seed \(seed)")
        var random = SplitMix(state: seed)
        let pieces = ["\"", "\"\"", ",", "\n", "\r", "\0", "1e999", "-", ".", "{", "[", "\\u", "null", "999999999999"]
        for _ in 0..<100 {
            let input: BulkPlan.Format = Bool.random(using: &random) ? .jsonLines : .csv
            var bytes = Array((input == .csv ? csv(&random) : jsonLines(&random)).utf8)
            for _ in 0...Int.random(in: 0..<6, using: &random) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<6, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: at)
                case 2: bytes.removeSubrange(at...)
                case 3: bytes.insert(contentsOf: bytes[at...].prefix(Int.random(in: 1..<90, using: &random)), at: at)
                case 4: bytes = (0..<200).map { _ in UInt8.random(in: 0...255, using: &random) }
                default: bytes.insert(contentsOf: pieces[Int.random(in: 0..<pieces.count, using: &random)].utf8, at: at)
                }
            }
            let file = try file(input, &random)
            // Straight into an instance, as if no host had looked at it.
            file.plan.columns = ["id", "a", "b", "c", "note"]
            file.plan.hasHeader = true
            let scored = try file.score(bytes)
            #expect(scored.rows == scored.output.utf8.lazy.filter { $0 == 0x0A }.count || input == .csv)
            #expect(scored.badRows == scored.errors.utf8.lazy.filter { $0 == 0x0A }.count)
            // And the way that a host takes.
            do {
                let whole = try file.scoreFile(bytes, chunkBytes: 1 << 20)
                #expect(try file.scoreFile(bytes, chunkBytes: 50) == whole)
            } catch let error as RoostError { #expect(!error.message.isEmpty) }
        }
    }

    @Test func brokenRequestsAreRefused() throws {
        let file = try BulkFile(BulkFile.plain { $0.columns = ["a", "b", "c"] })
        let body = BulkRequest.head(plan: file.plan.encode(), firstLine: 1, wantsHeader: true) + Array("1,2,3\n".utf8)
        var random = SplitMix(state: 5)
        let model: BulkCodec.Predict = { (_, _) throws(RoostError) in throw RoostError(.pluginFailed, "never") }
        for _ in 0..<2000 {
            var broken = body
            for _ in 0..<Int.random(in: 1..<3, using: &random) {
                broken[Int.random(in: 0..<broken.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { broken.removeLast(Int.random(in: 0..<broken.count, using: &random)) }
            let reply = TextBuffer()
            _ = try? file.codec.score(broken.bytes, into: reply, predict: model)
        }
        for count in 0..<24 {
            #expect(throws: RoostError.self) { _ = try BulkRequest(Array(body[..<count]).bytes) }
        }
    }
}
