internal import RoostBasics
internal import RoostChannel
internal import RoostDelivery
internal import RoostLoop
internal import RoostPool

/// One metric with all its series.
struct MetricFamily {
    /// Nothing while it has no series.
    var text: [UInt8] { series.isEmpty ? [] : head + series }
    private let head: [UInt8]
    private var series: [UInt8] = []
    private let name: String
    private let addSeries: (inout MetricFamily, VersionFigures) -> Void

    private init(
        _ name: String, _ type: String, _ help: String, _ addSeries: @escaping (inout Self, VersionFigures) -> Void
    ) {
        self.name = name
        self.addSeries = addSeries
        head = Array("# HELP \(name) \(help)\n# TYPE \(name) \(type)\n".utf8)
    }

    mutating func add(_ figures: VersionFigures) { addSeries(&self, figures) }

    /// What is told of each version that was called.
    static var ofVersions: [MetricFamily] {
        [
            Self("roost_requests_total", "counter", "Inference requests answered, by outcome.") { family, version in
                for outcome in Outcome.allCases {
                    let count = version.statistics.count(outcome)
                    family.sample(version, ",outcome=\"\(outcome.word)\"", "\(count)")
                }
            },
            Self("roost_traffic_percent", "gauge", "Share of the function's traffic, in percent.") {
                $0.sample($1, "", "\($1.share)")
            },
            Self("roost_rows_total", "counter", "Rows predicted.") { $0.sample($1, "", "\($1.statistics.rows)") },
            Self("roost_request_duration_seconds", "histogram", "Time of inference requests, by phase.") {
                let statistics = $1.statistics
                for (phase, histogram) in [
                    ("total", statistics.total), ("queue", statistics.queue), ("fork", statistics.fork),
                    ("load", statistics.load), ("infer", statistics.infer),
                ] { $0.histogram($1, phase, histogram) }
            },
            Self("roost_batch_rows", "histogram", "Rows of the batch that a request ran in.") { $0.batches($1) },
            Self("roost_instances", "gauge", "Instances, by state.") {
                $0.sample($1, ",state=\"busy\"", "\($1.busyCount)")
                $0.sample($1, ",state=\"idle\"", "\($1.instanceCount - $1.busyCount)")
            },
            Self("roost_queue_depth", "gauge", "Requests that wait for an instance.") {
                $0.sample($1, "", "\($1.queueDepth)")
            },
            Self("roost_shadow_total", "counter", "Copies of answered requests, by what became of them.") {
                guard !$1.shadow.isEmpty else { return }
                for (outcome, count) in [
                    ("compared", $1.shadow.pairs), ("dropped", $1.shadow.dropped), ("failed", $1.shadow.failed),
                ] { $0.sample($1, ",outcome=\"\(outcome)\"", "\(count)") }
            },
            Self("roost_shadow_flips_total", "counter", "Rows of copies with another class than was served.") {
                if !$1.shadow.isEmpty { $0.sample($1, "", "\($1.shadow.flips)") }
            },
            Self("roost_predictions_recorded_total", "counter", "Predictions recorded for late labels.") {
                $0.sample($1, "", "\($1.recorded.written)")
            },
            Self("roost_predictions_dropped_total", "counter", "Predictions that the disk was too slow to record.") {
                $0.sample($1, "", "\($1.recorded.dropped)")
            },
            Self("roost_cpu_seconds_total", "counter", "CPU time of all processes of the version.") {
                $0.sample($1, "", "\($1.cpu.seconds)")
            },
            Self("roost_cost_cpu_seconds", "gauge", "CPU time that 1,000 predictions cost.") {
                if let cost = $1.cpuPerThousand { $0.sample($1, "", "\(cost.seconds)") }
            },
            Self("roost_memory_bytes", "gauge", "Resident memory of template and instances.") {
                let memory = $1.memory()
                $0.sample($1, ",kind=\"private\"", "\(memory.privateBytes)")
                $0.sample($1, ",kind=\"shared\"", "\(memory.sharedBytes)")
            },
        ]
    }

    /// What is told of functions, whatever their versions.
    static func ofRoutes(_ routes: RouteTable) -> [MetricFamily] {
        var family = Self(
            "roost_requests_without_key_total", "counter", "Requests without the key that binds callers to a version."
        ) { _, _ in }
        for route in routes.routes.values.sorted(by: { $0.name < $1.name }) where route.stickyKey != nil {
            family.line("\(family.name){function=\"\(route.name)\"} \(route.withoutKey)")
        }
        return [family]
    }

