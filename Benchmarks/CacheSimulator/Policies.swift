internal import RoostBasics
internal import RoostScaling

/// The cold-start cache of the product, as the host uses it.
struct ProductPolicy: Policy {
    let functions: [SimulatedFunction]
    private var cache: ColdStartCache<Int>
    var memory = MemoryMeter()

    init(budget: Double, functions: [SimulatedFunction]) {
        self.functions = functions
        cache = ColdStartCache(budget: ByteCount(bytes: Int(budget)))
    }

    mutating func call(_ function: Int, at arrival: Arrival) -> Bool {
        cache.touched(function, at: arrival.time)
        guard !cache.isResident(function) else { return true }
        let (size, loadTime) = (functions[function].size, functions[function].loadTime)
        cache.hold(function)
        cache.loading(function)
        cache.loaded(function, size: size, loadTime: loadTime)
        evict(at: arrival)
        cache.release(function)
        evict(at: arrival)
        memory.add(Double(cache.used.bytes) - memory.bytes, at: arrival.seconds)
        return false
    }

    private mutating func evict(at arrival: Arrival) {
        while cache.next(at: arrival.time) != nil {}
    }
}

/// Evicts what has the lowest priority, which each call sets anew.
struct PriorityPolicy: Policy {
    enum Kind {
        /// The time of the last call.
        case leastRecentlyUsed
        /// FaasCache's: clock + frequency × load time ÷ size. The clock rises to the priority of what is evicted, the
        /// frequency counts calls since the template was loaded.
        case greedyDual
    }

    let kind: Kind
    let budget: Double
    let functions: [SimulatedFunction]
    var memory = MemoryMeter()
    private var priority: [Double]
    private var frequency: [Double]
    private var isWarm: [Bool]
    private var warm: [Int] = []
    private var clock = 0.0

    init(_ kind: Kind, budget: Double, functions: [SimulatedFunction]) {
        self.kind = kind
        self.budget = budget
        self.functions = functions
        priority = functions.map { _ in 0 }
        frequency = priority
        isWarm = functions.map { _ in false }
    }

    mutating func call(_ function: Int, at arrival: Arrival) -> Bool {
        let wasWarm = isWarm[function]
        if !wasWarm { frequency[function] = 0 }
        frequency[function] += 1
        switch kind {
        case .leastRecentlyUsed: priority[function] = arrival.seconds
        case .greedyDual:
            let (size, loadTime) = (Double(functions[function].size.bytes), functions[function].loadTime.seconds)
            priority[function] = clock + frequency[function] * loadTime / size
        }
        guard !wasWarm else { return true }
        makeRoom(for: Double(functions[function].size.bytes), at: arrival.seconds)
        isWarm[function] = true
        warm.append(function)
        return false
    }

    private mutating func makeRoom(for bytes: Double, at seconds: Double) {
        while memory.bytes + bytes > budget,
            let place = warm.indices.min(by: { priority[warm[$0]] < priority[warm[$1]] })
        {
            let function = warm[place]
            warm.swapAt(place, warm.count - 1)
            warm.removeLast()
            isWarm[function] = false
            clock = max(clock, priority[function])
            memory.add(-Double(functions[function].size.bytes), at: seconds)
        }
        memory.add(bytes, at: seconds)
    }
}

/// Keeps each template for a fixed time after each call, whatever memory that takes.
struct KeepAlivePolicy: Policy {
    static let seconds = 600.0
    let functions: [SimulatedFunction]
    var memory = MemoryMeter()
    private var lastCall: [Double?]
    /// Calls in order of time; from `first` on their keep-alive has not ended yet.
    private var calls: [Arrival] = []
    private var first = 0

    init(functions: [SimulatedFunction]) {
        self.functions = functions
        lastCall = functions.map { _ in nil }
    }

    mutating func call(_ function: Int, at arrival: Arrival) -> Bool {
        expire(until: arrival.seconds)
        let wasWarm = lastCall[function] != nil
        if !wasWarm { memory.add(Double(functions[function].size.bytes), at: arrival.seconds) }
        lastCall[function] = arrival.seconds
        calls.append(arrival)
        return wasWarm
    }

    mutating func end(at seconds: Double) {
        expire(until: seconds)
        memory.add(0, at: seconds)
    }

    private mutating func expire(until seconds: Double) {
        while first < calls.count, calls[first].seconds + Self.seconds < seconds {
            let call = calls[first]
            first += 1
            guard lastCall[call.function] == call.seconds else { continue }
            lastCall[call.function] = nil
            memory.add(-Double(functions[call.function].size.bytes), at: call.seconds + Self.seconds)
        }
    }
}
