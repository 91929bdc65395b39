import RoostBasics
import RoostFeedback
import Testing

@Suite struct TokenBucketTests {
    /// How many of evenly spaced events pass during `seconds`, the first second left out.
    private func passed(ofPerSecond events: Int, atRate rate: Int, seconds: Int = 20) -> [Int] {
        var bucket = TokenBucket(perSecond: rate, at: Instant(nanoseconds: 0))
        var passed: [Int] = []
        for event in 0..<events * seconds {
            let now = Instant(nanoseconds: UInt64(event) * 1_000_000_000 / UInt64(events))
            if bucket.take(at: now), event >= 2 * events { passed.append(event) }
        }
        return passed
    }

    @Test func everythingPassesUpToTheRate() {
        #expect(passed(ofPerSecond: 1000, atRate: 1000).count == 18_000)
        #expect(passed(ofPerSecond: 7, atRate: 1000).count == 7 * 18)
    }

    @Test func anEvenPartPassesBeyondIt() {
        let passed = passed(ofPerSecond: 50_000, atRate: 1000)
        #expect((17_990...18_010).contains(passed.count))
        let gaps = zip(passed.dropFirst(), passed).map { $0 - $1 }
        #expect(gaps.allSatisfy { (49...51).contains($0) })
    }

    @Test func aBurstOfOneSecondPassesAfterRest() {
        var bucket = TokenBucket(perSecond: 10, at: Instant(nanoseconds: 0))
        let later = Instant(nanoseconds: 3_600_000_000_000)
        let passed = (0..<25).map { _ in bucket.take(at: later) }
        #expect(passed.count { $0 } == 10)
    }

    @Test func aClockThatStandsOrGoesBackGivesNothing() {
        var bucket = TokenBucket(perSecond: 1, at: Instant(nanoseconds: 5_000_000_000))
        let passed = [4, 5, 1, 6].map { bucket.take(at: Instant(nanoseconds: $0 * 1_000_000_000)) }
        #expect(passed == [true, false, false, true])
    }
}
