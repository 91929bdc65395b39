internal import RoostBasics
internal import RoostChannel
internal import RoostFunctions
internal import RoostLoop
internal import RoostPool

/// Counters and histograms in the Prometheus text format (exposition format 0.0.4).
struct Metrics {
    private(set) var text: [UInt8] = []

    init(_ host: Host) {
        // What serves has all its counters from the start, so that the first request is an increase.
        let services = host.serving.services.values.filter {
            $0.pool.demand == .kept || $0.statistics.requests > 0 || !$0.instances.isEmpty
        }
        .sorted { $0.id < $1.id }
        family("roost_requests_total", "counter", "Inference requests answered, by outcome.")
        for service in services {
            for outcome in Outcome.allCases {
                sample(
                    "roost_requests_total", service, ["outcome": outcome.word], "\(service.statistics.count(outcome))")
            }
        }
        family("roost_rows_total", "counter", "Rows predicted.")
        for service in services { sample("roost_rows_total", service, [:], "\(service.statistics.rows)") }
        family("roost_request_duration_seconds", "histogram", "Time of inference requests, by phase.")
        for service in services {
            histogram(service, "total", service.statistics.total)
            histogram(service, "queue", service.statistics.queue)
            histogram(service, "infer", service.statistics.infer)
        }
        family("roost_instances", "gauge", "Instances, by state.")
        for service in services {
            let busy = service.instances.count { service.pool.outstanding(of: $0.id) > 0 }
            sample("roost_instances", service, ["state": "busy"], "\(busy)")
            sample("roost_instances", service, ["state": "idle"], "\(service.instances.count - busy)")
        }
        family("roost_queue_depth", "gauge", "Requests that wait for an instance.")
        for service in services { sample("roost_queue_depth", service, [:], "\(service.pool.queueDepth)") }
        gateway(host)
    }

    private mutating func gateway(_ host: Host) {
        let counters = host.server.counters
        plain("roost_connections", "gauge", "Connections open.", "\(counters.connectionsOpen)")
        plain("roost_http_requests_total", "counter", "HTTP requests of any kind.", "\(counters.requestsTotal)")
        plain(
            "roost_http_refused_total", "counter", "Requests refused before any endpoint saw them.",
            "\(counters.refusedTotal)")
        plain("roost_received_bytes_total", "counter", "Bytes read from clients.", "\(counters.bytesReceived)")
        plain("roost_sent_bytes_total", "counter", "Bytes written to clients.", "\(counters.bytesSent)")
        plain("roost_uptime_seconds", "gauge", "Since the host started.", "\((host.loop.now - host.started).seconds)")
    }

    private mutating func plain(_ name: String, _ type: String, _ help: String, _ value: String) {
        family(name, type, help)
        line("\(name) \(value)")
    }

    private mutating func family(_ name: String, _ type: String, _ help: String) {
        line("# HELP \(name) \(help)")
        line("# TYPE \(name) \(type)")
    }

    private mutating func sample(_ name: String, _ service: VersionService, _ labels: [String: String], _ value: String)
    {
        // Names of functions and versions hold nothing that would need escaping.
        let more = labels.sorted { $0.key < $1.key }.map { ",\($0.key)=\"\($0.value)\"" }.joined()
        line("\(name){function=\"\(service.id.function)\",version=\"\(service.id.number)\"\(more)} \(value)")
    }

    /// Bounds at every second power of two from 4 µs to 67 s.
    private mutating func histogram(_ service: VersionService, _ phase: String, _ histogram: LatencyHistogram) {
        let name = "roost_request_duration_seconds"
        for octave in stride(from: 2, through: 26, by: 2) {
            let bound = Double(1 << octave) / 1e6
            sample(
                "\(name)_bucket", service, ["phase": phase, "le": "\(bound)"],
                "\(histogram.countAtMost(octave: octave))")
        }
        sample("\(name)_bucket", service, ["phase": phase, "le": "+Inf"], "\(histogram.count)")
        sample("\(name)_sum", service, ["phase": phase], "\(Double(histogram.totalNanoseconds) / 1e9)")
        sample("\(name)_count", service, ["phase": phase], "\(histogram.count)")
    }

    private mutating func line(_ text: String) { self.text.append(contentsOf: "\(text)\n".utf8) }
}
