import Glibc
import RoostBasics
import RoostLoad
import Testing

@Suite struct ArrivalsTests {
    private func all(_ arrivals: Arrivals) -> [UInt64] {
        var arrivals = arrivals
        var times: [UInt64] = []
        while let time = arrivals.next() { times.append(time.nanoseconds) }
        return times
    }

    @Test func constantOnesAreEquallyFarApartAndEndBeforeTheEnd() {
        let times = all(Arrivals(rate: 100, duration: .seconds(10)))
        #expect(times == (0..<1000).map { UInt64($0) * 10_000_000 })
        #expect(all(Arrivals(rate: 0.5, duration: .seconds(5))) == [0, 2_000_000_000, 4_000_000_000])
        #expect(all(Arrivals(rate: 1, duration: .milliseconds(1))) == [0])
    }

    @Test func fractionsDoNotAddUp() {
        let times = all(Arrivals(rate: 30_000, duration: .seconds(60)))
        #expect(times.count == 1_800_000)
        for number in stride(from: 0, to: times.count, by: 30_000) {
            #expect(times[number] == UInt64(number / 30_000) * 1_000_000_000)
        }
    }

    @Test func randomOnesAreExponentiallyDistributed() {
        let times = all(Arrivals(rate: 1000, duration: .seconds(100), pattern: .poisson, seed: 7))
        // A Poisson count has its mean as its variance: four deviations.
        #expect(abs(times.count - 100_000) < 4 * 317)
        let gaps = zip(times.dropFirst(), times).map { $0 - $1 }
        for multiple in 1...4 {
            let share = Double(gaps.count { $0 > UInt64(multiple) * 1_000_000 }) / Double(gaps.count)
            let expected = exp(-Double(multiple))
            #expect(abs(share - expected) < 4 * (expected * (1 - expected) / Double(gaps.count)).squareRoot())
        }
        #expect(times == times.sorted())
    }

    @Test func equalSeedsAndCopiesGiveEqualTimes() {
        let plan = { (seed: UInt64) in
            Arrivals(rate: 500, duration: .seconds(1), pattern: .poisson, seed: seed)
        }
        #expect(all(plan(3)) == all(plan(3)))
        #expect(all(plan(3)) != all(plan(4)))
        var first = plan(3)
        for _ in 0..<10 { _ = first.next() }
        #expect(all(first) == Array(all(plan(3)).dropFirst(10)))
    }
}
