internal import RoostBasics
internal import RoostPool
internal import RoostProcess

/// What a version uses now and has used, for metrics and status, from `/proc`.
struct VersionFigures {
    let id: VersionID
    let statistics: VersionStatistics
    let shadow: ShadowTally
    /// Of the function's traffic, in percent.
    let share: Int
    let instanceCount: Int
    let busyCount: Int
    let queueDepth: Int
    /// Predictions recorded for late labels, and those that were to be.
    let recorded: (written: Int, dropped: Int)
    /// CPU time of template and instances, those included that have ended.
    private(set) var cpu: Instant.Span
    private let processes: [Int32]

    init(_ service: VersionService, _ host: Host) {
        id = service.id
        statistics = service.statistics
        shadow = service.shadow
        share = host.deploying.routes[id.function]?.shares?[id.number] ?? 0
        instanceCount = service.instances.count
        busyCount = service.instances.count { service.pool.outstanding(of: $0.id) > 0 }
        queueDepth = service.pool.queueDepth
        recorded = service.recorded
        cpu = service.cpuOfEnded
        var processes = service.instances.compactMap(\.pid)
        if case .warm(let template) = service.template, let process = host.processes.process(of: template) {
            processes.append(process)
        }
        for process in processes { cpu = cpu + ProcessTime.used(by: process) }
        self.processes = processes
    }

    /// Resident memory of template and instances: a walk through all their pages.
    func memory() -> (privateBytes: Int, sharedBytes: Int) {
        let found = processes.compactMap(ProcessMemory.init(of:))
        return (found.reduce(0) { $0 + $1.privateBytes }, found.reduce(0) { $0 + $1.sharedBytes })
    }

    /// CPU time that 1,000 predictions cost, loading included; nil before the first.
    var cpuPerThousand: Instant.Span? {
        guard statistics.rows > 0 else { return nil }
        return Instant.Span(nanoseconds: UInt64(Double(cpu.nanoseconds) / Double(statistics.rows) * 1000))
    }
}
