import RoostBasics
import RoostScaling
import Testing

@Suite struct AutoscalerTests {
    private let start = Instant(nanoseconds: 1_000_000_000)

    /// With service time and start cost measured.
    private func measured(
        service: Instant.Span, start cost: Instant.Span, _ settings: AutoscalerSettings
    ) -> Autoscaler {
        var scaler = Autoscaler(settings: settings)
        scaler.started(after: cost)
        for _ in 0..<100 { scaler.replied(after: service) }
        return scaler
    }

    @Test func theNewestRequestWaitsNoLongerThanAStartAndNoInstanceIsTooMany() {
        var random = SplitMix(state: 1)
        for _ in 0..<5000 {
            let service = Instant.Span(nanoseconds: UInt64.random(in: 10_000...1_000_000_000, using: &random))
            let cost = Instant.Span(nanoseconds: UInt64.random(in: 100_000...2_000_000_000, using: &random))
            let concurrency = Int.random(in: 1...8, using: &random)
            let inFlight = Int.random(in: 1...500, using: &random)
            var scaler = measured(
                service: service, start: cost, AutoscalerSettings(instancesMax: 1000, concurrency: concurrency))
            let wanted = scaler.instancesWanted(inFlight: inFlight, at: start)
            func wait(_ count: Int) -> Double {
                Double(inFlight - concurrency * count) * service.seconds / Double(count)
            }
            #expect(wait(wanted) <= cost.seconds * 1.000001)
            #expect(wanted == 1 || wait(wanted - 1) > cost.seconds * 0.999999)
        }
    }

    @Test(arguments: [
        // service ms, start ms, concurrency, in flight, wanted
        (0.1, 0.5, 1, 0, 0), (0.1, 0.5, 1, 1, 1), (0.1, 0.5, 1, 5, 1), (0.1, 0.5, 1, 7, 2), (50, 0.5, 1, 2, 2),
        (50, 0.5, 4, 8, 2), (50, 1000, 1, 20, 1), (500, 0.5, 1, 100, 8),
    ])
    func examples(_ service: Double, _ cost: Double, _ concurrency: Int, _ inFlight: Int, _ wanted: Int) {
        func span(_ milliseconds: Double) -> Instant.Span { .microseconds(UInt64(milliseconds * 1000)) }
        var scaler = measured(
            service: span(service), start: span(cost), AutoscalerSettings(instancesMax: 8, concurrency: concurrency))
        #expect(scaler.instancesWanted(inFlight: inFlight, at: start) == wanted)
    }

    @Test func batchesCountWithWhatOneOfTheirRequestsCosts() {
        var scaler = Autoscaler(settings: AutoscalerSettings())
        for batch in 1...50 {
            scaler.replied(after: .milliseconds(64))
            for _ in 1..<64 { scaler.replied(after: .zero) }
            let error = abs(scaler.serviceTime.milliseconds - 1)
            #expect(error < 0.01, "after batch \(batch): \(scaler.serviceTime)")
        }
    }

    @Test func aModelThatBecomesSlowIsNoticedBeforeItAnswers() {
        var scaler = measured(service: .milliseconds(1), start: .milliseconds(10), AutoscalerSettings(instancesMax: 8))
        #expect(scaler.instancesWanted(inFlight: 4, at: start) == 1)
        scaler.running(1, for: .milliseconds(2000))
        #expect(scaler.instancesWanted(inFlight: 4, at: start + .seconds(2)) == 4)
        scaler.replied(after: .milliseconds(1))
        #expect(scaler.instancesWanted(inFlight: 4, at: start + .seconds(2)) == 4, "no instance goes before its time")
    }

    /// The definition, said otherwise: the most that was needed at any moment of the last `idle`.
    @Test func itHoldsWhatWasNeededWithinIdle() {
        var random = SplitMix(state: 7)
        for _ in 0..<300 {
            let settings = AutoscalerSettings(
                instancesMin: Int.random(in: 0...2, using: &random),
                instancesMax: Int.random(in: 2...9, using: &random),
                idle: .milliseconds(UInt64.random(in: 0...300, using: &random)))
            // One instance for each request: the start costs nothing against the service.
            var scaler = measured(service: .seconds(1), start: .milliseconds(1), settings)
            var history: [(need: Int, until: Instant)] = []
            var (now, need) = (start, 0)
            for _ in 0..<200 {
                history.append((need, now))
                need = Bool.random(using: &random) ? need : Int.random(in: 0...10, using: &random)
                let held = history.filter { $0.until + settings.idle > now }.map(\.need).max() ?? 0
                let expected = min(max(need, held, settings.instancesMin), settings.instancesMax)
                #expect(scaler.instancesWanted(inFlight: need, at: now) == expected)
                checkLapse(of: scaler, expected, need, at: now)
                now = now + .milliseconds(UInt64.random(in: 0...60, using: &random))
            }
        }
    }

    private func checkLapse(of scaler: Autoscaler, _ wanted: Int, _ need: Int, at now: Instant) {
        guard wanted > 0 else { return }
        var (early, late) = (scaler, scaler)
        guard let lapse = scaler.lapse(of: wanted) else {
            #expect(late.instancesWanted(inFlight: need, at: now + .seconds(1000)) == wanted)
            return
        }
        #expect(lapse > now)
        #expect(early.instancesWanted(inFlight: need, at: Instant(nanoseconds: lapse.nanoseconds - 1)) == wanted)
        #expect(late.instancesWanted(inFlight: need, at: lapse) < wanted)
    }

    @Test func anInstanceStaysWhileTheOthersCouldNotCarryTheLoad() {
        let settings = AutoscalerSettings(instancesMax: 8, idle: .seconds(10))
        for (busy, expected) in [(0.9, 2), (0.6, 1)] {
            // So short that few in flight never need a second one: six may be, at once.
            var scaler = measured(service: .microseconds(100), start: .microseconds(500), settings)
            #expect(scaler.instancesWanted(inFlight: 8, at: start) == 2)
            var now = start
            for _ in 0..<100_000 {
                now = now + .microseconds(UInt64(100 / busy))
                scaler.replied(after: .microseconds(100))
                _ = scaler.instancesWanted(inFlight: 1, at: now)
            }
            #expect(scaler.instancesWanted(inFlight: 1, at: start + .milliseconds(10_500)) == expected, "\(busy)")
            #expect(scaler.instancesWanted(inFlight: 1, at: start + .seconds(40)) == 1, "\(busy), long after")
        }
    }

    @Test func whatIsReleasedIsNotHeldButWhatIsNeededIs() {
        var scaler = measured(service: .seconds(1), start: .milliseconds(1), AutoscalerSettings(instancesMax: 8))
        #expect(scaler.instancesWanted(inFlight: 5, at: start) == 5)
        #expect(scaler.instancesWanted(inFlight: 2, at: start) == 5)
        scaler.release(to: 3)
        #expect(scaler.instancesWanted(inFlight: 2, at: start) == 3)
        scaler.release(to: 0)
        #expect(scaler.instancesWanted(inFlight: 2, at: start) == 2)
    }
}
