public import RoostBasics

/// What the host says of a request's way, in a reply's `Server-Timing`: the phases that occurred.
public struct PhaseTimes: Hashable, Sendable {
    /// The phases, in the order of a request's way.
    public enum Phase: Int, Hashable, Sendable, CaseIterable {
        case queue, fork, load, infer

        public var name: String {
            switch self {
            case .queue: "queue"
            case .fork: "fork"
            case .load: "load"
            case .infer: "infer"
            }
        }
    }

    public var queue: Instant.Span?
    public var fork: Instant.Span?
    public var load: Instant.Span?
    public var infer: Instant.Span?

    public init() {}

    public subscript(phase: Phase) -> Instant.Span? {
        switch phase {
        case .queue: queue
        case .fork: fork
        case .load: load
        case .infer: infer
        }
    }

    /// Whether an instance had to be made for the request.
    public var isColdStart: Bool { fork != nil || load != nil }

    /// Reads `queue;dur=0.004, infer;dur=0.07` (W3C Server Timing; milliseconds). Names that mean nothing here and
    /// entries without a duration are passed over: proxies add their own.
    public init(_ field: RawSpan) {
        var start = 0
        while start < field.byteCount {
            let end = field.place(of: UInt8(ascii: ","), from: start)
            add(field.extracting(start..<end))
            start = end + 1
        }
    }

    private mutating func add(_ entry: RawSpan) {
        var nameStart = 0
        while nameStart < entry.byteCount, entry[nameStart] == UInt8(ascii: " ") { nameStart += 1 }
        let nameEnd = entry.place(of: UInt8(ascii: ";"), from: nameStart)
        let name = entry.extracting(nameStart..<nameEnd)
        var start = nameEnd + 1
        while start < entry.byteCount {
            let end = entry.place(of: UInt8(ascii: ";"), from: start)
            let parameter = entry.extracting(start..<end)
            if parameter.starts(with: "dur="), let time = parameter.extracting(droppingFirst: 4).milliseconds {
                if name.equals("queue") { queue = time }
                if name.equals("fork") { fork = time }
                if name.equals("load") { load = time }
                if name.equals("infer") { infer = time }
            }
            start = end + 1
        }
    }
}

extension RawSpan {
    /// The first place of `byte` from `start` on; the end when there is none.
    fileprivate func place(of byte: UInt8, from start: Int) -> Int {
        var place = start
        while place < byteCount, self[place] != byte { place += 1 }
        return place
    }

    /// `1.25`, in milliseconds; nil for anything but digits with at most one point, and beyond a day.
    fileprivate var milliseconds: Instant.Span? {
        var (value, scale, hasPoint): (UInt64, UInt64, Bool) = (0, 1_000_000, false)
        guard (1...24).contains(byteCount) else { return nil }
        for place in 0..<byteCount {
            let byte = self[place]
            if byte == UInt8(ascii: "."), !hasPoint {
                hasPoint = true
            } else if byte.isDigit {
                // Digits beyond the nanosecond do not count.
                if hasPoint && scale == 1 { continue }
                value = value * 10 + UInt64(byte - UInt8(ascii: "0"))
                if hasPoint { scale /= 10 }
                guard value * scale <= 86_400_000_000_000 else { return nil }
            } else {
                return nil
            }
        }
        return Instant.Span(nanoseconds: value * scale)
    }
}
