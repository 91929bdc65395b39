import RoostBasics
import RoostDelivery
import Testing

@Suite struct DeliveryTests {
    static let clock = ClockReading(monotonic: Instant(nanoseconds: 50_000_000_000), wallMS: 1_700_000_000_000)

    static func later(_ span: Instant.Span, wallMS: Int64? = nil) -> ClockReading {
        ClockReading(
            monotonic: clock.monotonic + span,
            wallMS: clock.wallMS + (wallMS ?? Int64(span.nanoseconds / 1_000_000)))
    }

    static func item(_ number: Int64 = 1) -> Delivery {
        Delivery(id: DeliveryID(rawValue: number), key: "k\(number)", at: clock)
    }

    var dice = SplitMix(state: 1)

    @Test func aDelayDoublesUpToItsCapAndIsSpread() {
        var dice = SplitMix(state: 7)
        var policy = RetryPolicy()
        policy.maxBackoff = .seconds(10)
        for (attempt, ceiling) in [(1, 1.0), (2, 2), (3, 4), (4, 8), (5, 10), (80, 10)] {
            for (jitter, least) in [(RetryPolicy.Jitter.equal, ceiling / 2), (.full, 0)] {
                policy.jitter = jitter
                let delays = (0..<300).map { _ in
                    policy.delay(after: attempt, retryAfter: nil, using: &dice).seconds
                }
                #expect(delays.allSatisfy { (least...ceiling).contains($0) })
                #expect(delays.contains { $0 < least + (ceiling - least) * 0.1 })
                #expect(delays.contains { $0 > least + (ceiling - least) * 0.9 })
            }
        }
    }

    @Test func theSameSeedGivesTheSameDelays() {
        let delays = (0..<2).map { _ in
            var dice = SplitMix(state: 3)
            return (1...5).map { RetryPolicy().delay(after: $0, retryAfter: nil, using: &dice) }
        }
        #expect(delays[0] == delays[1] && Set(delays[0]).count == 5)
    }

    @Test func aSinkThatAsksForTimeIsGivenIt() {
        var dice = SplitMix(state: 7)
        let policy = RetryPolicy()
        #expect(policy.delay(after: 1, retryAfter: .seconds(3600), using: &dice) == .seconds(3600))
        #expect(policy.delay(after: 1, retryAfter: .seconds(10_000_000), using: &dice) == .seconds(86_400))
        #expect(policy.delay(after: 1, retryAfter: .zero, using: &dice) >= .milliseconds(500))
    }