    static func ofHost(_ host: Host) -> [MetricFamily] {
        let counters = host.server.counters
        return [
            plain("roost_connections", "gauge", "Connections open.", "\(counters.connectionsOpen)"),
            plain("roost_http_requests_total", "counter", "HTTP requests of any kind.", "\(counters.requestsTotal)"),
            plain(
                "roost_http_refused_total", "counter", "Requests refused before any endpoint saw them.",
                "\(counters.refusedTotal)"),
            plain("roost_received_bytes_total", "counter", "Bytes read from clients.", "\(counters.bytesReceived)"),
            plain("roost_sent_bytes_total", "counter", "Bytes written to clients.", "\(counters.bytesSent)"),
            plain(
                "roost_uptime_seconds", "gauge", "Since the host started.", "\((host.loop.now - host.started).seconds)"),
        ] + ofFeedback(host) + ofTriggers(host)
    }

    /// By function and trigger.
    private static func ofTriggers(_ host: Host) -> [Self] {
        var items = Self("roost_trigger_items", "gauge", "Items of triggers, by state.") { _, _ in }
        var outcomes = Self(
            "roost_trigger_outcomes_total", "counter", "What became of items of triggers since the host started."
        ) { _, _ in }
        for lane in host.triggers.deliveries.open {
            let labels = "function=\"\(lane.owner.function)\",trigger=\"\(lane.owner.label)\""
            for (state, count) in [
                ("waiting", lane.queue.waitingCount), ("running", lane.queue.runningCount), ("done", lane.tally.done),
                ("dead", lane.tally.dead),
            ] { items.line("\(items.name){\(labels),state=\"\(state)\"} \(count)") }
            for outcome in DeliveryTally.Outcome.allCases {
                outcomes.line("\(outcomes.name){\(labels),outcome=\"\(outcome.rawValue)\"} \(lane.tally[outcome])")
            }
        }
        return [items, outcomes]
    }

    /// Nothing before the first label.
    private static func ofFeedback(_ host: Host) -> [Self] {
        var family = Self("roost_feedback_total", "counter", "Labels by what became of them.") { _, _ in }
        let recordings = host.recorder.functions.sorted { $0.key < $1.key }.filter { $0.value.labels.total > 0 }
        for (name, recording) in recordings {
            let labels = recording.labels
            for (outcome, count) in [
                ("joined", labels.joined), ("replaced", labels.replaced), ("unknown", labels.unknown),
                ("refused", labels.refused),
            ] {
                family.line("roost_feedback_total{function=\"\(name)\",outcome=\"\(outcome)\"} \(count)")
            }
        }
        return recordings.isEmpty ? [] : [family]
    }

    private static func plain(_ name: String, _ type: String, _ help: String, _ value: String) -> Self {
        var family = Self(name, type, help) { _, _ in }
        family.line("\(name) \(value)")
        return family
    }

    /// - Parameter labels: beyond function and version, each with a comma before it. Names of functions and versions
    ///   hold nothing that would need escaping.
    private mutating func sample(_ version: VersionFigures, suffix: String = "", _ labels: String, _ value: String) {
        line("\(name)\(suffix){function=\"\(version.id.function)\",version=\"\(version.id.number)\"\(labels)} \(value)")
    }

    /// Bounds at every second power of two from 4 µs to 67 s.
    private mutating func histogram(_ version: VersionFigures, _ phase: String, _ histogram: LatencyHistogram) {
        let label = ",phase=\"\(phase)\""
        for octave in stride(from: 2, through: 26, by: 2) {
            let bound = "\(label),le=\"\(Double(1 << octave) / 1e6)\""
            sample(version, suffix: "_bucket", bound, "\(histogram.countAtMost(octave: octave))")
        }
        sample(version, suffix: "_bucket", "\(label),le=\"+Inf\"", "\(histogram.count)")
        sample(version, suffix: "_sum", label, "\(Double(histogram.totalNanoseconds) / 1e9)")
        sample(version, suffix: "_count", label, "\(histogram.count)")
    }

    /// Bounds at the powers of two up to 1,024 rows.
    private mutating func batches(_ version: VersionFigures) {
        let sizes = version.statistics.batches
        for octave in 0...10 {
            sample(version, suffix: "_bucket", ",le=\"\(1 << octave)\"", "\(sizes.countAtMost(octave: octave))")
        }
        sample(version, suffix: "_bucket", ",le=\"+Inf\"", "\(sizes.count)")
        sample(version, suffix: "_sum", "", "\(sizes.total)")
        sample(version, suffix: "_count", "", "\(sizes.count)")
    }

    private mutating func line(_ text: String) { series.append(contentsOf: "\(text)\n".utf8) }
}
