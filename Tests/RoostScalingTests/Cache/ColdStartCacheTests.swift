import RoostBasics
import RoostScaling
import Testing

private func seconds(_ count: UInt64) -> Instant { Instant(nanoseconds: count * 1_000_000_000) }

extension ColdStartCache {
    /// A call that finds the function cold: its template is loaded and forked.
    fileprivate mutating func load(_ key: Key, mebibytes: Int, milliseconds: UInt64 = 100, at now: Instant) -> [Key] {
        touched(key, at: now)
        hold(key)
        loading(key)
        loaded(key, size: .mebibytes(mebibytes), loadTime: .milliseconds(milliseconds))
        let makingRoom = evictions(at: now)
        release(key)
        return makingRoom + evictions(at: now)
    }

    fileprivate mutating func evictions(at now: Instant) -> [Key] {
        var gone: [Key] = []
        while let key = next(at: now) { gone.append(key) }
        return gone
    }
}

@Suite struct ColdStartCacheTests {
    private var cache = ColdStartCache<String>(budget: .mebibytes(100), sizeDefault: .mebibytes(20))

    @Test mutating func whatFitsStays() {
        #expect(cache.load("a", mebibytes: 60, at: seconds(1)) == [])
        #expect(cache.load("b", mebibytes: 40, at: seconds(2)) == [])
        #expect(cache.used == .mebibytes(100))
        #expect(cache.free == .mebibytes(0))
    }

    @Test mutating func theOneGoesThatSavesLeastForItsMemory() {
        _ = cache.load("large", mebibytes: 50, milliseconds: 100, at: seconds(1))
        _ = cache.load("slow", mebibytes: 10, milliseconds: 5000, at: seconds(1))
        _ = cache.load("quick", mebibytes: 10, milliseconds: 60, at: seconds(1))
        #expect(cache.load("new", mebibytes: 40, at: seconds(1)) == ["large"])
        #expect(cache.load("newer", mebibytes: 50, at: seconds(1)) == ["new"], "quick saves little, but takes less")
    }

    @Test mutating func longIdleGoesBeforeJustCalled() {
        _ = cache.load("old", mebibytes: 50, at: seconds(1))
        _ = cache.load("young", mebibytes: 50, at: seconds(1000))
        #expect(cache.load("new", mebibytes: 50, at: seconds(1001)) == ["old"])
    }

    /// Two functions of equal size and load time: one is called each five minutes, the other 20 times each hour, within
    /// 20 seconds. Both are loaded after the third hour's burst.
    private mutating func callSteadilyAndInBursts() {
        for call in 0...36 as ClosedRange<UInt64> { cache.touched("steady", at: seconds(call * 300)) }
        for hour in 0...3 as ClosedRange<UInt64> {
            for call in 0..<20 as Range<UInt64> { cache.touched("burst", at: seconds(hour * 3600 + call)) }
        }
        for key in ["steady", "burst"] { cache.loaded(key, size: .mebibytes(50), loadTime: .milliseconds(100)) }
    }

    @Test mutating func aBurstThatIsOverGoesBeforeASteadyTrickle() {
        callSteadilyAndInBursts()
        #expect(cache.load("new", mebibytes: 50, at: seconds(10_860)) == ["burst"], "though called more lately")
    }

    @Test mutating func duringABurstTheSteadyOneGoes() {
        callSteadilyAndInBursts()
        #expect(cache.load("new", mebibytes: 50, at: seconds(10_820)) == ["steady"])
    }

    @Test mutating func aReturnIsJudgedByWhatWasKnown() {
        for call in 0..<50 as Range<UInt64> { cache.touched("known", at: seconds(call * 10)) }
        _ = cache.load("known", mebibytes: 50, at: seconds(500))
        cache.gone("known")
        #expect(!cache.isResident("known"))
        _ = cache.load("known", mebibytes: 50, at: seconds(510))
        _ = cache.load("stranger", mebibytes: 50, at: seconds(510))
        #expect(cache.load("new", mebibytes: 50, at: seconds(515)) == ["stranger"])
    }

