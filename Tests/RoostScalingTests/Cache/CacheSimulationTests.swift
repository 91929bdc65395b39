import RoostBasics
import RoostScaling
import Testing

/// Throws events at a cache and at the reference, and compares them after each.
private struct World {
    var cache: ColdStartCache<Int>
    var reference: ReferenceCache
    var random: SplitMix
    var now = Instant(nanoseconds: 0)
    let sizeDefault = 30
    private(set) var evictions = 0

    init(seed: UInt64) {
        random = SplitMix(state: seed)
        let budget = Int.random(in: 50...600, using: &random)
        cache = ColdStartCache(budget: ByteCount(bytes: budget), sizeDefault: ByteCount(bytes: sizeDefault))
        reference = ReferenceCache(budget: budget)
    }

    private mutating func size() -> Int {
        Int.random(in: 0..<25, using: &random) == 0
            ? Int.random(in: 0...900, using: &random) : Int.random(in: 20...40, using: &random)
    }

    /// Short pauses and long ones, so that all bins are met.
    private mutating func wait() {
        let span = UInt64(1) << UInt64.random(in: 28...44, using: &random)
        now = now + Instant.Span(nanoseconds: UInt64.random(in: 0...span, using: &random))
    }

    mutating func step() {
        if Int.random(in: 0..<3, using: &random) > 0 { wait() }
        let key = Int.random(in: 0..<24, using: &random)
        if reference.versions[key] == nil { reference.versions[key] = .init(bytes: sizeDefault) }
        switch Int.random(in: 0..<34, using: &random) {
        case 0..<18: call(key)
        case 18..<24: for key in 0..<24 { finishLoad(key) }
        case 24: fail(key)
        case 25: measure(key)
        case 26: hold(key, true)
        case 27..<30: hold(key, false)
        case 30: pin(key, Int.random(in: 0..<4, using: &random) == 0)
        case 31: forget(key)
        case 32: changeBudget()
        default: break
        }
        obey()
    }

    private mutating func call(_ key: Int) {
        cache.touched(key, at: now)
        reference.touch(key, at: now)
        guard !cache.isResident(key) else { return }
        hold(key, true)
        cache.loading(key)
        reference.versions[key]?.isLoading = true
    }

    private mutating func finishLoad(_ key: Int) {
        guard reference.versions[key]?.isLoading == true else { return }
        let bytes = size()
        let milliseconds = UInt64.random(in: 200...600, using: &random)
        cache.loaded(key, size: ByteCount(bytes: bytes), loadTime: .milliseconds(milliseconds))
        reference.versions[key]?.isLoading = false
        reference.versions[key]?.isWarm = true
        reference.versions[key]?.bytes = bytes
        reference.versions[key]?.loadTime = Double(milliseconds) / 1000
        if Int.random(in: 0..<5, using: &random) > 0 { hold(key, false) }
    }

    private mutating func fail(_ key: Int) {
        cache.gone(key)
        reference.versions[key]?.isLoading = false
        reference.versions[key]?.isWarm = false
    }

    private mutating func measure(_ key: Int) {
        let bytes = size()
        cache.measured(key, size: ByteCount(bytes: bytes))
        reference.versions[key]?.bytes = bytes
    }

    private mutating func hold(_ key: Int, _ isHeld: Bool) {
        if isHeld { cache.hold(key) } else { cache.release(key) }
        reference.versions[key]?.isHeld = isHeld
    }

    private mutating func pin(_ key: Int, _ isPinned: Bool) {
        if isPinned { cache.pin(key) } else { cache.unpin(key) }
        reference.versions[key]?.isPinned = isPinned
    }

    private mutating func forget(_ key: Int) {
        cache.forget(key)
        reference.versions[key] = nil
    }

    private mutating func changeBudget() {
        let bytes = Int.random(in: 0...600, using: &random)
        cache.budget = ByteCount(bytes: bytes)
        reference.budget = bytes
    }

    private mutating func obey() {
        while let key = cache.next(at: now) {
            evictions += 1
            let isNeedless = !reference.mustEvict
            #expect(!isNeedless, "\(key) evicted though everything fits")
            let isEvictable = reference.versions[key]?.isEvictable
            #expect(isEvictable == true, "\(key) may not be evicted")
            let (value, least) = (reference.value(of: key, at: now), reference.leastValue(at: now))
            #expect(value <= least + abs(least) * 1e-9, "\(key) of value \(value) evicted, the least is \(least)")
            reference.versions[key]?.isWarm = false
        }
        let isOver = reference.mustEvict
        #expect(!isOver, "what does not fit stays")
        #expect(cache.used.bytes == reference.used)
        #expect(cache.free.bytes == max(0, reference.budget - reference.charged))
        let differing = reference.versions.filter { cache.isResident($0.key) != $0.value.isResident }.keys
        #expect(differing.isEmpty)
    }

    /// What it would load unasked: the best of what is cold and fits, in order.
    func checkWarming() {
        let offered = cache.worthWarming(at: now)
        let values = offered.map {
            reference.versions[$0]?.isPinned == true ? .infinity : reference.value(of: $0, at: now)
        }
        for (better, worse) in zip(values, values.dropFirst()) { #expect(worse <= better + abs(better) * 1e-9) }
        #expect(offered.allSatisfy { reference.versions[$0]?.isResident == false })
        let bytes = offered.reduce(0) { $0 + (reference.versions[$1]?.bytes ?? 0) }
        #expect(bytes <= cache.free.bytes)
        let left = cache.free.bytes - bytes
        for (key, version) in reference.versions where !version.isResident && !offered.contains(key) {
            let isKnown = version.loadTime != nil && (version.lastCall != nil || version.isPinned)
            #expect(!isKnown || version.bytes > left, "\(key) would fit")
        }
    }
}

@Suite struct CacheSimulationTests {
    @Test(arguments: 0..<100 as Range<UInt64>)
    func evictsAsTheReferenceSaysWhateverHappens(seed: UInt64) {
        var world = World(seed: seed)
        for _ in 0..<300 { world.step() }
        world.checkWarming()
        #expect(world.evictions > 10)
    }
}
