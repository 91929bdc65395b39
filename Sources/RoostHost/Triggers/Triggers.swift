internal import RoostBasics
internal import RoostDelivery
internal import RoostFiles
internal import RoostFunctions
internal import RoostJSON
internal import RoostLoop

/// The triggers of all functions, as their manifests have them.
///
/// Belongs to the loop. An edit starts, stops and changes them; their items belong to their names, and outlive both.
final class Triggers {
    unowned let host: Host
    let deliveries: Deliveries
    private var specs: [FunctionName: [TriggerSpec]] = [:]
    private let settling: Timer
    private var isClosed = false
    /// Threads that tell sinks, kept while the host runs.
    var sinkCallers: [DeliveryOwner: SinkCaller] = [:]
    /// What keeps file triggers and schedules going.
    var watches: [DeliveryOwner: FileWatch] = [:]
    var schedules: [DeliveryOwner: Schedule] = [:]

    /// How often it looks whether there are versions to ask, at the start only.
    private static let settlingPeriod = Instant.Span.milliseconds(50)

    init(_ host: Host) throws {
        self.host = host
        let store = try DeliveryStore(path: host.home.state.path("deliveries.db"), on: host.loop)
        store.onLine = { Console.print($0) }
        deliveries = try Deliveries(on: host.loop, store: store)
        settling = try Timer(on: host.loop)
    }

    /// Items run as soon as what was served before is served again: until then they would only fail.
    func start() {
        // A timer that cannot start is a closed one: the host is ending.
        try? settling.start(after: .zero, every: Self.settlingPeriod) { [unowned self] in
            guard host.isReady else { return }
            settling.stop()
            deliveries.release()
        }
    }

    func close() {
        isClosed = true
        settling.close()
        for caller in sinkCallers.values { caller.close() }
        closeJobs()
        deliveries.close()
    }

    /// Follows the manifests.
    func apply(_ manifests: [FunctionName: Manifest]) {
        // They may have been on their way when the host was told to end.
        guard !isClosed else { return }
        for function in Set(specs.keys).union(manifests.keys).sorted() {
            let (old, new) = (specs[function] ?? [], manifests[function]?.triggers ?? [])
            let changes = TriggerChanges(from: old, to: new)
            for name in changes.stopped {
                for spec in old where spec.name == name { stop(spec, of: function) }
            }
            for spec in changes.started + changes.changed { open(spec, of: function) }
            specs[function] = new.isEmpty ? nil : new
        }
    }

    func list(of function: FunctionName) -> [TriggerSpec] { specs[function] ?? [] }
    /// By function.
    var all: [(function: FunctionName, spec: TriggerSpec)] {
        specs.sorted { $0.key < $1.key }.flatMap { function, list in list.map { (function, $0) } }
    }

    /// Begins with a trigger, or goes on with other settings.
    private func open(_ spec: TriggerSpec, of function: FunctionName) {
        switch spec.kind {
        case .queue(let queue): open(queue, spec, of: function)
        case .event(let event): open(event, spec, of: function)
        case .file(let file): open(file, spec, of: function)
        case .schedule(let schedule): open(schedule, spec, of: function)
        }
    }

    private func stop(_ spec: TriggerSpec, of function: FunctionName) {
        switch spec.kind {
        case .queue: deliveries.stop(DeliveryOwner(function, spec.name, .queue))
        case .event: stopEvent(spec, of: function)
        case .file: stopFiles(DeliveryOwner(function, spec.name, .file))
        case .schedule: stopSchedule(DeliveryOwner(function, spec.name, .schedule))
        }
    }

    /// For `status`.
    func status(of function: FunctionName) -> [JSONValue] {
        let reading = deliveries.reading
        return deliveries.open.filter { $0.owner.function == function }.map { $0.status(at: reading) }
    }
}