    @Test mutating func anItemIsTriedAgainUntilItsLastAttempt() {
        var policy = RetryPolicy()
        policy.attempts = 3
        var delivery = Self.item()
        for attempt in 1...3 {
            let actions = delivery.start(policy, at: Self.clock)
            #expect(actions.first == .store(delivery.record) && delivery.record.phase == .running)
            guard case .run(_, let run) = actions.last else { return #expect(Bool(false), "\(actions)") }
            #expect(run.number == attempt && run.attempt == attempt && run.deadline == nil)
            let ended = delivery.failed(run: run.number, .transient("busy"), policy, at: Self.clock, using: &dice)
            if attempt < 3 {
                #expect(ended == [.store(delivery.record)] && delivery.record.phase == .waiting)
                #expect(delivery.record.dueWallMS == Self.clock.wallMS + delivery.record.delayMS)
            } else {
                let letter = DeadLetter(cause: .exhausted, reason: "busy")
                #expect(ended == [.store(delivery.record), .publish(delivery.id, .dead(letter))])
            }
        }
        #expect(delivery.start(policy, at: Self.clock).isEmpty)
    }

    @Test mutating func whatCannotSucceedIsNotTriedAgain() {
        var delivery = Self.item()
        _ = delivery.start(RetryPolicy(), at: Self.clock)
        let reason = String(repeating: "x", count: 5000)
        _ = delivery.failed(run: 1, .permanent(reason), RetryPolicy(), at: Self.clock, using: &dice)
        #expect(delivery.record.phase == .dead && delivery.record.cause == .permanent)
        #expect(delivery.record.reason.count == 1001)
    }

    @Test mutating func reportsOfEarlierRunsChangeNothing() {
        var policy = RetryPolicy()
        policy.timeout = .seconds(30)
        var delivery = Self.item()
        _ = delivery.start(policy, at: Self.clock)
        #expect(delivery.tick(policy, at: Self.later(.milliseconds(29_999)), using: &dice).isEmpty)
        let actions = delivery.tick(policy, at: Self.later(.seconds(30)), using: &dice)
        #expect(actions.first == .stop(delivery.id, run: 1) && delivery.record.reason == "no result within 30s")
        _ = delivery.start(policy, at: Self.later(.seconds(40)))
        let present = delivery
        #expect(delivery.succeeded(run: 1, at: Self.later(.seconds(41))).isEmpty && delivery == present)
        #expect(delivery.succeeded(run: 2, at: Self.later(.seconds(42))).last == .publish(delivery.id, .done))
        #expect(delivery.succeeded(run: 2, at: Self.later(.seconds(43))).isEmpty)
        let late = delivery.failed(run: 2, .permanent("x"), policy, at: Self.later(.seconds(44)), using: &dice)
        #expect(late.isEmpty && delivery.record.endedWallMS == Self.later(.seconds(42)).wallMS)
    }

    /// An item that waits ten seconds, found by another process at different wall times.
    @Test(
        arguments: [
            ("in time", 4_000, 6_000), ("late", 60_000, 0), ("clock went back", -86_400_000, 10_000),
            ("clock went far ahead", 1_000_000_000_000, 0),
        ] as [(String, Int64, UInt64)])
    mutating func aRestartNeverWaitsLongerThanTheDelay(_ name: String, _ wallMS: Int64, _ left: UInt64) {
        var delivery = Self.item()
        _ = delivery.start(RetryPolicy(), at: Self.clock)
        let failure = DeliveryFailure.transient("busy", retryAfter: .seconds(10))
        _ = delivery.failed(run: 1, failure, RetryPolicy(), at: Self.clock, using: &dice)
        let reboot = ClockReading(monotonic: Instant(nanoseconds: 0), wallMS: Self.clock.wallMS + wallMS)
        #expect(delivery.record.due(at: reboot) == reboot.monotonic + .milliseconds(left), "\(name)")
    }

    @Test func aRecordWithNonsenseDoesNoHarm() {
        var record = DeliveryRecord(id: DeliveryID(rawValue: 1), key: "", submittedWallMS: .min)
        record.phase = .waiting
        for (due, delay) in [(Int64.max, Int64.max), (.min, .min), (.max, -1), (0, .max)] {
            (record.dueWallMS, record.delayMS) = (due, delay)
            for wallMS in [Int64.min, 0, .max] {
                let clock = ClockReading(monotonic: Instant(nanoseconds: 5), wallMS: wallMS)
                #expect(record.due(at: clock) <= clock.monotonic + RetryPolicy.retryAfterMax)
            }
        }
    }

    @Test mutating func aDeadLetterCanBeReplayedWithAllItsAttempts() {
        var delivery = Self.item()
        #expect(delivery.replay().isEmpty)
        _ = delivery.start(RetryPolicy(), at: Self.clock)
        #expect(delivery.cancel(by: "ada", at: Self.clock).first == .stop(delivery.id, run: 1))
        #expect(delivery.record.reason == "cancelled by ada" && delivery.record.cause == .cancelled)
        #expect(delivery.replay() == [.store(delivery.record)])
        #expect(delivery.state == .pending && delivery.record.attempts == 0 && delivery.record.replays == 1)
        let actions = delivery.start(RetryPolicy(), at: Self.clock)
        #expect(actions.last == .run(delivery.id, DeliveryRun(number: 2, attempt: 1, deadline: nil)))
        _ = delivery.succeeded(run: 2, at: Self.clock)
        #expect(delivery.replay().isEmpty && delivery.cancel(by: "ada", at: Self.clock).isEmpty)
    }
}
