internal import RoostBasics

/// One call of one function.
struct Arrival {
    /// Since the start of the trace.
    let seconds: Double
    let function: Int

    var time: Instant { Instant(nanoseconds: UInt64(seconds * 1e9)) }
}

/// How the calls of a function are spread over time; all families have the same average rates.
enum Family: String, CaseIterable {
    case poisson, diurnal, bursty, timers, shifting, mix

    var explanation: String {
        switch self {
        case .poisson: "independent calls at a constant rate"
        case .diurnal: "the rate follows the hour, 0.1 to 1.9 times its mean; two thirds of the functions share a day"
        case .bursty: "bursts of 20 calls on average, 10 s apart on average, then silence until the next burst"
        case .timers: "periodic calls, each up to 2 % of a period early or late"
        case .shifting: "Poisson, and each 4 hours a quarter of the functions exchange their popularity"
        case .mix: "each function belongs to one of the families above, drawn by lot"
        }
    }
}

/// Calls of a day, in order of time.
struct Trace {
    static let seconds = 86_400.0
    private(set) var arrivals: [Arrival] = []

    init(_ family: Family, functions: [SimulatedFunction], using random: inout SplitMix) {
        let rates = functions.map(\.rate)
        let shifted = Self.shiftingRates(from: rates, using: &random)
        let simple: [Family] = [.poisson, .diurnal, .bursty, .timers, .shifting]
        for function in functions.indices {
            let own = family == .mix ? simple[Int.random(in: 0..<simple.count, using: &random)] : family
            let rate = rates[function]
            switch own {
            case .poisson, .mix: poisson(function, from: 0, to: Self.seconds, rate: rate, using: &random)
            case .diurnal: diurnal(function, rate: rate, using: &random)
            case .bursty: bursts(function, rate: rate, using: &random)
            case .timers: periodic(function, rate: rate, using: &random)
            case .shifting:
                let length = Self.seconds / Double(shifted.count)
                for (part, rates) in shifted.enumerated() {
                    let start = Double(part) * length
                    poisson(function, from: start, to: start + length, rate: rates[function], using: &random)
                }
            }
        }
        arrivals.sort { $0.seconds < $1.seconds }
    }

    /// Rates for each of six parts of the day.
    private static func shiftingRates(from start: [Double], using random: inout SplitMix) -> [[Double]] {
        var parts = [start]
        while parts.count < 6 {
            var rates = parts[parts.count - 1]
            let moving = rates.indices.shuffled(using: &random).prefix(rates.count / 4)
            for (to, from) in zip(moving, moving.shuffled(using: &random)) { rates[to] = parts[parts.count - 1][from] }
            parts.append(rates)
        }
        return parts
    }

    private mutating func poisson(
        _ function: Int, from start: Double, to end: Double, rate: Double, using random: inout SplitMix
    ) {
        var seconds = start + random.wait(rate: rate)
        while seconds < end {
            arrivals.append(Arrival(seconds: seconds, function: function))
            seconds += random.wait(rate: rate)
        }
    }

    /// A Poisson process at the highest rate, of which calls are left out (Lewis and Shedler's thinning).
    private mutating func diurnal(_ function: Int, rate: Double, using random: inout SplitMix) {
        let noon = Int.random(in: 0..<3, using: &random) == 0 ? random.positiveUnit() : 0.5
        var seconds = random.wait(rate: 1.9 * rate)
        while seconds < Self.seconds {
            let now = 1 + 0.9 * sine(turns: seconds / Self.seconds - noon + 0.25)
            if 1.9 * random.positiveUnit() <= now { arrivals.append(Arrival(seconds: seconds, function: function)) }
            seconds += random.wait(rate: 1.9 * rate)
        }
    }

    /// Bursts begin as a Poisson process; each has a geometric number of calls.
    private mutating func bursts(_ function: Int, rate: Double, using random: inout SplitMix) {
        var start = random.wait(rate: rate / 20)
        while start < Self.seconds {
            var seconds = start
            repeat {
                if seconds < Self.seconds { arrivals.append(Arrival(seconds: seconds, function: function)) }
                seconds += random.wait(rate: 1 / 10)
            } while random.positiveUnit() > 1 / 20
            start += random.wait(rate: rate / 20)
        }
    }

    private mutating func periodic(_ function: Int, rate: Double, using random: inout SplitMix) {
        var due = random.positiveUnit() / rate
        while due < Self.seconds {
            let seconds = due + (2 * random.positiveUnit() - 1) * 0.02 / rate
            if seconds >= 0 { arrivals.append(Arrival(seconds: seconds, function: function)) }
            due += 1 / rate
        }
    }
}