    @Test mutating func whatAFunctionDidLongAgoIsOutweighed() throws {
        for call in 0..<1000 as Range<UInt64> { cache.touched("a", at: seconds(call * 3)) }
        for call in 1...300 as ClosedRange<UInt64> { cache.touched("a", at: seconds(3000 + call * 100)) }
        cache.loaded("a", size: .mebibytes(1), loadTime: .milliseconds(1))
        let times = try #require(cache.history(of: "a", at: seconds(40_000))).idleTimes
        #expect(times[7] > 2 * times[2], "each 100 s now, though each 3 s most often: \(times)")
        #expect(times.reduce(0) { $0 + Int($1) } <= 1200)
    }

    @Test mutating func pinnedStaysAndCounts() {
        cache.pin("pinned")
        _ = cache.load("pinned", mebibytes: 70, milliseconds: 1, at: seconds(1))
        _ = cache.load("a", mebibytes: 30, at: seconds(1_000_000))
        #expect(cache.load("b", mebibytes: 20, at: seconds(1_000_001)) == ["a"])
        #expect(cache.load("c", mebibytes: 40, at: seconds(1_000_002)) == ["c"], "more than pinned ones leave")
        cache.unpin("pinned")
        cache.budget = .mebibytes(40)
        #expect(cache.evictions(at: seconds(1_000_003)) == ["pinned"])
    }

    @Test mutating func whatRequestsWaitForStays() {
        cache.touched("held", at: seconds(1))
        cache.hold("held")
        cache.loading("held")
        #expect(cache.used == .mebibytes(20), "the default, until it is measured")
        cache.loaded("held", size: .mebibytes(90), loadTime: .milliseconds(1))
        #expect(cache.load("other", mebibytes: 50, milliseconds: 5000, at: seconds(1_000_000)) == ["other"])
        cache.release("held")
        #expect(cache.evictions(at: seconds(1_000_000)) == [])
        #expect(cache.load("other", mebibytes: 50, milliseconds: 5000, at: seconds(1_000_001)) == ["held"])
    }

    @Test mutating func whatLoadsMakesRoomByItsLastMeasuredSize() {
        _ = cache.load("a", mebibytes: 70, at: seconds(1))
        cache.gone("a")
        _ = cache.load("b", mebibytes: 50, at: seconds(2))
        cache.loading("a")
        #expect(cache.evictions(at: seconds(3)) == ["b"])
        #expect(cache.used == .mebibytes(70))
        cache.gone("a")
        #expect(cache.used == .mebibytes(0), "a load that failed")
    }

    @Test mutating func aTemplateThatGrewMakesOthersGo() {
        _ = cache.load("a", mebibytes: 50, at: seconds(1))
        _ = cache.load("b", mebibytes: 50, at: seconds(100))
        cache.measured("b", size: .mebibytes(51))
        #expect(cache.evictions(at: seconds(101)) == ["a"])
    }

    @Test mutating func whatIsLargerThanTheBudgetGoesAloneWhenNobodyHoldsIt() {
        _ = cache.load("small", mebibytes: 60, at: seconds(1))
        cache.touched("giant", at: seconds(2))
        cache.hold("giant")
        cache.loading("giant")
        cache.loaded("giant", size: .mebibytes(500), loadTime: .milliseconds(5000))
        #expect(cache.evictions(at: seconds(2)) == [])
        #expect(cache.used == .mebibytes(560))
        cache.release("giant")
        #expect(cache.evictions(at: seconds(2)) == ["giant"])
        #expect(cache.isResident("small"))
        cache.budget = .mebibytes(500)
        #expect(cache.load("giant", mebibytes: 500, milliseconds: 5000, at: seconds(3)) == ["small"])
    }

    @Test mutating func aBudgetOfNothingKeepsNothing() {
        cache.budget = ByteCount(bytes: 0)
        #expect(cache.load("a", mebibytes: 1, at: seconds(1)) == ["a"])
    }

