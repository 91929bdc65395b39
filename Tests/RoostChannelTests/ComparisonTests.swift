import RoostBasics
import RoostChannel
import Testing

@Suite struct ComparisonTests {
    private var some: Comparison {
        var comparison = Comparison()
        (comparison.rows, comparison.decisions, comparison.flips) = (300, 200, 7)
        comparison.tensors[0].elements = 600
        comparison.tensors[0].sum = 1.5
        comparison.tensors[0].largest = 0.25
        comparison.tensors[7].relativeSum = 0.125
        return comparison
    }

    @Test func whatAnInstanceWritesTheHostReads() throws {
        let bytes = some.bytes
        let read = Comparison(bytes.bytes)
        #expect(read == some && bytes.count == 280)
    }

    /// The host adds these up: an instance that lies must not be able to spoil the sums of others.
    @Test func nonsenseIsRefused() {
        let changes: [(inout Comparison) -> Void] = [
            { $0.flips = 201 }, { $0.decisions = 301 }, { $0.rows = 1 << 41 }, { $0.tensors[3].elements = .max },
            { $0.tensors[0].sum = -1 }, { $0.tensors[0].sum = .nan }, { $0.tensors[7].largest = .infinity },
        ]
        for (index, change) in changes.enumerated() {
            var comparison = some
            change(&comparison)
            let bytes = comparison.bytes
            let read = Comparison(bytes.bytes)
            #expect(read == nil, "change \(index) is taken")
        }
        for count in [0, 279, 281] {
            let bytes = [UInt8](repeating: 0, count: count)
            let read = Comparison(bytes.bytes)
            #expect(read == nil)
        }
    }

    @Test func aBodyIsTakenApartAsItWasPutTogether() throws {
        for (jsonBytes, coding) in [(nil, .identity), (0, .gzip), (99, .deflate)] as [(Int?, ContentCoding)] {
            var reply = ReplyHeader(
                id: RequestID(slot: 1, generation: 1), status: 200, contentType: .json, outcome: .ok)
            (reply.jsonBytes, reply.contentCoding) = (jsonBytes, coding)
            let body = ComparisonBody.prefix(requestBytes: 3, reply: reply) + [1, 2, 3] + [4, 5]
            let found = ComparisonBody.parts(body.bytes)
            let parts = try #require(found)
            #expect(body[parts.request] == [1, 2, 3] && body[parts.reply] == [4, 5])
            #expect(parts.replyJSONBytes == jsonBytes && parts.replyCoding == coding)
        }
        let reply = ReplyHeader(id: RequestID(slot: 1, generation: 1), status: 200, contentType: .json, outcome: .ok)
        for bad in [
            [], [UInt8](repeating: 0, count: 23), ComparisonBody.prefix(requestBytes: 1, reply: reply),
            [UInt8](repeating: 255, count: 25),
            [UInt8](repeating: 0, count: 16) + [3] + [UInt8](repeating: 0, count: 7),
        ] {
            let none = ComparisonBody.parts(bad.bytes) == nil
            #expect(none)
        }
    }
}
