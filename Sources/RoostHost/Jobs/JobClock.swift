internal import RoostBasics

/// Where a run's time goes.
struct JobClock {
    /// Busy time of the reading thread, of all instances together, and of the writing thread. They overlap.
    var read = Instant.Span.zero
    var scored = Instant.Span.zero
    var wrote = Instant.Span.zero
    /// Of the input's file.
    var bytesRead = 0
    private(set) var total = Instant.Span.zero
    private let began: Instant
    private let rowsAtStart: Int
    /// Rows at some moments of the last seconds, oldest first.
    private var recent: [(at: Instant, rows: Int)] = []

    private static let window = Instant.Span.seconds(5)
    private static let step = Instant.Span.milliseconds(250)

    init(at now: Instant, rows: Int) {
        began = now
        rowsAtStart = rows
        recent = [(now, rows)]
    }

    mutating func note(rows: Int, at now: Instant) {
        guard let last = recent.last, now - last.at >= Self.step else { return }
        recent.append((now, rows))
        while recent.count > 2, now - recent[0].at > Self.window { recent.removeFirst() }
    }

    mutating func end(at now: Instant) { total = now - began }

    /// Rows a second over the last seconds.
    func rate(rows: Int, at now: Instant) -> Double {
        guard let first = recent.first, now > first.at else { return 0 }
        return Double(rows - first.rows) / (now - first.at).seconds
    }
}