    @Test mutating func forgettingLeavesNothing() {
        _ = cache.load("a", mebibytes: 60, at: seconds(1))
        cache.forget("a")
        #expect(cache.used == .mebibytes(0))
        #expect(cache.history(of: "a", at: seconds(2)) == nil)
        cache.loading("b")
        cache.loading("a")
        #expect(cache.used == .mebibytes(40), "as any new one")
        cache.forget("never heard of")
    }

    @Test mutating func inputsForUnknownKeysAreHarmless() {
        cache.gone("x")
        cache.release("x")
        cache.unpin("x")
        #expect(!cache.isResident("x"))
        #expect(cache.next(at: seconds(1)) == nil)
    }
}

@Suite struct WarmingTests {
    private var cache = ColdStartCache<String>(budget: .mebibytes(100))

    private func history(size: Int, milliseconds: UInt64 = 100, every: UInt64, idle: UInt64) -> CacheHistory {
        var other = ColdStartCache<String>(budget: .mebibytes(1000))
        for call in 0..<20 as Range<UInt64> { other.touched("x", at: seconds(call * every)) }
        other.loaded("x", size: .mebibytes(size), loadTime: .milliseconds(milliseconds))
        return other.history(of: "x", at: seconds(19 * every + idle))
            ?? CacheHistory(size: .mebibytes(0), loadTime: .zero, idle: nil, idleTimes: [])
    }

    @Test mutating func afterARestartTheMostValuableComeFirstAndFit() {
        cache.remember("rare", history(size: 30, every: 3600, idle: 10), at: seconds(5))
        cache.remember("often", history(size: 40, every: 60, idle: 10), at: seconds(5))
        cache.remember("huge", history(size: 400, every: 10, idle: 1), at: seconds(5))
        cache.remember("slow", history(size: 50, milliseconds: 4000, every: 60, idle: 10), at: seconds(5))
        cache.touched("never loaded", at: seconds(5))
        #expect(cache.worthWarming(at: seconds(6)) == ["slow", "often"])
        cache.loading("slow")
        #expect(cache.worthWarming(at: seconds(6)) == ["often"])
    }

    @Test mutating func pinnedComesBeforeAll() {
        cache.remember("often", history(size: 40, every: 60, idle: 10), at: seconds(5))
        cache.remember("kept", history(size: 40, every: 3600, idle: 90_000), at: seconds(5))
        cache.pin("kept")
        #expect(cache.worthWarming(at: seconds(6)) == ["kept", "often"])
    }

    @Test mutating func theTimeBeforeTheRestartCounts() throws {
        let saved = history(size: 30, every: 600, idle: 1000)
        cache.remember("a", saved, at: seconds(5))
        let again = try #require(cache.history(of: "a", at: seconds(5)))
        #expect(again == saved)
        #expect(cache.history(of: "a", at: seconds(65))?.idle == .seconds(1060))
    }

    @Test mutating func whatWasMeasuredHereStands() {
        _ = cache.load("a", mebibytes: 10, at: seconds(5))
        cache.remember("a", history(size: 30, every: 600, idle: 1000), at: seconds(6))
        #expect(cache.used == .mebibytes(10))
        #expect(cache.history(of: "a", at: seconds(6))?.idle == .seconds(1))
    }

    @Test mutating func nonsenseFromADiskIsHarmless() {
        let most = CacheHistory(
            size: ByteCount(bytes: .max), loadTime: Instant.Span(nanoseconds: .max),
            idle: Instant.Span(nanoseconds: .max), idleTimes: [UInt16](repeating: .max, count: 18))
        let fewer = CacheHistory(
            size: ByteCount(bytes: .min), loadTime: .zero, idle: .zero, idleTimes: [1, 2, 3])
        for (key, history) in [("a", most), ("b", most), ("c", fewer)] {
            cache.remember(key, history, at: seconds(1))
            cache.loading(key)
            cache.touched(key, at: seconds(2))
        }
        #expect(cache.worthWarming(at: seconds(2)) == [])
        for key in ["a", "b", "c"] { cache.loaded(key, size: .mebibytes(90), loadTime: .milliseconds(1)) }
        #expect(cache.evictions(at: seconds(3)).count == 2)
    }
}
