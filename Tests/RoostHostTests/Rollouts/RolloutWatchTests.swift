import RoostBasics
import RoostChannel
import RoostTraffic
import Testing

@testable import RoostHost

@Suite struct RolloutWatchTests {
    /// 4,000 requests of 200 bound callers; one caller in twenty makes all errors, with every request.
    private func watch(bound: Bool) -> RolloutWatch {
        let watch = RolloutWatch(canary: VersionNumber(2), stable: VersionNumber(1), since: 0, Evidence())
        for request in 0..<4000 {
            let caller = request % 200
            watch.add(
                caller.isMultiple(of: 20) ? .modelError : .ok, isCanary: !caller.isMultiple(of: 3),
                latency: .milliseconds(1), rows: 1, slot: bound ? UInt16(caller * 50) : nil, paysForStart: false)
        }
        return watch
    }

    private func upper(_ evidence: Evidence) throws -> Double {
        try #require(Analysis.judge(evidence, AnalysisSettings(), nextShare: 100).finding(.errors)?.upper)
    }

    @Test func errorsOfABoundCallerCountAsOnesThatCameTogether() throws {
        let (bound, free) = (watch(bound: true).evidence, watch(bound: false).evidence)
        #expect(!bound.canary.blocks.isEmpty && !bound.stable.blocks.isEmpty)
        #expect(free.canary.blocks.isEmpty && free.stable.blocks.isEmpty)
        #expect(bound.canary.errors == free.canary.errors && bound.canary.errors == 120)
        // Six unlucky callers say far less of a rate than 120 unlucky requests.
        #expect(try upper(bound) > 2 * upper(free))
    }

    @Test func whatSaysNothingOfAVersionIsNotCounted() {
        let watch = RolloutWatch(canary: VersionNumber(2), stable: VersionNumber(1), since: 0, Evidence())
        for outcome in [Outcome.clientError, .overload] {
            watch.add(outcome, isCanary: true, latency: .zero, rows: 1, slot: 1, paysForStart: false)
        }
        #expect(watch.evidence == Evidence())
        for outcome in [Outcome.modelError, .death, .timeout] {
            watch.add(outcome, isCanary: true, latency: .zero, rows: 1, slot: 1, paysForStart: false)
        }
        #expect(watch.evidence.canary.errors == 3 && watch.evidence.stable.requests == 0)
    }
}
