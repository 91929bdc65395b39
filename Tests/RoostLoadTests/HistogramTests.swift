import RoostBasics
import RoostLoad
import Testing

@Suite struct HistogramTests {
    private static let percents = [0, 0.1, 1, 10, 25, 50, 75, 90, 99, 99.9, 100]

    /// Nearest rank, the definition itself.
    private func exact(_ sorted: [UInt64], _ percent: Double) -> UInt64 {
        sorted[max(1, Int((Double(sorted.count) * percent / 100).rounded(.up))) - 1]
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>) func percentilesAreAtMostOneBucketAboveTheTruth(seed: UInt64) {
        var random = SplitMix(state: seed)
        var histogram = Histogram()
        // Magnitudes from nanoseconds to weeks, as many of each.
        let values = (0..<2000).map { _ in
            UInt64.random(in: 0...UInt64.max >> UInt64.random(in: 14...63, using: &random), using: &random)
        }
        for value in values { histogram.record(Instant.Span(nanoseconds: value)) }
        let sorted = values.sorted()
        for percent in Self.percents {
            let truth = exact(sorted, percent)
            let answer = histogram.percentile(percent)?.nanoseconds ?? 0
            #expect(answer >= truth && answer - truth <= truth / 128, "p\(percent): \(answer) for \(truth)")
        }
        #expect(histogram.max.nanoseconds == sorted.last)
        let mean = Double(histogram.mean?.nanoseconds ?? 0)
        #expect(abs(mean - values.map { Double($0) }.reduce(0, +) / 2000) <= mean * 1e-9 + 1)
    }

    @Test func smallTimesAreExact() {
        var histogram = Histogram()
        for value in 0..<256 as Range<UInt64> { histogram.record(Instant.Span(nanoseconds: value)) }
        for value in 0..<256 as Range<UInt64> {
            #expect(histogram.percentile(Double(value + 1) / 2.56)?.nanoseconds == value)
        }
    }

    @Test func theLongestTimeHasABucketToo() {
        var histogram = Histogram()
        histogram.record(Instant.Span(nanoseconds: .max))
        #expect(histogram.percentile(50)?.nanoseconds == .max)
        #expect(histogram.count == 1)
    }

    @Test func anEmptyOneHasNoFigures() {
        #expect(Histogram().percentile(50) == nil)
        #expect(Histogram().mean == nil)
    }

    @Test func noAnswerExceedsTheLongestTime() {
        var histogram = Histogram()
        histogram.record(.milliseconds(100))
        for percent in Self.percents { #expect(histogram.percentile(percent) == .milliseconds(100)) }
    }
}
