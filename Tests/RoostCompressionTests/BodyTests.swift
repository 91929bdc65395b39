import RoostBasics
import RoostCompression
import Testing

@Suite struct BodyTests {
    private func inflated(
        _ body: [UInt8], _ coding: ContentCoding, limit: Int = 1 << 20, _ inflater: BodyInflater? = nil
    ) throws(RoostError) -> [UInt8] {
        var inflater = inflater
        if inflater == nil { inflater = try BodyInflater() }
        guard let inflater else { return [] }
        try inflater.inflate(body.bytes, coding, limit: limit)
        return inflater.withBytes { bytes in
            var copy: [UInt8] = []
            copy.append(bytes)
            return copy
        }
    }

    private func deflated(_ body: [UInt8], _ coding: ContentCoding, _ deflater: BodyDeflater? = nil) throws -> [UInt8]?
    {
        let deflater = try deflater ?? BodyDeflater(coding)
        guard deflater.deflate(body.bytes) else { return nil }
        return deflater.withBytes { bytes in
            var copy: [UInt8] = []
            copy.append(bytes)
            return copy
        }
    }

    private func numbers(_ count: Int, _ random: inout SplitMix) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 48...57, using: &random) }
    }

    @Test(arguments: [ContentCoding.gzip, .deflate])
    func bodiesOfAllSizesComeBackAndAreSmaller(_ coding: ContentCoding) throws {
        var random = SplitMix(state: 3)
        let (inflater, deflater) = (try BodyInflater(), try BodyDeflater(coding))
        for count in [100, 1_400, 65_536, 131_072, 131_073, 250_000, 100] {
            let body = numbers(count, &random)
            let small = try #require(try deflated(body, coding, deflater))
            #expect(small.count < body.count * 3 / 4 + 20)
            #expect(try inflated(small, coding, inflater) == body)
            inflater.removeAll()
            deflater.removeAll()
        }
    }

    @Test(arguments: [1, 30, 100_000, 300_000])
    func whatCannotBeSmallerIsLeft(_ count: Int) throws {
        var random = SplitMix(state: 4)
        let body = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
        let deflater = try BodyDeflater(.gzip)
        #expect(try deflated(body, .gzip, deflater) == nil)
        // The next one is not disturbed by it.
        let text = numbers(5_000, &random)
        #expect(try inflated(try #require(try deflated(text, .gzip, deflater)), .gzip) == text)
    }

    @Test func theLimitHoldsToAByte() throws {
        for coding in [ContentCoding.gzip, .deflate] {
            let bomb = try #require(try deflated([UInt8](repeating: 0, count: 10_000_000), coding))
            #expect(bomb.count < 50_000)
            #expect(try inflated(bomb, coding, limit: 10_000_000).count == 10_000_000)
            for limit in [0, 1, 65_536, 9_999_999] {
                #expect(
                    performing: { try inflated(bomb, coding, limit: limit) },
                    throws: { ($0 as? RoostError)?.code == .tooLarge })
            }
        }
    }

    /// Members one after the other are one body; deflate comes with and without its wrapper.
    @Test func formsThatOthersWrite() throws {
        var random = SplitMix(state: 5)
        let (first, second) = (numbers(3_000, &random), numbers(70_000, &random))
        let members = try #require(try deflated(first, .gzip)) + #require(try deflated(second, .gzip))
        #expect(try inflated(members, .gzip) == first + second)
        let wrapped = try #require(try deflated(first, .deflate))
        #expect(try inflated(Array(wrapped.dropFirst(2).dropLast(4)), .deflate) == first)
        #expect(try inflated(GzipMember.encode([]), .gzip).isEmpty)
    }

    @Test func whatIsDamagedIsRefusedInWords() throws {
        var random = SplitMix(state: 6)
        let body = numbers(20_000, &random)
        let inflater = try BodyInflater()
        for coding in [ContentCoding.gzip, .deflate] {
            let whole = try #require(try deflated(body, coding))
            var broken = whole
            broken[whole.count - 2] ^= 1
            for (bad, words) in [
                ([], "cut off"), (Array(whole.dropLast()), "cut off"), (Array(whole.prefix(5)), "cut off"),
                (whole + [0], "1 bytes follow its end"), (broken, "\(coding)"), (Array("[[1, 2]]".utf8), "\(coding)"),
            ] as [([UInt8], String)] {
                do throws(RoostError) {
                    _ = try inflated(bad, coding, inflater)
                    Issue.record("\(bad.count) bytes are taken")
                } catch {
                    #expect(error.code == .invalidArgument && error.message.contains(words), "\(error.message)")
                }
            }
            #expect(try inflated(whole, coding, inflater) == body, "the next one is not disturbed")
        }
    }

    @Test(arguments: [1, 2] as [UInt64])
    func mutatedBodiesNeverTrap(_ seed: UInt64) throws {
        var random = SplitMix(state: seed)
        let inflater = try BodyInflater()
        let wholes = try [ContentCoding.gzip, .deflate].map { try #require(try deflated(numbers(2_000, &random), $0)) }
        for _ in 0..<4_000 {
            var bytes = wholes.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                if Bool.random(using: &random) {
                    bytes[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                } else {
                    bytes.removeSubrange(at...)
                }
            }
            for coding in [ContentCoding.gzip, .deflate] {
                let made = try? inflated(bytes, coding, limit: 10_000, inflater)
                #expect(made.map(\.count) ?? 0 <= 10_000)
            }
        }
    }
}
