import RoostBasics
import RoostCompression
import Testing

@Suite struct GzipTests {
    private func decoded(_ bytes: [UInt8], slice: Int, limit: Int) throws -> [UInt8] {
        let decoder = try GzipDecoder()
        var output: [UInt8] = []
        var at = 0
        while at < bytes.count {
            let end = min(bytes.count, at + slice)
            let part = Array(bytes[at..<end])
            let used = try decoder.decode(part.bytes, into: &output, limit: limit)
            at += used
        }
        // What zlib held back because of the limit.
        var before = -1
        while output.count != before {
            before = output.count
            _ = try decoder.decode(RawSpan(), into: &output, limit: limit)
        }
        try decoder.finish()
        return output
    }

    @Test(arguments: [(1, 1 << 20), (7, 64), (4096, 1 << 20), (100_000, 1000)])
    func membersComeBackAsTheyWere(slice: Int, limit: Int) throws {
        var random = SplitMix(state: 5)
        let pieces: [[UInt8]] = [0, 1, 70_000, 300].map { count in
            (0..<count).map { _ in UInt8.random(in: 48...57, using: &random) }
        }
        let file = try pieces.flatMap { try GzipMember.encode($0) }
        #expect(try decoded(file, slice: slice, limit: limit) == pieces.flatMap { $0 })
        #expect(try decoded(file + [0, 0, 0], slice: slice, limit: limit) == pieces.flatMap { $0 })
    }

    @Test func equalPiecesGiveEqualMembers() throws {
        let piece = Array("1,0.5\n2,0.25\n".utf8)
        #expect(try GzipMember.encode(piece) == GzipMember.encode(piece))
    }

    @Test func whatIsDamagedIsAnError() throws {
        let member = try GzipMember.encode(Array(repeating: 65, count: 1000))
        var broken = member
        broken[broken.count - 6] ^= 1
        #expect(throws: RoostError.self) { try decoded(broken, slice: 4096, limit: 1 << 20) }
        #expect(throws: RoostError.self) { try decoded(Array(member.dropLast(9)), slice: 4096, limit: 1 << 20) }
        #expect(throws: RoostError.self) { try decoded(Array("id,score\n".utf8), slice: 4096, limit: 1 << 20) }
    }
}
