import Glibc
import RoostBasics

/// What frame `number` holds, in either direction: known to both sides, so that each can tell a wrong one.
struct Frames {
    static let bytesMax = 511
    let salt: UInt64

    func fill(_ body: inout [UInt8], _ number: UInt64) {
        var word = SplitMix.mix(number &+ salt)
        body.removeAll(keepingCapacity: true)
        for index in 0..<size(number) {
            if index % 8 == 0 { word = SplitMix.mix(word) }
            body.append(UInt8(truncatingIfNeeded: word >> UInt64(index % 8 * 8)))
        }
    }

    func matches(_ body: RawSpan, _ number: UInt64) -> Bool {
        guard body.byteCount == size(number) else { return false }
        var word = SplitMix.mix(number &+ salt)
        for index in 0..<body.byteCount {
            if index % 8 == 0 { word = SplitMix.mix(word) }
            guard body[index] == UInt8(truncatingIfNeeded: word >> UInt64(index % 8 * 8)) else { return false }
        }
        return true
    }

    /// Mostly small, so that most of the time goes into the protocol; now and then many.
    private func size(_ number: UInt64) -> Int {
        let word = SplitMix.mix(number ^ salt)
        return Int(word >> 32) % (word % 64 == 0 ? Self.bytesMax : 33)
    }
}

/// When a side does what: drawn from a seed, but what the other side does meanwhile is the machine's.
struct Whims {
    private var random: SplitMix

    init(seed: UInt64) { random = SplitMix(state: seed) }

    mutating func chance(_ oneIn: UInt64) -> Bool { random.next() % oneIn == 0 }
    mutating func number(_ below: UInt64) -> UInt64 { random.next() % below }

    /// Rests now and then: for a system call, a moment, or long enough that the other side falls asleep.
    mutating func rest() {
        switch random.next() % 4096 {
        case 0: pause(microseconds: Int(random.next() % 200))
        case 1...8: sched_yield()
        case 9...40: for _ in 0..<random.next() % 2000 { _ = random.next() }
        default: break
        }
    }

    private func pause(microseconds: Int) {
        var time = timespec(tv_sec: 0, tv_nsec: microseconds * 1000)
        _ = unsafe nanosleep(&time, nil)
    }
}

func fault(_ words: String) -> Never {
    print("FAULT: \(words)")
    exit(1)
}
