import RoostBasics
import RoostLoop
import Testing

@Suite struct TimerTests {
    @Test func repeatingTimerStopsWhenClosed() throws {
        let loop = try Loop()
        let timer = try Timer(on: loop)
        var fired = 0
        try timer.start(after: .zero, every: .milliseconds(1)) {
            fired += 1
            if fired == 3 { timer.close() }
        }
        loop.run()
        #expect(fired == 3)
        #expect(loop.openHandles == 0)
    }

    @Test func closingReleasesTheTimerAndItsClosure() throws {
        final class Probe {}
        weak var seen: Probe?
        weak var timerSeen: Timer?
        let loop = try Loop()
        do {
            let probe = Probe()
            seen = probe
            let timer = try Timer(on: loop)
            timerSeen = timer
            try timer.start(after: .zero) {
                _ = probe; timer.close()
            }
        }
        #expect(timerSeen != nil, "libuv holds the timer until it has closed")
        loop.run()
        #expect(seen == nil)
        #expect(timerSeen == nil)
    }

    @Test func startingAClosedTimerThrows() throws {
        let loop = try Loop()
        let timer = try Timer(on: loop)
        timer.close()
        timer.close()
        let error = #expect(throws: UVError.self) { try timer.start(after: .milliseconds(1)) {} }
        #expect(error?.description == "Timer after close: invalid argument (-22)")
        loop.run()
        #expect(loop.openHandles == 0)
    }

    @Test func aTimerIsNeverEarlyByTheLoopsOwnClock() throws {
        let loop = try Loop()
        let timer = try Timer(on: loop)
        let before = loop.now
        var waited = Instant.Span.zero
        try timer.start(after: .init(nanoseconds: 1_500_000)) {
            waited = loop.now - before
            timer.close()
        }
        loop.run()
        #expect(waited.nanoseconds >= 1_500_000)
    }

    @Test func turnHooksRunByStageAfterEverythingElseInATurn() throws {
        let loop = try Loop()
        let timer = try Timer(on: loop)
        var events: [String] = []
        let ring = TurnHook(.ring, on: loop) { events.append("ring") }
        let gather = TurnHook(.gather, on: loop) { events.append("gather") }
        try timer.start(after: .zero) {
            events.append("timer")
            timer.close()
        }
        loop.run()
        #expect(events.starts(with: ["timer", "gather", "ring"]))
        for hook in [ring, gather] { hook.close() }
        events = []
        let again = try Timer(on: loop)
        try again.start(after: .zero) { again.close() }
        loop.run()
        #expect(events.isEmpty)
        #expect(loop.openHandles == 0)
    }
}
