import RoostBasics
import RoostLoad
import Testing

@Suite struct PhaseTimesTests {
    private func read(_ text: String) -> PhaseTimes { PhaseTimes(Array(text.utf8).bytes) }

    @Test func everyPhaseIsReadToTheMicrosecond() {
        let times = read("queue;dur=0.004, fork;dur=12.500, load;dur=1500.25, infer;dur=7")
        #expect(times.queue == .microseconds(4))
        #expect(times.fork == .microseconds(12_500))
        #expect(times.load == .microseconds(1_500_250))
        #expect(times.infer == .milliseconds(7))
        #expect(times.isColdStart)
    }

    @Test func whatDidNotOccurIsAbsent() {
        let times = read("queue;dur=0.1,infer;dur=0.123456789")
        #expect(times.fork == nil && times.load == nil && !times.isColdStart)
        #expect(times.infer == Instant.Span(nanoseconds: 123_456))
        #expect(read("load;dur=1").isColdStart)
    }

    @Test func entriesOfOthersAndNonsenseArePassedOver() {
        let times = read(#"cdn;desc="a";dur=3,queue;desc=x;dur=2, infer, fork;dur=, load;dur=1.2.3, db;dur=9"#)
        #expect(times.queue == .milliseconds(2))
        #expect(times.infer == nil && times.fork == nil && times.load == nil)
        for text in ["", ",", ";", "queue", "queue;dur=-1", "queue;dur=99999999999999", "queue;dur=1e3"] {
            #expect(read(text) == PhaseTimes(), "\(text)")
        }
    }
}
