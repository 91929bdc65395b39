internal import RoostBasics
internal import RoostLoop

/// Counters and histograms in the Prometheus text format (exposition format 0.0.4), made a few versions at a time, so
/// that a page of a thousand functions does not hold the loop up.
///
/// Only functions that were called since the start have series, and those that keep instances.
final class MetricsPage {
    private let host: Host
    private var rest: ArraySlice<VersionService>
    private var families: [MetricFamily]
    private let timer: Timer
    private let onDone: ([UInt8]) -> Void

    /// Versions in one turn of the loop: about a millisecond.
    private static let slice = 32

    /// Begins; `onDone` gets the page, at once when it is small.
    static func make(_ host: Host, _ onDone: @escaping ([UInt8]) -> Void) throws {
        let page = try MetricsPage(host, onDone)
        page.goOn()
    }

    private init(_ host: Host, _ onDone: @escaping ([UInt8]) -> Void) throws {
        self.host = host
        self.onDone = onDone
        timer = try Timer(on: host.loop)
        families = MetricFamily.ofVersions
        rest =
            host.serving.services.values.filter {
                $0.statistics.requests > 0 || !$0.instances.isEmpty || !$0.shadow.isEmpty
            }
            .sorted { $0.id < $1.id }[...]
    }

    private func goOn() {
        for service in rest.prefix(Self.slice) {
            let figures = VersionFigures(service, host)
            for index in families.indices { families[index].add(figures) }
        }
        rest = rest.dropFirst(Self.slice)
        guard !rest.isEmpty else { return finish() }
        // The timer keeps this alive until then; one that cannot start is a closed one: the host is ending.
        try? timer.start(after: .zero) { self.goOn() }
    }

    private func finish() {
        timer.close()
        let ofRest = MetricFamily.ofRoutes(host.deploying.routes) + MetricFamily.ofHost(host)
        onDone(families.flatMap(\.text) + ofRest.flatMap(\.text))
    }
}
