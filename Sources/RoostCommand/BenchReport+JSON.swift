internal import RoostBasics
internal import RoostJSON
internal import RoostLoad

extension BenchReport {
    /// For programs. Times are in milliseconds unless their names say otherwise; a figure that does not exist is null.
    var json: JSONValue {
        let outcomes = Outcome.allCases.map { ($0.name, Self.count(tally[$0])) }
        let phases = PhaseTimes.Phase.allCases.map { ($0.name, Self.times(tally[$0])) }
        return [
            "target": .string(target),
            "host": .string(host),
            "plan": plan,
            "interrupted": .bool(tally.isInterrupted),
            "elapsed_seconds": .real(elapsed.seconds),
            "requests": [
                "due": Self.count(tally.due), "sent": Self.count(tally.sent), "answered": Self.count(tally.answered),
            ],
            "answered_per_second": .real(answeredRate),
            "outcomes": .object(JSONObject(outcomes)),
            "versions": .object(JSONObject(versions.map { ($0.name, Self.count($0.count)) })),
            "latency_ms": Self.times(tally.latency),
            "failed_latency_ms": Self.times(tally.failedLatency),
            "cold_starts": ["count": Self.count(tally.coldLatency.count), "latency_ms": Self.times(tally.coldLatency)],
            "wait_ms": Self.times(tally.wait),
            "phases_ms": .object(JSONObject(phases)),
            "connections": [
                "opened": .integer(tally.connectionsOpened), "peak": .integer(tally.connectionsPeak),
                "max": .integer(settings.connections),
            ],
            "generator": [
                "kept_up": .bool(couldKeepUp), "late": Self.count(tally.late.count),
                "late_ms_max": .real(tally.late.max.milliseconds), "busy_share": .real(busyShare),
            ],
            "errors": .array(faults.map(Self.error)),
            "warnings": .array(warnings.map { .string($0) }),
        ]
    }

    private var plan: JSONValue {
        [
            "rate": .real(settings.arrivals.rate),
            "duration_seconds": .real(settings.arrivals.duration.seconds),
            "arrivals": .string(settings.arrivals.pattern.rawValue),
            "rows_per_request": .integer(settings.rowsPerRequest),
            "rows": settings.from.map { .string($0) } ?? .null,
            "protocol": .string(kind == .tensors ? "v2" : "predict"),
            "seed": .integer(Int(clamping: settings.seed)),
            "timeout_seconds": .real(settings.timeout.seconds),
        ]
    }

    private static func times(_ histogram: Histogram) -> JSONValue {
        let percentiles = [("p50", 50), ("p90", 90), ("p99", 99), ("p99_9", 99.9)].map { name, percent in
            (name, time(histogram.percentile(percent)))
        }
        let rest = [
            ("max", time(histogram.count == 0 ? nil : histogram.max)), ("mean", time(histogram.mean)),
        ]
        return .object(JSONObject([("count", count(histogram.count))] + percentiles + rest))
    }

    private static func time(_ span: Instant.Span?) -> JSONValue { span.map { .real($0.milliseconds) } ?? .null }

    private static func count(_ count: UInt64) -> JSONValue { .integer(Int(clamping: count)) }

    private static func error(_ fault: LoadTally.Fault, _ message: String) -> JSONValue {
        [
            "outcome": .string(fault.outcome.name), "status": fault.status.map { .integer($0) } ?? .null,
            "count": count(fault.count), "message": .string(message),
        ]
    }
}
