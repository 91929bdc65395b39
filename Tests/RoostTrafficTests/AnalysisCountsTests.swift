import RoostBasics
import Testing

@testable import RoostTraffic

@Suite struct AnalysisCountsTests {
    static func add(
        _ requests: Int, to arm: inout Arm, milliseconds: Double = 1, errors: Int = 0, rows: Int = 1,
        cluster: UInt32? = nil
    ) {
        for number in 0..<requests {
            arm.add(
                isError: number < errors, latency: Instant.Span(nanoseconds: UInt64(milliseconds * 1e6)), rows: rows,
                cluster: cluster, paysForStart: false)
        }
    }

    @Test func bucketsAreNarrowAndHoldWhatIsBetweenTheirEdges() {
        for bucket in 1..<LatencyCounts.buckets {
            let (low, high) = (LatencyCounts.edge(of: bucket), LatencyCounts.edge(of: bucket + 1))
            #expect(high / low - 1 <= 0.03)
            #expect(LatencyCounts.bucket(of: UInt64(low)) == bucket)
            #expect(LatencyCounts.bucket(of: UInt64(high) - 1) == bucket)
        }
        #expect(LatencyCounts.edge(of: 1) <= 10_000)
        #expect(LatencyCounts.edge(of: LatencyCounts.buckets - 1) >= 100e9)
        #expect(LatencyCounts.bucket(of: 0) == 0)
        #expect(LatencyCounts.bucket(of: .max) == LatencyCounts.buckets - 1)
    }

    @Test(arguments: [(0, "1"), (1, "1"), (2, "2-8"), (8, "2-8"), (9, "9-64"), (64, "9-64"), (65, ">64")])
    func rowsHaveGroups(_ rows: Int, _ name: String) {
        #expect(RowGroup(rows: rows).name == name)
    }

    @Test func latencyCountsWarmSuccessesThatPaidForNoStart() {
        var arm = Arm()
        Self.add(Arm.warmUp, to: &arm)
        #expect(arm.requests == 50 && arm.latencies.total(.one) == 0)
        Self.add(10, to: &arm, errors: 4)
        arm.add(isError: false, latency: .milliseconds(3), rows: 1, cluster: nil, paysForStart: true)
        #expect(arm.requests == 61 && arm.errors == 4 && arm.latencies.total(.one) == 6)
    }

    @Test func aNewStratumContinuesTheWarmUpAndAnEmptyOneIsUsedAgain() {
        var evidence = Evidence()
        evidence.beginStratum()
        #expect(evidence.strata.count == 1)
        Self.add(20, to: &evidence.canary)
        evidence.beginStratum()
        #expect(evidence.strata.count == 2 && evidence.canary.warmUpLeft == 30)
        Self.add(40, to: &evidence.canary)
        #expect(evidence.strata[0].canary.requests == 20 && evidence.canary.latencies.total(.one) == 10)
    }

    @Test func weightsGiveBothVersionsTheSameMix() {
        let (stable, canary) = ([990, 950, 500, 40], [10, 50, 500, 960])
        let (one, other) = (Standardised(stable, against: canary), Standardised(canary, against: stable))
        #expect(one.size == 600 && other.size == 600)
        for (stratum, weight) in one.weights.enumerated() {
            let both = Double(canary[stratum]) * other.weights[stratum]
            #expect(abs(Double(stable[stratum]) * weight - both) < 1e-9)
        }
        #expect(abs(one.rate(of: one.mean(of: 0.02)) - 0.02) < 1e-12)
    }

    @Test func errorsOfOneKeyCountAsFew() {
        var (arm, other, single) = (Arm(), Arm(), Arm())
        for key in 0..<200 {
            Self.add(50, to: &arm, errors: key == 3 ? 50 : 0, cluster: UInt32(key))
            Self.add(50, to: &other, errors: key.isMultiple(of: 4) ? 1 : 0, cluster: UInt32(key))
        }
        Self.add(100, to: &single, errors: 30, cluster: 9)
        // Fifty errors of one key: their sum has fifty times the variance of independent ones.
        let effect = ErrorCounts([arm], against: [arm]).effect
        #expect((45...55).contains(effect))
        #expect(ErrorCounts([other], against: [other]).effect < 1.1)
        #expect(ErrorCounts([single], against: [single]).effect > 20)
        var keyless = Arm()
        Self.add(100, to: &keyless, errors: 30)
        #expect(ErrorCounts([keyless], against: [keyless]).effect == 1)
    }

    @Test func pairsKeepWhatIsNoNumberOutOfTheSums() {
        var pairs = Pairs()
        pairs.add(isFlip: false, difference: 0.5)
        pairs.add(isFlip: true, difference: -0.25)
        pairs.add(isFlip: false, difference: .nan)
        #expect(pairs.count == 3 && pairs.flips == 2 && pairs.sum == 0.25 && pairs.sumOfSquares == 0.3125)
    }
}
