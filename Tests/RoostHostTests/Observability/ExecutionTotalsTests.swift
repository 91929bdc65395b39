import RoostBasics
import RoostChannel
import Testing

@testable import RoostHost

/// What is counted of replies, which instances may fill with anything.
@Suite struct ExecutionTotalsTests {
    private func reply(rows: UInt32, of batch: UInt32, _ nanoseconds: UInt64 = 100) -> ReplyHeader {
        var reply = ReplyHeader(id: RequestID(rawValue: 1), status: 200, contentType: .json, outcome: .ok)
        (reply.rows, reply.batchRows) = (rows, batch)
        (reply.decode, reply.infer, reply.encode) = (
            Instant.Span(nanoseconds: nanoseconds), Instant.Span(nanoseconds: 10 * nanoseconds),
            Instant.Span(nanoseconds: 3 * nanoseconds)
        )
        return reply
    }

    @Test func membersOfABatchAreOneExecution() {
        var totals = ExecutionTotals()
        for rows in [1, 2, 5] as [UInt32] { totals.add(PhaseTiming(), reply(rows: rows, of: 8)) }
        totals.add(PhaseTiming(), reply(rows: 8, of: 8))
        totals.add(PhaseTiming(), reply(rows: 3, of: 3))
        #expect(totals.requests == 5 && totals.rows == 19 && totals.executions.rounded() == 3)
        #expect(totals.decodeNanoseconds == 500 && totals.inferNanoseconds == 5000 && totals.encodeNanoseconds == 1500)
        #expect(totals.sizes.map(\.rows) == [8, 3])
        #expect(totals.sizes.map { $0.executions.rounded() } == [2, 1])
        #expect(totals.sizes.map { $0.inferNanoseconds.rounded() } == [2000, 1000])
        // Each encodes for itself.
        #expect(totals.sizes.map { $0.encodeNanoseconds.rounded() } == [1200, 300])
    }

    @Test func allWaitingIsWaiting() {
        var totals = ExecutionTotals()
        let span = { Instant.Span(nanoseconds: $0) }
        totals.add(PhaseTiming(queue: span(1), fork: span(20), load: span(300)), reply(rows: 1, of: 1))
        totals.add(PhaseTiming(queue: span(4000)), reply(rows: 1, of: 1))
        #expect(totals.queueNanoseconds == 4321)
    }

    @Test func nonsenseBreaksNothing() {
        var totals = ExecutionTotals()
        totals.add(PhaseTiming(), reply(rows: 0, of: 0))
        totals.add(PhaseTiming(), reply(rows: 9, of: 3))
        #expect(totals.requests == 2 && totals.executions == 0 && totals.sizes.isEmpty)
        for _ in 0..<3 { totals.add(PhaseTiming(), reply(rows: .max, of: .max, .max / 10)) }
        for size in 1...1000 as ClosedRange<UInt32> { totals.add(PhaseTiming(), reply(rows: size, of: size)) }
        #expect(totals.sizes.count == ExecutionTotals.sizesMax && totals.executions.rounded() == 1003)
    }

    @Test func connectionsGetWhatInstancesLeave() {
        #expect(GatewayLimits.connections(openFilesMax: 20_000, instancesMax: 256) == 18_720)
        #expect(GatewayLimits.connections(openFilesMax: 1024, instancesMax: 256) == 256)
        #expect(GatewayLimits.connections(openFilesMax: 20, instancesMax: 256) == 16)
    }
}
