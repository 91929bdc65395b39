internal import RoostBasics
internal import RoostShell
internal import RoostJSON
internal import RoostLoad

/// How fast a model answers one caller who sends one request after the other.
struct Speed {
    /// In batches, as the evaluation sends them.
    let rowsPerSecond: Double
    /// Requests of a single row.
    let single: Histogram

    /// How many single rows are sent at most.
    static let singlesMax = 300

    /// - Parameters:
    ///   - bodies: requests of one row each.
    ///   - batched: the time that so many rows took in batches.
    init(of model: AskedModel, bodies: [[UInt8]], contentType: String, batched: (rows: Int, time: Instant.Span)) throws
    {
        var times = Histogram()
        // The first ones find caches cold.
        for body in bodies.prefix(5) { _ = try model.predict(body, contentType: contentType) }
        for body in bodies.prefix(Self.singlesMax) {
            let start = now()
            _ = try model.predict(body, contentType: contentType)
            times.record(now() - start)
        }
        single = times
        rowsPerSecond = Double(batched.rows) / max(batched.time.seconds, 1e-9)
    }

    func percentile(_ percent: Double) -> Double { single.percentile(percent)?.milliseconds ?? 0 }

    var json: JSONValue {
        [
            "rows_per_second": .real(rowsPerSecond), "single_p50_ms": .real(percentile(50)),
            "single_p99_ms": .real(percentile(99)),
        ]
    }
}
