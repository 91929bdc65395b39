import Glibc
import RoostBasics

/// Calls of one function: when each comes, and how long it keeps an instance busy. The same for every policy.
struct Trace {
    struct Call {
        let arrival: Instant
        let service: Instant.Span
    }
    let calls: [Call]
    /// Until when instances are counted; a while after the last call, so that what is left over costs.
    let end: Instant
}

/// A kind of load. `peak` below is the highest rate of calls per second.
enum Family: String, CaseIterable {
    case constant = "constant"
    case poisson = "Poisson"
    case step = "step"
    case bursty = "bursty on/off"
    case diurnal = "diurnal"
    case spike = "spike from zero"
    case sparse = "sparse calls"

    /// Seconds of one trace.
    private var duration: Double { self == .sparse ? 14_400 : 900 }

    /// - Parameter service: seconds; a call takes 0.5 to 1.5 times as long, all being equally likely.
    func trace(service: Double, seed: UInt64) -> Trace {
        var random = SplitMix(state: seed)
        // At most 400 calls per second, and at most four instances' worth of work.
        let arrivals = arrivals(peak: min(400, 4 / service), &random)
        let calls = arrivals.map { arrival in
            Trace.Call(
                arrival: Instant(seconds: arrival),
                service: Instant.Span(seconds: service * Double.random(in: 0.5..<1.5, using: &random)))
        }
        return Trace(calls: calls, end: Instant(seconds: duration + 120))
    }

    private func arrivals(peak: Double, _ random: inout SplitMix) -> [Double] {
        switch self {
        case .constant: return Array(stride(from: 0, to: duration, by: 2 / peak))
        case .poisson: return thinned(peak: peak, &random) { _ in 0.5 }
        case .step: return thinned(peak: peak, &random) { 300..<600 ~= $0 ? 1 : 0.125 }
        case .bursty:
            // On for ten seconds, off for sixty, both on average and without memory.
            var switches: [Double] = [0]
            while let last = switches.last, last < duration {
                switches.append(last + random.exponential(mean: switches.count % 2 == 1 ? 10 : 60))
            }
            var next = 0
            return thinned(peak: peak, &random) { time in
                while next < switches.count, switches[next] <= time { next += 1 }
                return next % 2 == 1 ? 1 : 0
            }
        case .diurnal:
            return thinned(peak: peak, &random) { [duration] time in
                let sine = sin(Double.pi * time / duration)
                return sine * sine
            }
        case .spike:
            return thinned(peak: 2 * peak, &random) { time in
                100..<105 ~= time.truncatingRemainder(dividingBy: 300) ? 1 : 0
            }
        case .sparse: return thinned(peak: 1.0 / 120, &random) { _ in 1 }
        }
    }

    /// A Poisson process of the rate `peak` × `share` of the time, by thinning (Lewis and Shedler, 1979).
    private func thinned(peak: Double, _ random: inout SplitMix, _ share: (Double) -> Double) -> [Double] {
        var found: [Double] = []
        var time = random.exponential(mean: 1 / peak)
        while time < duration {
            if Double.random(in: 0..<1, using: &random) < share(time) { found.append(time) }
            time += random.exponential(mean: 1 / peak)
        }
        return found
    }
}

extension SplitMix {
    /// Exponentially distributed, by inversion.
    mutating func exponential(mean: Double) -> Double { -mean * log(Double.random(in: 0x1p-53..<1, using: &self)) }
}

extension Instant {
    init(seconds: Double) { self.init(nanoseconds: UInt64(seconds * 1e9)) }
    var seconds: Double { Double(nanoseconds) / 1e9 }
}

extension Instant.Span {
    init(seconds: Double) { self.init(nanoseconds: UInt64(seconds * 1e9)) }
}
